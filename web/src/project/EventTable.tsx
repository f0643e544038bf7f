import { memo } from 'react'

import type { EventRow } from '../api/types'
import { useFormat } from '../formatContext'
import type { Streamed } from '../live/recent'
import { m } from '../messages'
import { statusColour } from './status'

/** How many rows at the top may slide in; more at once would only flicker. */
const SLIDING = 8

interface Props {
  rows: EventRow[]
  live: Streamed[]
  /** The project's date, 2026-11-03. */
  today: string
  onChoose(event: EventRow): void
}

const head = 'sticky top-0 z-10 bg-surface py-1.5 pr-3 text-left text-xs font-medium text-muted'
const cell = 'truncate py-1.5 pr-3'

export function EventTable({ rows, live, today, onChoose }: Props) {
  const streamed = new Set(live.map((s) => s.event.id))
  return (
    <div className="min-h-0 flex-1 overflow-y-auto">
      <table className="w-full table-fixed border-separate border-spacing-0 text-sm">
        <thead>
          <tr>
            <th scope="col" className={`${head} w-22 pl-4 sm:w-25 sm:pl-5`}>
              {m.recent.columns.time}
            </th>
            <th scope="col" className={`${head} sm:w-44`}>
              {m.recent.columns.event}
            </th>
            <th scope="col" className={`${head} hidden sm:table-cell`}>
              {m.recent.columns.path}
            </th>
            <th scope="col" className={`${head} hidden w-32 md:table-cell`}>
              {m.recent.columns.place}
            </th>
            <th scope="col" className={`${head} hidden w-36 xl:table-cell`}>
              {m.recent.columns.client}
            </th>
            <th scope="col" className={`${head} hidden w-28 md:table-cell`}>
              {m.recent.columns.who}
            </th>
          </tr>
        </thead>
        <tbody>
          {rows.map((e, i) => (
            <Row key={e.id} event={e} today={today} slides={i < SLIDING && streamed.has(e.id)} onChoose={onChoose} />
          ))}
        </tbody>
      </table>
    </div>
  )
}

interface RowProps {
  event: EventRow
  today: string
  slides: boolean
  onChoose(event: EventRow): void
}

const Row = memo(({ event: e, today, slides, onChoose }: RowProps) => {
  const format = useFormat()
  const where = e.call?.route ?? e.path ?? ''
  return (
    <tr className={`relative hover:bg-sunken [&>td]:border-t [&>td]:border-line ${slides ? 'animate-row-in' : ''}`}>
      <td className={`${cell} pl-4 text-muted tabular-nums sm:pl-5`} title={format.full(e.ts)}>
        {format.date(e.ts) === today ? format.clock(e.ts) : format.day(e.ts)}
      </td>
      <td className={cell}>
        <button
          type="button"
          onClick={() => onChoose(e)}
          aria-label={m.recent.details(e.name)}
          className="block w-full truncate text-left outline-none after:absolute after:inset-0 focus-visible:after:outline-2 focus-visible:after:-outline-offset-2 focus-visible:after:outline-accent"
        >
          <What event={e} />
        </button>
        <span className="block truncate font-mono text-xs text-muted sm:hidden">{where}</span>
      </td>
      <td className={`${cell} hidden font-mono text-[0.8125rem] sm:table-cell`} title={where}>
        {where}
      </td>
      <td className={`${cell} hidden text-muted md:table-cell`}>{e.country && format.country(e.country)}</td>
      <td className={`${cell} hidden text-muted xl:table-cell`}>{[e.browser, e.os].filter(Boolean).join(', ')}</td>
      <td className={`${cell} hidden font-mono text-xs text-muted md:table-cell`}>{e.profile_id || e.device_id}</td>
    </tr>
  )
})

/** A call by its method and status, any other event by its name. */
function What({ event: { name, call } }: { event: EventRow }) {
  if (!call) return <span className="font-medium">{name}</span>
  return (
    <span className="flex gap-2 tabular-nums">
      <span className="w-14 font-medium">{call.method}</span>
      {call.status ? <span className={`font-medium ${statusColour(call.status)}`}>{call.status}</span> : null}
      <Latency ms={call.latency_ms} />
    </span>
  )
}

function Latency({ ms }: { ms: number | undefined }) {
  const format = useFormat()
  return ms !== undefined ? <span className="text-muted">{format.duration(ms)}</span> : null
}
