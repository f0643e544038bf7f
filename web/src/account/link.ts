const kinds = ['setup', 'invitation', 'reset'] as const

/** A link that somebody was given: what it is for, which is the name of its page too, and its secret. */
export interface Link {
  kind: (typeof kinds)[number]
  secret: string
}

type Store = Pick<Storage, 'getItem' | 'setItem' | 'removeItem'>

const KEPT = 'weir.invitation'

const read = (hash: string): Link | null => {
  const [, kind, secret] = /^#(\w+)=([\w-]+)$/.exec(hash) ?? []
  const known = kinds.find((k) => k === kind)
  return known && secret ? { kind: known, secret } : null
}

export const isLink = (hash: string) => read(hash) !== null

/**
 * The link that the page was opened with. The address becomes that of its page, so that the
 * secret stays in no history and in no link that is copied. Without a link it is the
 * invitation that was kept.
 */
export function takeLink(
  at: Pick<Location, 'hash'>,
  history: Pick<History, 'replaceState'>,
  store: Store,
  base: string,
): Link | null {
  const kept = store.getItem(KEPT)
  store.removeItem(KEPT)
  const link = read(at.hash) ?? (kept ? { kind: 'invitation' as const, secret: kept } : null)
  if (link) history.replaceState(null, '', `${base}/${link.kind}`)
  return link
}

/** Keeps an invitation for the next load in this tab: the identity provider sends the browser to the start page. */
export const keepInvitation = (store: Store, secret: string) => store.setItem(KEPT, secret)

export const dropInvitation = (store: Store) => store.removeItem(KEPT)

/** The storage of the tab. Where it is forbidden nothing is kept. */
export const tabStore = (): Store => {
  try {
    return sessionStorage
  } catch {
    return { getItem: () => null, setItem: () => {}, removeItem: () => {} }
  }
}
