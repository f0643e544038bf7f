import { expect, it } from 'vitest'

import { groupsOf } from './groups'

const trend = (...groups: [string | null, number][]) => ({
  as_of: '',
  series: groups.map(([breakdown, total]) => ({ math: 'total', breakdown, total, points: [] })),
})

it('ranks groups and leaves other at the end', () => {
  expect(groupsOf(trend(['a', 1], ['other', 90], ['b', 5])).map((g) => g.value)).toEqual(['b', 'a', 'other'])
})

it('takes no value for a group of its own', () => {
  expect(groupsOf(trend([null, 4]))).toEqual([{ value: '', total: 4 }])
})

it('leaves out empty groups, and is empty without series', () => {
  expect(groupsOf(trend(['a', 0]))).toEqual([])
  expect(groupsOf({ as_of: '', series: null })).toEqual([])
})
