import { RECENT } from '../api/stats'
import { Tallies, type Tally } from './minutes'
import type { Streamed } from './recent'
import { openStream, type StreamSource } from './stream'

/** Whether the stream is being opened, open, down (retried), or not wanted. */
export type StreamState = 'connecting' | 'live' | 'down' | 'paused'

/** The feed at one tick. A new object each time, so that React sees the change. */
export interface Moment {
  state: StreamState
  /** Milliseconds since 1970. */
  now: number
  tallies: Tally[]
  /** Newest first. */
  streamed: Streamed[]
  /** Undefined until the stream has said. */
  visitors: number | undefined
  /** Up to when events are in the cold tier (RFC 3339); undefined until the stream has said. */
  savedAt: string | undefined
}

const TICK = 1000

/**
 * One project's live events. Messages only add to buffers; the page hears of
 * them once a second, in an animation frame, however many there were. The
 * stream is open while somebody looks: there is a subscriber, the page is
 * visible and the user has not paused.
 */
export class Feed {
  private readonly url: string
  private readonly source: StreamSource | undefined
  private readonly listeners = new Set<() => void>()
  private tallies = new Tallies()
  private streamed: Streamed[] = []
  private visitors: number | undefined
  private savedAt: string | undefined
  private state: StreamState = 'connecting'
  private wanted = true
  private end: (() => void) | undefined
  private timer: ReturnType<typeof setInterval> | undefined
  private frame = 0
  private moment: Moment

  constructor(url: string, source?: StreamSource) {
    this.url = url
    this.source = source
    this.moment = this.look()
  }

  readonly subscribe = (listener: () => void): (() => void) => {
    this.listeners.add(listener)
    if (this.listeners.size === 1) {
      document.addEventListener('visibilitychange', this.follow)
      this.follow()
    }
    return () => {
      this.listeners.delete(listener)
      if (this.listeners.size === 0) {
        document.removeEventListener('visibilitychange', this.follow)
        this.follow()
      }
    }
  }

  readonly current = (): Moment => this.moment

  readonly togglePause = (): void => {
    this.wanted = !this.wanted
    this.follow()
    this.publish()
  }

  /** Opens or closes the stream, whichever is due. */
  private readonly follow = (): void => {
    const due = this.wanted && this.listeners.size > 0 && !document.hidden
    if (due && !this.end) this.start()
    if (!due && this.end) this.stop()
  }

  private start(): void {
    this.state = 'connecting'
    this.end = openStream(
      this.url,
      {
        open: () => this.become('live'),
        lost: () => this.become('down'),
        received: (arrival) => {
          const now = Date.now()
          this.tallies.add(arrival, now)
          for (const event of arrival.events) this.streamed.unshift({ at: now, event })
          this.streamed.length = Math.min(this.streamed.length, RECENT)
        },
        presence: (visitors) => {
          this.visitors = visitors
        },
        saved: (asOf) => {
          this.savedAt = asOf
        },
      },
      this.source,
    )
    this.timer = setInterval(() => {
      cancelAnimationFrame(this.frame)
      this.frame = requestAnimationFrame(this.publish)
    }, TICK)
  }

  private stop(): void {
    this.end?.()
    this.end = undefined
    clearInterval(this.timer)
    cancelAnimationFrame(this.frame)
    this.visitors = undefined
    this.state = this.wanted ? 'connecting' : 'paused'
  }

  private become(state: StreamState): void {
    if (state === 'down') this.visitors = undefined
    this.state = state
    this.publish()
  }

  private readonly publish = (): void => {
    this.moment = this.look()
    for (const listener of this.listeners) listener()
  }

  private look(): Moment {
    const now = Date.now()
    return {
      state: this.state,
      now,
      tallies: [...this.tallies.recent(now)],
      streamed: [...this.streamed],
      visitors: this.visitors,
      savedAt: this.savedAt,
    }
  }
}
