import { describe, expect, it } from 'vitest'

import { ApiError } from '../api/client'
import { saidOf } from './said'

const fields = ['name', 'email'] as const

describe('saidOf', () => {
  it('finds the field that a message begins with', () => {
    const error = new ApiError(400, 'invalid', 'email: not an address such as ada@example.org')
    expect(saidOf(error, fields)).toEqual({ at: { email: 'Not an address such as ada@example.org' }, rest: null })
  })

  it('finds the fields whose places are listed', () => {
    const error = new ApiError(400, 'invalid', 'validation failed: expected length >= 1 (body.name)', [
      { location: 'body.name', message: 'expected length >= 1' },
      { location: 'body.more', message: 'unexpected property' },
    ])
    expect(saidOf(error, fields)).toEqual({ at: { name: 'Expected length >= 1' }, rest: null })
  })

  it('knows the form’s names for the server’s', () => {
    const error = new ApiError(403, 'forbidden', 'old: this is not your password')
    expect(saidOf(error, fields, { old: 'name' }).at).toEqual({ name: 'This is not your password' })
  })

  it('leaves the rest to the form', () => {
    for (const error of [
      new ApiError(409, 'conflict', 'there is a second factor already: remove it first'),
      new ApiError(503, 'unavailable', 'name: 1'),
      new ApiError(0, 'unreachable', 'name: 1'),
      null,
    ]) {
      expect(saidOf(error, fields)).toEqual({ at: {}, rest: error })
    }
  })

  it('puts all that is said of one field there', () => {
    const error = new ApiError(409, 'conflict', 'site "a" is another project’s')
    expect(saidOf(error, ['sites'])).toEqual({ at: { sites: 'Site "a" is another project’s' }, rest: null })
  })
})
