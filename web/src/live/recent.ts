import type { EventRow } from '../api/types'

/** An event of the stream, and when it came in (milliseconds since 1970). */
export interface Streamed {
  at: number
  event: EventRow
}

/** An event may come in just before an answer that was made before it; milliseconds. */
const OVERLAP = 2000

/**
 * The latest events: those that came in since the fetch, newest first, before
 * those fetched. An event that is in both is shown with the fetched fields, of
 * which there are more.
 */
export function mergeRecent(
  streamed: Streamed[],
  fetched: EventRow[],
  fetchedAt: number,
  limit: number,
): EventRow[] {
  const full = new Map(fetched.map((e) => [e.id, e]))
  const fresh = streamed.filter((s) => s.at >= fetchedAt - OVERLAP).map((s) => s.event)
  const rows = new Map<string, EventRow>()
  for (const e of [...fresh, ...fetched]) {
    if (rows.size === limit) break
    if (!rows.has(e.id)) rows.set(e.id, full.get(e.id) ?? e)
  }
  return [...rows.values()]
}
