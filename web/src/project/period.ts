/** The stretch of time that the cards over time show. */
export type Period = (typeof periods)[number]

export const periods = ['today', '7d', '30d'] as const

export const DEFAULT_PERIOD: Period = '30d'

/** How the API names each period: the page shows what the same words answer there. */
export const wordOf: Record<Period, string> = { today: 'today', '7d': '-7d', '30d': '-30d' }

export const isPeriod = (v: unknown): v is Period => periods.includes(v as Period)

export const intervalOf = (period: Period): 'hour' | 'day' => (period === 'today' ? 'hour' : 'day')
