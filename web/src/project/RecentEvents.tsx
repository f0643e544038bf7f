import type { UseQueryResult } from '@tanstack/react-query'
import { useMemo, useState } from 'react'

import { RECENT } from '../api/stats'
import type { EventRow } from '../api/types'
import { useFormat } from '../formatContext'
import { useLive } from '../live/Live'
import { mergeRecent } from '../live/recent'
import { m } from '../messages'
import { Answer, Freshness } from '../ui/Answer'
import { Button } from '../ui/Button'
import { Card } from '../ui/Card'
import { SkeletonRows } from '../ui/Skeleton'
import { EventDrawer } from './EventDrawer'
import { EventTable } from './EventTable'

/** The latest events. They come in live, but not under a pointer or the keyboard's focus. */
export function RecentEvents({ query }: { query: UseQueryResult<EventRow[]> }) {
  const format = useFormat()
  const { moment } = useLive()
  const [held, setHeld] = useState<EventRow[]>()
  const [chosen, setChosen] = useState<EventRow>()

  const rows = useMemo(
    () => mergeRecent(moment.streamed, query.data ?? [], query.dataUpdatedAt, RECENT),
    [moment.streamed, query.data, query.dataUpdatedAt],
  )
  const waiting = held ? newer(rows, held) : 0

  return (
    <Card
      title={m.recent.title}
      className="lg:col-span-2"
      aside={
        <>
          {waiting > 0 && (
            <Button onClick={() => setHeld(undefined)} className="tabular-nums">
              {m.recent.held(waiting < RECENT ? format.number(waiting) : `${RECENT}+`)}
            </Button>
          )}
          {moment.savedAt && moment.state === 'live' ? (
            <span className="text-xs whitespace-nowrap text-muted tabular-nums">
              {m.recent.saved(format.clock(moment.savedAt))}
            </span>
          ) : (
            <Freshness query={query} />
          )}
        </>
      }
    >
      <div
        className="-mx-4 flex h-[26rem] flex-col sm:-mx-5"
        onPointerEnter={(e) => e.pointerType === 'mouse' && setHeld(rows)}
        onPointerLeave={() => setHeld(undefined)}
        onFocus={() => setHeld((before) => before ?? rows)}
        onBlur={() => setHeld(undefined)}
      >
        <Answer
          query={query}
          skeleton={
            <div className="px-4 sm:px-5">
              <SkeletonRows rows={11} />
            </div>
          }
          empty={{ when: () => rows.length === 0, text: m.recent.empty }}
        >
          {() => <EventTable rows={held ?? rows} live={moment.streamed} today={format.date(moment.now)} onChoose={setChosen} />}
        </Answer>
      </div>
      {chosen && <EventDrawer event={chosen} onClose={() => setChosen(undefined)} />}
    </Card>
  )
}

/** How many rows came in after those that are held. */
function newer(rows: EventRow[], held: EventRow[]): number {
  const first = held[0]
  const at = first ? rows.findIndex((r) => r.id === first.id) : rows.length
  return at < 0 ? RECENT : at
}
