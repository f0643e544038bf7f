import { expect, it } from 'vitest'

import { takeFailure } from './failure'

const take = (said: string | null, base = '') => {
  const shown: unknown[] = []
  const page = { querySelector: () => (said === null ? null : { getAttribute: () => said }) } as unknown as Document
  return { said: takeFailure(page, { replaceState: (_, __, url) => shown.push(url) }, base), shown }
}

it('takes why the sign-in failed, and the provider’s code out of the address', () => {
  expect(take('no such account')).toEqual({ said: 'no such account', shown: ['/sign-in-failed'] })
  expect(take('no such account', '/stats').shown).toEqual(['/stats/sign-in-failed'])
})

it('leaves other pages as they are', () => {
  expect(take(null)).toEqual({ said: '', shown: [] })
})
