import type { ReactNode } from 'react'

import type { Overview } from '../api/types'
import { useFormat } from '../formatContext'
import { m } from '../messages'
import { Skeleton } from '../ui/Skeleton'
import { LiveDot } from './LiveDot'

interface Props {
  /** Undefined until it has come. */
  overview: Overview | undefined
  /** The stream's number, which is newer than the overview's. */
  visitors: number | undefined
  minute: number | undefined
  moving: boolean
}

/** The numbers of this moment. */
export function Figures({ overview, visitors, minute, moving }: Props) {
  const format = useFormat()
  const number = (n: number | undefined) => (n === undefined ? undefined : format.number(n))
  const live = visitors ?? overview?.live_visitors
  const rate = overview?.success_rate
  const against = (what: 'calls' | 'events') => {
    const before = overview?.yesterday?.[what]
    if (!overview || !before) return undefined
    return {
      text: m.now.against(format.change(overview.today[what] / before - 1)),
      title: m.now.againstTitle(format.number(before), format.number(overview.last_week[what])),
    }
  }
  return (
    <dl className="grid grid-cols-2 gap-x-4 gap-y-5 sm:grid-cols-3 lg:grid-cols-5 lg:gap-x-0 lg:divide-x lg:divide-line">
      <Figure
        name={m.now.visitors}
        hint={m.now.visitorsHint(format.compact(overview?.today.visitors ?? 0), format.compact(overview?.today.bots ?? 0))}
        value={number(live)}
        className="text-accent max-sm:col-span-2 lg:pl-0"
        dot={<LiveDot moving={moving && (live ?? 0) > 0} />}
      />
      <Figure name={m.now.minute} hint={m.now.minuteHint} value={number(minute)} />
      <Figure
        name={m.now.events}
        hint={m.now.eventsHint(format.compact(overview?.current_hour.events ?? 0))}
        against={against('events')}
        value={number(overview?.today.events)}
      />
      <Figure
        name={m.now.calls}
        hint={m.now.callsHint(format.compact(overview?.current_hour.calls ?? 0))}
        against={against('calls')}
        value={number(overview?.today.calls)}
      />
      <Figure
        name={m.now.success}
        hint={m.now.successHint}
        value={overview && (rate === null || rate === undefined ? '–' : format.percent(rate))}
      />
    </dl>
  )
}

interface FigureProps {
  name: string
  hint: string
  value: string | undefined
  className?: string
  dot?: ReactNode
  /** The same of an earlier day. */
  against?: { text: string; title: string } | undefined
}

function Figure({ name, hint, value, className = '', dot, against }: FigureProps) {
  return (
    <div className={`min-w-0 lg:px-5 ${className}`}>
      <dt className="text-sm text-muted">{name}</dt>
      <dd>
        <span className="flex h-11 items-center gap-3 text-[2.125rem] leading-none font-semibold tracking-tight tabular-nums">
          {value ?? <Skeleton className="h-8 w-24" />}
          {value !== undefined && dot}
        </span>
        <span className="block truncate text-xs text-muted">{hint}</span>
        {against && (
          <span className="block truncate text-xs text-muted tabular-nums" title={against.title}>
            {against.text}
          </span>
        )}
      </dd>
    </div>
  )
}
