import { expect, it } from 'vitest'

import { ApiError } from '../../api/client'
import { faultsOfRules } from './rules'

it('finds the rule whose place is listed', () => {
  const error = new ApiError(400, 'invalid', 'validation failed: expected length >= 1 (body.url_rules.rules[1].from)', [
    { location: 'body.url_rules.rules[1].from', message: 'expected length >= 1' },
    { location: 'body.url_rules.rules[1].to', message: 'expected length >= 1' },
  ])
  expect(faultsOfRules(error)).toEqual({ at: { 1: { from: 'Expected length >= 1', to: 'Expected length >= 1' } }, rest: null })
})

it('leaves the rest to the form', () => {
  const error = new ApiError(403, 'forbidden', 'this takes the role admin in the project')
  expect(faultsOfRules(error)).toEqual({ at: {}, rest: error })
  expect(faultsOfRules(null)).toEqual({ at: {}, rest: null })
})
