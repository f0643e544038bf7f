import { describe, expect, it } from 'vitest'

import { growthOf } from './growth'

const series = {
  event: '',
  math: 'total' as const,
  total: 30,
  points: [
    { time: '2026-11-21T10:00:00Z', value: 10 },
    { time: '2026-11-21T11:00:00Z', value: 20 },
    { time: '2026-11-21T12:00:00Z', value: 0 },
  ],
}
const now = Date.parse('2026-11-21T11:30:00Z')

describe('growthOf', () => {
  it('draws nothing for hours that have not begun', () => {
    expect(growthOf(series, now).points.map((p) => p.value)).toEqual([10, 20, null])
  })

  it('knows the hour that is still growing', () => {
    expect(growthOf(series, now).open).toBe(1)
  })

  it('puts the stretch before beside it, bucket by bucket', () => {
    const compare = { from: '', to: '', total: 7, points: [{ time: '2026-11-20T10:00:00Z', value: 7 }] }
    const got = growthOf({ ...series, compare }, now)
    expect(got.before).toBe(7)
    expect(got.points.map((p) => p.before)).toEqual([7, undefined, undefined])
  })

  it('draws no stretch before in which nothing happened', () => {
    const compare = { from: '', to: '', total: 0, points: [{ time: '2026-11-20T10:00:00Z', value: 0 }] }
    const got = growthOf({ ...series, compare }, now)
    expect(got.before).toBeUndefined()
    expect(got.points[0]).not.toHaveProperty('before')
  })
})
