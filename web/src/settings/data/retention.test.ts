import { expect, it } from 'vitest'

import { keepsLess } from './RetentionCard'

it.each([
  [30, 0, true],
  [30, 90, true],
  [90, 30, false],
  [30, 30, false],
  [0, 30, false],
  [0, 0, false],
  [Number.NaN, 30, false],
])('%d days after %d delete events: %s', (days, before, less) => {
  expect(keepsLess(days, before)).toBe(less)
})
