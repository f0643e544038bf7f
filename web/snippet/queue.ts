/** An event as POST /v1/events takes it. */
export type Sent = Record<string, unknown>

/** Events that wait at most; the oldest go first. */
const MOST = 100
/** Attempts by the clock. After them the next event, or the page's end, is the next attempt. */
const TRIES = 6
/** Milliseconds in which events gather. Single-page apps set a view's title in that time too. */
const SOON = 100
/** Characters of a body that a browser surely sends on when its page is gone: at most 64 KiB are. */
const SMALL = 2e4

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
  let timer: ReturnType<typeof setTimeout> | undefined

  function settle(): void {
    for (const event of events) if (event.name === 'screen_view') event.title ??= document.title.slice(0, 500)
  }

  function wait(ms: number): void {
    timer ??= setTimeout(() => {
      timer = undefined
      run(flush)
    }, ms)
  }

  function put(more: Sent[]): void {
    events = more.slice(-MOST)
  }

  /** Tries again after the seconds that the server asks for, at most an hour, and no sooner than it was going to. */
  function again(batch: Sent[], seconds: number): void {
    put([...batch, ...events])
    clearTimeout(timer)
    timer = undefined
    if (tries++ < TRIES) wait(Math.max(Math.min(seconds, 3600) * 1e3, 2 ** tries * 250 * (1 + Math.random())))
  }

  function flush(going?: boolean): void {
    const batch = events
    if (!batch[0]) return
    settle()
    const to = url + Date.now()
    const body = JSON.stringify(batch)
    if (going && navigator.sendBeacon(to, body)) {
      // Nobody learns what became of a beacon. While the server is in trouble the
      // events stay too, in case the page does.
      if (!tries) events = []
      return
    }
    fetch(to, { method: 'POST', body, credentials: 'omit', keepalive: body.length < SMALL }).then(
      (answer) => {
        say(answer.status, batch)
        // 429, and what is the server's own fault, will pass.
        if (answer.status > 428) again(batch, +answer.headers.get('Retry-After')! || 0)
        else tries = 0
      },
      (error) => {
        say(error, batch)
        again(batch, 0)
      },
    )
    events = [] // but not if the page has put something in fetch's place that throws
  }

  return {
    add(event) {
      put([...events, event])
      wait(SOON)
    },
    settle,
    flush,
    clear: () => put([]),
  }
}
