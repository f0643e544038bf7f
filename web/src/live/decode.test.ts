import { describe, expect, it } from 'vitest'

import { decodePresence, decodeReceived, decodeSaved } from './decode'

const event = { id: 'a', name: 'screen_view', ts: '2026-11-21T12:00:00Z' }

describe('decodeReceived', () => {
  it('reads a single event', () => {
    expect(decodeReceived(JSON.stringify(event))).toEqual({ events: [event], count: 1 })
  })

  it('reads a group whose count exceeds the events it names', () => {
    const got = decodeReceived(JSON.stringify({ events: [event], count: 400 }))
    expect(got).toEqual({ events: [event], count: 400 })
  })

  it('counts the events when the group has no count', () => {
    expect(decodeReceived(JSON.stringify({ events: [event, event] })).count).toBe(2)
  })

  it('leaves out members that are no events', () => {
    expect(decodeReceived(JSON.stringify({ events: [event, null, { id: 1 }] })).events).toEqual([event])
  })

  it.each(['', 'null', '[]', '7', '{', '{"events":7}'])('takes %j for nothing', (data) => {
    expect(decodeReceived(data)).toEqual({ events: [], count: 0 })
  })
})

describe('decodePresence and decodeSaved', () => {
  it('read their one field', () => {
    expect(decodePresence('{"live_visitors":12}')).toBe(12)
    expect(decodeSaved('{"events":3,"as_of":"2026-11-21T12:00:00Z"}')).toBe('2026-11-21T12:00:00Z')
  })

  it('are undefined for anything else', () => {
    expect(decodePresence('{"live_visitors":"12"}')).toBeUndefined()
    expect(decodeSaved('nonsense')).toBeUndefined()
  })
})
