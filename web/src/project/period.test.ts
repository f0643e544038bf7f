import { describe, expect, it } from 'vitest'

import { isPeriod, wordOf } from './period'

describe('wordOf', () => {
  it('names a period as the API does: today as a day, the others as times ago', () => {
    expect(wordOf).toEqual({ today: 'today', '7d': '-7d', '30d': '-30d' })
  })
})

describe('isPeriod', () => {
  it('knows the periods and nothing else', () => {
    expect([isPeriod('7d'), isPeriod('8d'), isPeriod(7)]).toEqual([true, false, false])
  })
})
