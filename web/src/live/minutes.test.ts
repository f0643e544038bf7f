import { describe, expect, it } from 'vitest'

import { Tallies, lastHour } from './minutes'

const noon = Date.parse('2026-11-21T12:00:00Z')
const at = (offset: number) => new Date(noon + offset).toISOString()
const event = (ts: string) => ({ id: ts, name: 'x', ts, received_at: ts })

describe('Tallies', () => {
  it('counts an event in the minute that it happened in', () => {
    const tallies = new Tallies()
    tallies.add({ events: [event(at(-61_000))], count: 1 }, noon + 5)
    expect(tallies.recent(noon)).toEqual([{ at: noon, minute: noon - 120_000, count: 1 }])
  })

  it('counts events in the current minute when none is named', () => {
    const tallies = new Tallies()
    tallies.add({ events: [], count: 40 }, noon + 20)
    expect(tallies.recent(noon)).toEqual([{ at: noon, minute: noon, count: 40 }])
  })

  it('takes the named events of a large group for a sample of it', () => {
    const tallies = new Tallies()
    tallies.add({ events: [event(at(-61_000)), event(at(10))], count: 41 }, noon + 20)
    expect(tallies.recent(noon)).toEqual([
      { at: noon, minute: noon - 120_000, count: 20 },
      { at: noon, minute: noon, count: 21 },
    ])
  })

  it('stays small under thousands of events', () => {
    const tallies = new Tallies()
    for (let i = 0; i < 5000; i++) tallies.add({ events: [event(at(i / 10))], count: 1 }, noon + i / 10)
    expect(tallies.recent(noon + 500)).toHaveLength(5)
  })

  it('forgets after two minutes', () => {
    const tallies = new Tallies()
    tallies.add({ events: [], count: 3 }, noon)
    expect(tallies.recent(noon + 120_001)).toEqual([])
  })
})

describe('lastHour', () => {
  it('is 60 minutes that end with the current one, zeros filled', () => {
    const got = lastHour([], 0, [], noon + 30_000)
    expect(got).toHaveLength(60)
    expect(got[0]).toEqual({ time: at(-59 * 60_000), count: 0 })
    expect(got[59]).toEqual({ time: at(0), count: 0 })
  })

  it('adds what came in after the fetch, and only that', () => {
    const fetched = [{ time: '2026-11-21T13:00:00+01:00', count: 10 }]
    const tallies = [
      { at: noon + 1000, minute: noon, count: 5 },
      { at: noon + 3000, minute: noon, count: 2 },
    ]
    expect(lastHour(fetched, noon + 2000, tallies, noon + 4000)[59]!.count).toBe(12)
  })

  it('moves on when the minute turns, without another fetch', () => {
    const got = lastHour([{ time: at(0), count: 10 }], noon, [], noon + 61_000)
    expect(got.slice(-2).map((c) => c.count)).toEqual([10, 0])
  })
})
