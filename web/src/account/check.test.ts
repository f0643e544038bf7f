import { describe, expect, it } from 'vitest'

import { checkLogin, checkSetup } from './check'

describe('checkLogin', () => {
  it('finds nothing wrong with an address and any password', () => {
    expect(checkLogin({ email: ' ada@example.org ', password: 'x' })).toEqual({})
  })

  it('names each empty field', () => {
    expect(Object.keys(checkLogin({ email: '', password: '' }))).toEqual(['email', 'password'])
  })
})

describe('checkSetup', () => {
  const good = { code: 'ABC', name: 'Ada', email: 'ada@example.org', password: '1234567890' }

  it('finds nothing wrong with a full form', () => {
    expect(checkSetup(good)).toEqual({})
  })

  it.each([
    [{ ...good, code: ' ' }, 'code'],
    [{ ...good, name: ' ' }, 'name'],
    [{ ...good, email: 'ada' }, 'email'],
    [{ ...good, password: '123456789' }, 'password'],
  ])('finds the fault of %o in %s', (filled, field) => {
    expect(Object.keys(checkSetup(filled))).toEqual([field])
  })
})
