import type { Trend } from '../api/types'

export interface Group {
  /** The column's value; empty for events without one. */
  value: string
  total: number
}

/** What a breakdown's groups add up to, largest first; `other` comes last. */
export function groupsOf(trend: Trend): Group[] {
  const groups = (trend.series ?? []).map((s) => ({ value: s.breakdown ?? '', total: s.total }))
  const isOther = (g: Group) => Number(g.value === OTHER)
  return groups
    .filter((g) => g.total > 0)
    .toSorted((a, b) => isOther(a) - isOther(b) || b.total - a.total)
}

/** The group of all values beyond the largest. */
export const OTHER = 'other'
