import { describe, expect, it } from 'vitest'

import { stepOf } from './invitation'

const offer = { email: 'ada@example.org', admin: false, project: 'Shop', role: 'viewer' as const, account: false }
const user = { id: 'u1', email: 'Ada@example.org', name: 'Ada', admin: false, second_factor: false }
const nobody = { user: null, setup_required: false }

describe('stepOf', () => {
  it('lets who is new make an account', () => {
    expect(stepOf(offer, nobody)).toBe('create')
    expect(stepOf(offer, { ...nobody, provider: 'Example Inc.' })).toBe('create')
  })

  it('lets who has an account sign in first, then accept', () => {
    expect(stepOf({ ...offer, account: true }, nobody)).toBe('sign in')
    expect(stepOf({ ...offer, account: true }, { ...nobody, user })).toBe('accept')
  })

  it('goes by the provider where there are no passwords', () => {
    const session = { ...nobody, provider: 'Example Inc.', no_passwords: true }
    expect(stepOf(offer, session)).toBe('provider')
    expect(stepOf({ ...offer, account: true }, session)).toBe('provider')
  })

  it('gives nobody what somebody else was offered', () => {
    expect(stepOf(offer, { ...nobody, user: { ...user, email: 'eve@example.org' } })).toBe('sign out')
  })
})
