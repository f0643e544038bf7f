import { expect, it } from 'vitest'

import { groupsOf, saysAnything } from './groups'

const series = (breakdown: string | null, total: number | null, other?: true) => ({
  event: '',
  math: 'total' as const,
  breakdown,
  total,
  points: [],
  ...(other ? { other } : {}),
})

const trend = (...lines: ReturnType<typeof series>[]) => ({ as_of: '', kind: 'trend' as const, cached: false, elapsed_ms: 0, series: lines })

it('ranks groups and leaves all others at the end', () => {
  const got = groupsOf(trend(series('a', 1), series('other', 90, true), series('b', 5)))
  expect(got.map((g) => g.value)).toEqual(['b', 'a', 'other'])
})

it('does not take a value of that name for all others', () => {
  expect(groupsOf(trend(series('a', 1), series('other', 90)))[0]).toEqual({ value: 'other', other: false, total: 90 })
})

it('takes no value for a group of its own', () => {
  expect(groupsOf(trend(series(null, 4)))).toEqual([{ value: null, other: false, total: 4 }])
})

it('leaves out empty groups, and is empty without series', () => {
  expect(groupsOf(trend(series('a', 0), series('b', null)))).toEqual([])
  expect(groupsOf(trend())).toEqual([])
})

it('tells a column that nothing is known of', () => {
  expect(saysAnything(trend(series(null, 4)))).toBe(false)
  expect(saysAnything(trend())).toBe(false)
  expect(saysAnything(trend(series(null, 4), series('a', 1)))).toBe(true)
})
