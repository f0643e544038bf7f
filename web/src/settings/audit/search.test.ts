import { describe, expect, it } from 'vitest'

import { auditSearch, withFilter } from './search'

describe('auditSearch', () => {
  it('takes what the log can be asked', () => {
    const search = { from: '2026-11-01', to: '2026-11-03', user: 'u1', act: 'key', refused: 'true', cursor: 'abc' } as const
    expect(auditSearch({ ...search, refused: true })).toEqual(search)
    expect(auditSearch(search)).toEqual(search)
  })

  it('leaves out what it cannot', () => {
    expect(auditSearch({ from: 'today', to: 1, user: '', act: {}, refused: 'maybe', more: 'x' })).toEqual({})
  })
})

it('begins at the newest entry when a filter changes', () => {
  expect(withFilter({ act: 'key', user: 'u1', cursor: 'abc' }, 'act', 'member')).toEqual({ act: 'member', user: 'u1' })
  expect(withFilter({ act: 'key', cursor: 'abc' }, 'act', '')).toEqual({})
})
