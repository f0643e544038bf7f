import type { Count, EventRow } from '../api/types'
import type { Arrival } from './decode'

const MINUTE = 60_000
const WINDOW = 60

/** How finely arrivals are told apart, milliseconds. */
const SLOT = 100

/** How long arrivals are kept for counts that have not been fetched since. */
const KEPT = 120_000

/** Events of one minute that came in at about the same time. */
export interface Tally {
  /** When they came in, milliseconds since 1970. */
  at: number
  /** The start of the minute that they happened in, milliseconds since 1970. */
  minute: number
  count: number
}

const minuteOf = (ms: number) => ms - (ms % MINUTE)

/** Remembers how many events came in lately, and for which minute. */
export class Tallies {
  private list: Tally[] = []

  add(arrival: Arrival, now: number): void {
    const at = now - (now % SLOT)
    const { events, count } = arrival
    if (events.length === 0) {
      this.bump(at, minuteOf(now), count)
      return
    }
    // Each named event stands for as many; the last one for the rest.
    const each = Math.floor(count / events.length)
    for (const event of events) this.bump(at, happened(event, now), each)
    this.bump(at, happened(events.at(-1)!, now), count - each * events.length)
  }

  /** What came in within the last two minutes, oldest first. */
  recent(now: number): Tally[] {
    const first = this.list.findIndex((t) => t.at > now - KEPT)
    this.list = first < 0 ? [] : this.list.slice(first)
    return this.list
  }

  private bump(at: number, minute: number, count: number): void {
    if (count === 0) return
    for (let i = this.list.length - 1; i >= 0 && this.list[i]!.at === at; i--) {
      if (this.list[i]!.minute === minute) {
        this.list[i]!.count += count
        return
      }
    }
    this.list.push({ at, minute, count })
  }
}

function happened(event: EventRow, now: number): number {
  const ts = Date.parse(event.ts)
  return minuteOf(Number.isNaN(ts) ? now : ts)
}

/**
 * The last 60 minutes up to now: the fetched counts, plus what came in after
 * they were fetched (fetchedAt, milliseconds since 1970).
 */
export function lastHour(fetched: Count[], fetchedAt: number, tallies: Tally[], now: number): Count[] {
  const counts = new Map<number, number>()
  const add = (minute: number, n: number) => counts.set(minute, (counts.get(minute) ?? 0) + n)
  for (const c of fetched) add(minuteOf(Date.parse(c.time)), c.count)
  for (const t of tallies) if (t.at >= fetchedAt) add(t.minute, t.count)
  const current = minuteOf(now)
  return Array.from({ length: WINDOW }, (_, i) => {
    const minute = current - (WINDOW - 1 - i) * MINUTE
    return { time: new Date(minute).toISOString(), count: counts.get(minute) ?? 0 }
  })
}
