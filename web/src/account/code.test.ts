import { describe, expect, it } from 'vitest'

import { takeCode } from './code'

const take = (hash: string) => {
  const shown: unknown[] = []
  const code = takeCode({ hash, pathname: '/', search: '?x=1' }, { replaceState: (_, __, url) => shown.push(url) })
  return { code, shown }
}

describe('takeCode', () => {
  it('takes the code of the printed link, and out of the address', () => {
    expect(take('#setup=ABC-123')).toEqual({ code: 'ABC-123', shown: ['/?x=1'] })
  })

  it.each(['', '#', '#setup=', '#other=ABC', '#setup=<b>'])('leaves %o as it is', (hash) => {
    expect(take(hash)).toEqual({ code: '', shown: [] })
  })
})
