import type { ReactNode } from 'react'

import { useFormat } from '../formatContext'

export interface Bar {
  key: string
  name: ReactNode
  /** What a pointer's rest on the row tells. */
  title: string
  value: number
  /** Stands where the share would. */
  note?: ReactNode
}

/** A ranked list; each row's bar is its share of the largest. */
export function Bars({ bars, share }: { bars: Bar[]; share?: number }) {
  const format = useFormat()
  const largest = Math.max(1, ...bars.map((b) => b.value))
  return (
    <ol className="grid grid-cols-1 gap-1.5">
      {bars.map((bar) => (
        <li key={bar.key} title={bar.title} className="relative flex h-7.5 items-center gap-3 px-2 text-sm">
          <span
            aria-hidden="true"
            className="absolute inset-y-0 left-0 rounded-md bg-soft transition-[width] duration-500"
            style={{ width: `${Math.max(1, (bar.value / largest) * 100)}%` }}
          />
          <span className="relative min-w-0 flex-1 truncate">{bar.name}</span>
          <span className="relative font-medium tabular-nums">{format.compact(bar.value)}</span>
          {(share !== undefined || bar.note !== undefined) && (
            <span className="relative w-12 text-right text-xs text-muted tabular-nums">
              {bar.note ?? (share ? format.percent(bar.value / share) : '')}
            </span>
          )}
        </li>
      ))}
    </ol>
  )
}
