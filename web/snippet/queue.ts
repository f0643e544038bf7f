/** An event as POST /v1/events takes it. */
export type Sent = Record<string, unknown>

/** Events that wait at most; the oldest go first. */
const MOST = 100
/** Attempts by the clock. After them the next event, or the page's end, is the next attempt. */
const TRIES = 6
/** Milliseconds in which events gather. Single-page apps set a view's title in that time too. */
const SOON = 100
/** Bytes that a browser sends on when the page is gone, in all requests under way together: 64 KiB at most. */
const ROOM = 64e3

export interface Queue {
  add(event: Sent): void
  /** Gives views their title, which is as late as it can be known. */
  settle(): void
  /** Sends what waits; when the page is going, in a way that outlives it. */
  flush(going?: boolean): void
  clear(): void
}

/**
 * Events on their way. One leaves the queue when the server has taken it or says
 * that it never will. Its id makes a second copy harmless, so whatever is in doubt
 * is sent again. url ends where the time of sending follows; run runs what must not
 * throw into the page.
 */
export function newQueue(url: string, say: (...what: unknown[]) => void, run: (f: () => void) => void): Queue {
  let events: Sent[] = []
  let tries = 0 // that failed since the last success
  let room = ROOM
  let timer: ReturnType<typeof setTimeout> | 0

  function settle(): void {
    for (const event of events) if (event.name === 'screen_view') event.title ??= document.title.slice(0, 500)
  }

  function wait(ms: number): void {
    timer ||= setTimeout(() => {
      timer = 0
      run(flush)
    }, ms)
  }

  function put(more: Sent[]): void {
    events = more.slice(-MOST)
  }

  /** Tries again after the seconds that the server asks for, if it says so in seconds, at most an hour, and no sooner than it was going to. */
  function again(batch: Sent[], seconds?: string | null): void {
    put([...batch, ...events])
    clearTimeout(timer)
    timer = 0
    if (tries++ < TRIES) wait(Math.max(Math.min(+seconds! || 0, 3600) * 1e3, 2 ** tries * 250 * (1 + Math.random())))
  }

  /**
   * Sends the first of what waits. What is too large to outlive the page goes in halves,
   * of which some may; the others go as long as the page stays.
   */
  function post(batch: Sent[]): void {
    const body = JSON.stringify(batch)
    let bytes = new Blob([body]).size
    const half = batch.length >> 1
    if (bytes > room) {
      if (half && room > 8e3) {
        post(batch.slice(0, half))
        return post(batch.slice(half))
      }
      bytes = 0
    }
    fetch(url + Date.now(), { method: 'POST', body, credentials: 'omit', keepalive: !!bytes }).then(
      (answer) => {
        room += bytes
        say(answer.status, batch)
        // 429, and what is the server's own fault, will pass.
        if (answer.status > 428) again(batch, answer.headers.get('Retry-After'))
        else tries = 0
      },
      (error) => {
        room += bytes
        say(error, batch)
        again(batch)
      },
    )
    // But not if the page has put something in fetch's place that throws.
    room -= bytes
    events = events.slice(batch.length)
  }

  function flush(going?: boolean): void {
    if (!events[0]) return
    settle()
    if (going && navigator.sendBeacon(url + Date.now(), JSON.stringify(events))) {
      // Nobody learns what became of a beacon. While the server is in trouble the
      // events stay too, in case the page does.
      if (!tries) events = []
    } else post(events)
  }

  return {
    add(event) {
      put([...events, event])
      wait(SOON)
    },
    settle,
    flush,
    clear() {
      events = []
    },
  }
}
