const DAY_MS = 24 * 60 * 60 * 1000

/** After how many days a token ends; '' is never. */
export const expiries = ['7', '30', '90', '365', ''] as const

export const expiryAfter = (days: string, now: number) =>
  days === '' ? undefined : new Date(now + Number(days) * DAY_MS).toISOString()

export const isOver = (expires: string | undefined, now: number) => expires !== undefined && Date.parse(expires) <= now
