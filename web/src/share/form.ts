import { SHORTEST_PASSWORD, type Faults, type Filled } from '../account/check'
import { m } from '../messages'

/** When a new link ends, to choose from: days from now. */
export const ends = ['never', '7d', '30d', '365d'] as const

const DAY = 86_400_000

export const endsAt = (end: (typeof ends)[number], now: number): { ends_at?: string } =>
  end === 'never' ? {} : { ends_at: new Date(now + Number.parseInt(end) * DAY).toISOString() }

/** The hosts that were typed, with commas or spaces between them. */
export const hostsIn = (text: string): string[] => text.split(/[\s,]+/).filter(Boolean)

/** A link may be without a password. */
export const checkShare = (f: Filled<'password' | 'origins'>): Faults<'password' | 'origins'> =>
  f.password && [...f.password].length < SHORTEST_PASSWORD ? { password: m.account.passwordShort(SHORTEST_PASSWORD) } : {}

/** What a page has in it to embed a link. */
export const embedding = (url: string): string =>
  `<iframe src="${url}" width="100%" height="800" style="border:0"></iframe>`
