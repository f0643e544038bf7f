import type { Trend } from '../api/types'

export interface Group {
  /** The column's value; null for events without one. */
  value: string | null
  /** Whether this is all groups beyond the limit; the value is then but a word. */
  other: boolean
  total: number
}

/** What a breakdown's groups add up to, largest first; the group of all others comes last. */
export function groupsOf(trend: Trend): Group[] {
  return trend.series
    .map((s) => ({ value: s.breakdown ?? null, other: s.other ?? false, total: s.total ?? 0 }))
    .filter((g) => g.total > 0)
    .toSorted((a, b) => Number(a.other) - Number(b.other) || b.total - a.total)
}

/** Whether any event has a value of the column. */
export const saysAnything = (trend: Trend): boolean => groupsOf(trend).some((g) => g.other || g.value !== null)

/** Whether the group has no value to name it by. */
export const isVague = (g: Group): boolean => g.other || g.value === null

/** Tells a list's groups apart. */
export function keyOf({ value, other }: Group): string {
  if (other) return 'other'
  return value === null ? 'none' : `=${value}`
}
