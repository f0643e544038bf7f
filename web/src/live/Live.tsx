import { useQueryClient } from '@tanstack/react-query'
import { createContext, useContext, useEffect, useMemo, useState, useSyncExternalStore, type ReactNode } from 'react'

import { base, readerToken } from '../api/client'
import { Feed, type Moment, type StreamState } from './feed'
import { FetchedStream } from './fetched'
import type { StreamSource } from './stream'

interface Live {
  moment: Moment
  togglePause(): void
}

const LiveContext = createContext<Live | null>(null)

/** Opens the stream as the reader of a shared link, with the token that the page has then. */
const asReader: StreamSource = {
  create: (url) => new FetchedStream(url, readerToken()!),
  random: Math.random,
}

/** Gives a project's live events to the page below. Its key must be the project. */
export function LiveProvider({ project, children }: { project: string; children: ReactNode }) {
  const queries = useQueryClient()
  const [feed] = useState(() => new Feed(`${base}/api/v1/projects/${encodeURIComponent(project)}/live`, readerToken() ? asReader : undefined))
  const moment = useSyncExternalStore(feed.subscribe, feed.current)

  // What happened while there was no stream is fetched.
  useEffect(() => {
    if (moment.state !== 'live') return
    for (const what of ['overview', 'range', 'recent']) {
      void queries.invalidateQueries({ queryKey: ['project', project, what] })
    }
  }, [moment.state, project, queries])

  const live = useMemo(() => ({ moment, togglePause: feed.togglePause }), [moment, feed])
  return <LiveContext value={live}>{children}</LiveContext>
}

export function useLive(): Live {
  const live = useContext(LiveContext)
  if (!live) throw new Error('useLive outside of a LiveProvider')
  return live
}

const POLL_MS = 5000

/** How often to fetch, in milliseconds: `calm` while the stream is open, else every 5 s; not when paused. */
export function pace(state: StreamState, calm: number | false): number | false {
  if (state === 'paused') return false
  return state === 'live' ? calm : POLL_MS
}
