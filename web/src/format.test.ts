import { describe, expect, it } from 'vitest'

import { makeFormat } from './format'

describe('makeFormat', () => {
  const kolkata = makeFormat('Asia/Kolkata', 'en-GB')

  it('shows times in the project’s timezone', () => {
    expect(kolkata.clock('2026-11-20T20:00:05Z')).toBe('01:30:05')
    expect(kolkata.date('2026-11-20T20:00:05Z')).toBe('2026-11-21')
  })

  it('counts midnight as 00, not 24', () => {
    expect(makeFormat('UTC', 'en-US').minute('2026-11-20T00:07:00Z')).toBe('00:07')
  })

  it('shortens large numbers', () => {
    expect(kolkata.compact(1_234_567)).toBe('1.2M')
    expect(kolkata.number(1_234_567)).toBe('1,234,567')
  })

  it('signs a change, but not a change of nothing', () => {
    expect(kolkata.change(0.124)).toBe('+12.4%')
    expect(kolkata.change(0)).toBe('0%')
  })

  it.each([
    [84.4, '84ms'],
    [1234, '1.2s'],
    [60_000, '1m'],
    [200_000, '3m 20s'],
  ])('writes %d ms as a duration', (value, want) => {
    expect(kolkata.duration(value)).toBe(want)
  })

  it('names countries and leaves anything else alone', () => {
    expect(kolkata.country('DE')).toBe('Germany')
    expect(kolkata.country('other')).toBe('other')
  })
})
