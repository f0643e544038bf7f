import { useQuery } from '@tanstack/react-query'
import { useEffect, useId, useRef } from 'react'

import { eventQuery } from '../api/stats'
import type { EventRow } from '../api/types'
import type { Format } from '../format'
import { useFormat } from '../formatContext'
import { m } from '../messages'
import { IconButton } from '../ui/Button'
import { useProject } from './useProject'

/** All that is known of one event, in a panel at the side. */
export function EventDrawer({ event, onClose }: { event: EventRow; onClose(): void }) {
  const { id } = useProject()
  const format = useFormat()
  const title = useId()
  const dialog = useRef<HTMLDialogElement>(null)
  // The stream's events lack what is known only once they are stored.
  const { data } = useQuery({ ...eventQuery(id, event), enabled: event.duration_ms === undefined })
  const shown = data ?? event

  useEffect(() => dialog.current!.showModal(), [])

  return (
    // oxlint-disable-next-line jsx-a11y/click-events-have-key-events, jsx-a11y/no-noninteractive-element-interactions -- Escape closes it too
    <dialog
      ref={dialog}
      aria-labelledby={title}
      onClose={onClose}
      onClick={(e) => e.target === dialog.current && dialog.current.close()}
      className="drawer m-0 ml-auto h-dvh max-h-none w-full max-w-[30rem] animate-drawer-in bg-surface text-ink shadow-pop"
    >
      <div className="flex min-h-full flex-col p-5">
        <header className="mb-4 flex items-center justify-between gap-3">
          <h2 id={title} className="truncate text-lg font-semibold tracking-tight">
            {shown.name}
          </h2>
          <IconButton icon="close" label={m.close} onClick={() => dialog.current!.close()} />
        </header>
        <dl className="grid grid-cols-[7rem_1fr] gap-x-3 text-sm">
          {facts(shown, format).map(([name, value]) => (
            <div key={name} className="col-span-2 grid grid-cols-subgrid border-t border-line py-1.5">
              <dt className="text-muted">{name}</dt>
              <dd className="break-words tabular-nums">{value}</dd>
            </div>
          ))}
        </dl>
        <h3 className="mt-5 mb-2 text-sm font-medium">{m.detail.properties}</h3>
        <Properties of={shown} />
      </div>
    </dialog>
  )
}

function Properties({ of: event }: { of: EventRow }) {
  if (!event.properties || Object.keys(event.properties).length === 0) {
    return <p className="text-sm text-muted">{m.detail.noProperties}</p>
  }
  return (
    // oxlint-disable-next-line jsx-a11y/no-noninteractive-tabindex -- it scrolls, so the keyboard must reach it
    <pre tabIndex={0} className="overflow-x-auto rounded-lg bg-sunken p-3 font-mono text-[0.8125rem] leading-5">
      {JSON.stringify(event.properties, null, 2)}
    </pre>
  )
}

const words = (...parts: (string | undefined)[]) => parts.filter(Boolean).join(' ')

const size = (bytes: number | undefined, format: Format) => (bytes === undefined ? undefined : m.detail.bytes(format.number(bytes)))

/** What is known, by name; unknown fields are left out. */
function facts(e: EventRow, format: Format): [string, string][] {
  const { call } = e
  const place = [e.city, e.region, e.country && format.country(e.country)].filter(Boolean).join(', ')
  const all: [string, string | undefined][] = [
    [m.detail.time, format.full(e.ts)],
    [m.detail.path, e.path && (e.origin ?? '') + e.path],
    [m.detail.title, e.title],
    [m.detail.call, call && words(call.method, call.route)],
    [m.detail.status, call?.status ? String(call.status) : undefined],
    [m.detail.latency, call?.latency_ms !== undefined ? format.duration(call.latency_ms) : undefined],
    [m.detail.error, call?.error],
    [m.detail.requestSize, size(call?.request_bytes, format)],
    [m.detail.responseSize, size(call?.response_bytes, format)],
    [m.detail.trace, call?.trace_id],
    [m.detail.consumer, call?.consumer],
    [m.detail.duration, e.duration_ms === undefined ? undefined : format.duration(e.duration_ms)],
    [m.detail.referrer, e.referrer],
    [m.detail.channel, e.channel],
    [m.detail.place, place],
    [m.detail.language, e.language],
    [m.detail.browser, words(e.browser, e.browser_version)],
    [m.detail.os, words(e.os, e.os_version)],
    [m.detail.deviceType, e.device_type],
    [m.detail.bot, e.bot ? m.detail.yes : undefined],
    [m.detail.profile, e.profile_id],
    [m.detail.device, e.device_id],
    [m.detail.visit, e.session_id],
    [m.detail.library, e.library],
    [m.detail.id, e.id],
  ]
  return all.filter((fact): fact is [string, string] => Boolean(fact[1]))
}
