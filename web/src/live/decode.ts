import type { EventRow, Live } from '../api/types'

/** What one message of the stream says was accepted: count exceeds events.length when the server names only some. */
export type Arrival = Live['received']

const nothing: Arrival = { events: [], count: 0 }

function parse(data: string): unknown {
  try {
    return JSON.parse(data)
  } catch {
    return undefined
  }
}

const isObject = (v: unknown): v is Record<string, unknown> =>
  typeof v === 'object' && v !== null && !Array.isArray(v)

const isEvent = (v: unknown): v is EventRow =>
  isObject(v) && typeof v.id === 'string' && typeof v.name === 'string' && typeof v.ts === 'string'

/**
 * Reads a `received` message: one event, or a group {"events":[…],"count":n}.
 * What cannot be read is nothing, so that one bad message does not end the stream.
 */
export function decodeReceived(data: string): Arrival {
  const v = parse(data)
  if (isEvent(v)) return { events: [v], count: 1 }
  if (!isObject(v)) return nothing
  const events = Array.isArray(v.events) ? v.events.filter(isEvent) : []
  const count = typeof v.count === 'number' && v.count > events.length ? v.count : events.length
  return { events, count }
}

/** Reads a `presence` message; undefined when it has no number. */
export function decodePresence(data: string): number | undefined {
  const v = parse(data)
  return isObject(v) && typeof v.live_visitors === 'number' ? v.live_visitors : undefined
}

/** Reads the time of a `saved` message; undefined when it has none. */
export function decodeSaved(data: string): string | undefined {
  const v = parse(data)
  return isObject(v) && typeof v.as_of === 'string' ? v.as_of : undefined
}
