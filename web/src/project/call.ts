import type { Call, EventRow } from '../api/types'

/** The call that an event tells of, from a list's row or the stream's; undefined when it tells of none. */
export function callOf(e: EventRow): Call | undefined {
  if (e.call) return e.call
  if (e.method === undefined && e.route === undefined && !e.status) return undefined
  const { method, route, status, latency_ms } = e
  return {
    ...(method === undefined ? {} : { method }),
    ...(route === undefined ? {} : { route }),
    ...(status === undefined ? {} : { status }),
    ...(latency_ms === undefined ? {} : { latency_ms }),
  }
}

/** The colour of an HTTP status: 2xx good, 4xx odd, 5xx bad. */
export function statusColour(status: number): string {
  if (status >= 500) return 'text-bad'
  if (status >= 400) return 'text-warn'
  return status >= 200 && status < 300 ? 'text-good' : 'text-muted'
}
