import { expect, it } from 'vitest'

import { mergeRecent } from './recent'

const e = (id: string, path?: string) => ({ id, name: 'x', ts: '', received_at: '', ...(path ? { path } : {}) })
const s = (id: string, at = 5000) => ({ at, event: e(id) })

it('puts streamed events before fetched ones', () => {
  expect(mergeRecent([s('c'), s('b')], [e('a')], 0, 9).map((r) => r.id)).toEqual(['c', 'b', 'a'])
})

it('shows an event once, with the fetched fields', () => {
  expect(mergeRecent([s('b'), s('a')], [e('a', '/x')], 0, 9)).toEqual([e('b'), e('a', '/x')])
})

it('keeps to the limit', () => {
  expect(mergeRecent([s('c'), s('b')], [e('a')], 0, 2).map((r) => r.id)).toEqual(['c', 'b'])
})

it('leaves out what came in well before the fetch, but not what came in with it', () => {
  expect(mergeRecent([s('c', 9500), s('b', 5000)], [e('a')], 10_000, 9).map((r) => r.id)).toEqual(['c', 'a'])
})
