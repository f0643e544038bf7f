import { useMemo } from 'react'

import type { Count, Range } from '../api/types'
import { areaOption } from '../chart/area'
import { Chart } from '../chart/Chart'
import { usePalette } from '../chart/palette'
import type { Format } from '../format'
import { useFormat } from '../formatContext'
import { m } from '../messages'

const HOUR = 3_600_000

interface Axis {
  label(time: string): string
  show(time: string, index: number, last: number): boolean
  title(time: string): string
}

const axes: Record<Range, (format: Format) => Axis> = {
  minute: (format) => ({
    label: format.minute,
    show: (time) => new Date(time).getUTCMinutes() % 10 === 0,
    title: format.minute,
  }),
  hour: (format) => ({
    label: format.minute,
    show: (time) => Number.parseInt(format.minute(time), 10) % 3 === 0,
    title: (time) => `${format.day(time)}, ${format.minute(time)}–${format.minute(Date.parse(time) + HOUR)}`,
  }),
  day: (format) => ({
    label: format.day,
    show: (_, index, last) => (last - index) % 5 === 0,
    title: format.weekday,
  }),
}

/** Counts by minute, hour or day, the last of them still growing. */
export function RangeChart({ range, counts }: { range: Range; counts: Count[] }) {
  const format = useFormat()
  const palette = usePalette()
  const last = counts.length - 1

  const option = useMemo(() => {
    const axis = axes[range](format)
    return areaOption({
      points: counts.map((c) => ({ time: c.time, value: c.count })),
      open: last,
      palette,
      axis: { label: axis.label, show: (time, i) => axis.show(time, i, last) },
      value: { axis: format.compact, tip: format.number },
      tip: {
        title: (point, i) => (i === last ? `${axis.title(point.time)} · ${m.now.soFar}` : axis.title(point.time)),
        name: m.growth.total,
        before: m.growth.previous,
      },
    })
  }, [range, counts, last, format, palette])

  const summary = m.now.summary(
    m.now.chart[range],
    m.now.span[range],
    format.number(counts[last]?.count ?? 0),
    format.number(Math.max(0, ...counts.map((c) => c.count))),
  )
  return <Chart option={option} label={summary} className="h-full min-w-0" />
}
