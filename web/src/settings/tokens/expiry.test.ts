import { expect, it } from 'vitest'

import { expiryAfter, isOver } from './expiry'

const now = Date.parse('2026-11-03T12:00:00Z')

it('ends a token after days', () => {
  expect(expiryAfter('7', now)).toBe('2026-11-10T12:00:00.000Z')
  expect(expiryAfter('', now)).toBeUndefined()
})

it('sees that a token has ended', () => {
  expect(isOver('2026-11-03T12:00:00Z', now)).toBe(true)
  expect(isOver('2026-11-03T12:00:01Z', now)).toBe(false)
  expect(isOver(undefined, now)).toBe(false)
})
