import type { TrendSeries } from '../api/types'
import type { AreaPoint } from '../chart/area'

export interface Growth {
  points: AreaPoint[]
  /** Index of the bucket that now falls in; -1 when the series ended before. */
  open: number
  total: number
  /** The total of the stretch before; undefined when there was nothing. */
  before: number | undefined
}

/** A series beside its stretch before, as a chart shows it. Buckets that begin after now are empty. */
export function growthOf(series: TrendSeries, now: number): Growth {
  const before = series.compare?.total || undefined
  const points = series.points.map((p, i) => {
    const past = before === undefined ? undefined : series.compare?.points[i]
    return {
      time: p.time,
      value: Date.parse(p.time) > now ? null : p.value,
      ...(past ? { before: past.value, beforeTime: past.time } : {}),
    }
  })
  return {
    points,
    open: points.findLastIndex((p) => p.value !== null),
    total: series.total ?? 0,
    before,
  }
}
