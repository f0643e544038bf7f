import { expect, it } from 'vitest'

import { groupsOf, saysAnything } from './groups'

const series = (breakdown: string | null, total: number | null, other?: true) => ({
  math: 'total',
  breakdown,
  total,
  points: [],
  ...(other ? { other } : {}),
})

it('ranks groups and leaves all others at the end', () => {
  const trend = { as_of: '', series: [series('a', 1), series('other', 90, true), series('b', 5)] }
  expect(groupsOf(trend).map((g) => g.value)).toEqual(['b', 'a', 'other'])
})

it('does not take a value of that name for all others', () => {
  const trend = { as_of: '', series: [series('a', 1), series('other', 90)] }
  expect(groupsOf(trend)[0]).toEqual({ value: 'other', other: false, total: 90 })
})

it('takes no value for a group of its own', () => {
  expect(groupsOf({ as_of: '', series: [series(null, 4)] })).toEqual([{ value: null, other: false, total: 4 }])
})

it('leaves out empty groups, and is empty without series', () => {
  expect(groupsOf({ as_of: '', series: [series('a', 0), series('b', null)] })).toEqual([])
  expect(groupsOf({ as_of: '', series: null })).toEqual([])
})

it('tells a column that nothing is known of', () => {
  expect(saysAnything({ as_of: '', series: [series(null, 4)] })).toBe(false)
  expect(saysAnything({ as_of: '', series: [] })).toBe(false)
  expect(saysAnything({ as_of: '', series: [series(null, 4), series('a', 1)] })).toBe(true)
})
