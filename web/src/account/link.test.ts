import { describe, expect, it } from 'vitest'

import { dropInvitation, isLink, keepInvitation, takeLink } from './link'

const storeOf = (kept = new Map<string, string>()) => ({
  getItem: (key: string) => kept.get(key) ?? null,
  setItem: (key: string, value: string) => void kept.set(key, value),
  removeItem: (key: string) => void kept.delete(key),
})

const take = (hash: string, store = storeOf(), base = '') => {
  const shown: unknown[] = []
  const link = takeLink({ hash }, { replaceState: (_, __, url) => shown.push(url) }, store, base)
  return { link, shown }
}

describe('takeLink', () => {
  it.each(['setup', 'invitation', 'reset'])('takes the secret of a link for %s, and out of the address', (kind) => {
    expect(take(`#${kind}=wi_ABC-123`)).toEqual({ link: { kind, secret: 'wi_ABC-123' }, shown: [`/${kind}`] })
  })

  it('stays below the path of the server', () => {
    expect(take('#reset=ABC', storeOf(), '/stats').shown).toEqual(['/stats/reset'])
  })

  it.each(['', '#', '#setup=', '#other=ABC', '#setup=<b>', '#constructor=ABC'])('leaves %o as it is', (hash) => {
    expect(take(hash)).toEqual({ link: null, shown: [] })
    expect(isLink(hash)).toBe(false)
  })
})

describe('an invitation that is kept', () => {
  it('is taken by the next load, once', () => {
    const store = storeOf()
    keepInvitation(store, 'wi_A')
    expect(take('', store)).toEqual({ link: { kind: 'invitation', secret: 'wi_A' }, shown: ['/invitation'] })
    expect(take('', store).link).toBeNull()
  })

  it('gives way to a link', () => {
    const store = storeOf()
    keepInvitation(store, 'wi_A')
    expect(take('#reset=B', store).link).toEqual({ kind: 'reset', secret: 'B' })
  })

  it('is dropped when it was accepted', () => {
    const store = storeOf()
    keepInvitation(store, 'wi_A')
    dropInvitation(store)
    expect(take('', store).link).toBeNull()
  })
})
