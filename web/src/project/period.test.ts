import { describe, expect, it } from 'vitest'

import { makeFormat } from '../format'
import { daysOf, isPeriod } from './period'

describe('daysOf', () => {
  it('counts today as one of the days', () => {
    expect(daysOf('30d', Date.parse('2026-11-21T12:00:00Z'), makeFormat('UTC'))).toEqual({
      from: '2026-10-23',
      to: '2026-11-21',
    })
  })

  it('takes today from the project’s timezone', () => {
    expect(daysOf('today', Date.parse('2026-11-21T20:00:00Z'), makeFormat('Asia/Tokyo'))).toEqual({
      from: '2026-11-22',
      to: '2026-11-22',
    })
  })

  it('is not moved by a clock set back', () => {
    expect(daysOf('7d', Date.parse('2026-10-26T12:00:00Z'), makeFormat('Europe/Berlin')).from).toBe('2026-10-20')
  })
})

describe('isPeriod', () => {
  it('knows the periods and nothing else', () => {
    expect([isPeriod('7d'), isPeriod('8d'), isPeriod(7)]).toEqual([true, false, false])
  })
})
