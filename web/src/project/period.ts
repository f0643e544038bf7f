import type { Format } from '../format'

/** The stretch of days that the cards over time show, up to today. */
export type Period = (typeof periods)[number]

export const periods = ['today', '7d', '30d'] as const

export const DEFAULT_PERIOD: Period = '30d'

const days: Record<Period, number> = { today: 1, '7d': 7, '30d': 30 }

export const isPeriod = (v: unknown): v is Period => periods.includes(v as Period)

export const intervalOf = (period: Period): 'hour' | 'day' => (period === 'today' ? 'hour' : 'day')

/** The period's first and last day in the project's timezone, as bare dates; both count. */
export function daysOf(period: Period, now: number, format: Pick<Format, 'date'>): { from: string; to: string } {
  const to = format.date(now)
  const first = new Date(`${to}T00:00:00Z`)
  first.setUTCDate(first.getUTCDate() - days[period] + 1)
  return { from: first.toISOString().slice(0, 10), to }
}
