import { useQuery, type UseQueryResult } from '@tanstack/react-query'
import { useMemo } from 'react'

import { growthQuery, type Stretch } from '../api/insight'
import type { Trend, TrendSeries } from '../api/types'
import { areaOption } from '../chart/area'
import { Chart } from '../chart/Chart'
import { usePalette } from '../chart/palette'
import { useFormat } from '../formatContext'
import { m } from '../messages'
import { Answer, Freshness } from '../ui/Answer'
import { Card } from '../ui/Card'
import { Skeleton } from '../ui/Skeleton'
import { growthOf, type Growth } from './growth'
import { intervalOf, type Period } from './period'
import { useProject } from './useProject'

const maths = ['total', 'unique'] as const

/** Events and people over the period, each on an axis of its own. */
export function GrowthCards({ stretch, period }: { stretch: Stretch; period: Period }) {
  const { id } = useProject()
  const query = useQuery(growthQuery(id, stretch, intervalOf(period)))
  return (
    <div className="grid gap-4 sm:gap-5 lg:grid-cols-2">
      {maths.map((math) => (
        <GrowthCard key={math} title={m.growth[math]} math={math} query={query} period={period} />
      ))}
    </div>
  )
}

interface CardProps {
  title: string
  math: string
  query: UseQueryResult<Trend>
  period: Period
}

function GrowthCard({ title, math, query, period }: CardProps) {
  const find = (trend: Trend) => trend.series?.find((s) => s.math === math)
  const format = useFormat()
  const left = math === 'unique' ? query.data?.bots_left_out : undefined
  const note = left === undefined ? undefined : m.growth.botsLeftOut(format.compact(left))
  return (
    <Card title={title} note={note} aside={<Freshness query={query} asOf={query.data?.as_of} />}>
      <div className="flex min-h-66 flex-col">
        <Answer
          query={query}
          skeleton={
            <>
              <Skeleton className="mb-3 h-14 w-40" />
              <Skeleton className="h-48" />
            </>
          }
          empty={{ when: (trend) => !find(trend), text: m.breakdown.empty }}
        >
          {(trend) => <GrowthBody title={title} series={find(trend)!} asOf={trend.as_of} period={period} />}
        </Answer>
      </div>
    </Card>
  )
}

function GrowthBody({ title, series, asOf, period }: { title: string; series: TrendSeries; asOf: string; period: Period }) {
  const format = useFormat()
  const palette = usePalette()
  const growth = useMemo(() => growthOf(series, Date.parse(asOf)), [series, asOf])

  const option = useMemo(() => {
    const hourly = intervalOf(period) === 'hour'
    const last = growth.points.length - 1
    const label = hourly ? format.minute : format.day
    const every = hourly ? 4 : Math.ceil(growth.points.length / 7)
    return areaOption({
      points: growth.points,
      open: growth.open,
      palette,
      axis: { label, show: (_, i) => (hourly ? i : last - i) % every === 0 },
      value: { axis: format.compact, tip: format.number },
      tip: {
        title: (p, i) => {
          const time = hourly ? format.minute(p.time) : format.weekday(p.time)
          return i === growth.open ? `${time} · ${m.now.soFar}` : time
        },
        name: title,
        before: m.growth.previous,
      },
    })
  }, [growth, period, format, palette, title])

  return (
    <>
      <p className="text-3xl leading-9 font-semibold tracking-tight tabular-nums">{format.number(growth.total)}</p>
      <Change growth={growth} period={period} />
      <Chart
        option={option}
        label={m.growth.summary(title, format.number(growth.total))}
        className="mt-3 h-48 min-w-0"
      />
    </>
  )
}

/** The total against the stretch before. A part of today is not set against a whole yesterday. */
function Change({ growth, period }: { growth: Growth; period: Period }) {
  const format = useFormat()
  const before = m.period.before[period]
  let text: string = m.growth.nothingBefore
  if (growth.before) {
    text =
      period === 'today'
        ? m.growth.was(format.number(growth.before), before)
        : m.growth.change(format.change(growth.total / growth.before - 1), before)
  }
  return <p className="h-5 truncate text-sm text-muted tabular-nums">{text}</p>
}
