import { useQuery } from '@tanstack/react-query'
import { useState } from 'react'

import { callsQuery, type CallSort, type Stretch } from '../api/insight'
import type { CallGroup } from '../api/types'
import { useFormat } from '../formatContext'
import { m } from '../messages'
import { Answer, Freshness } from '../ui/Answer'
import { Card } from '../ui/Card'
import { Segmented } from '../ui/Segmented'
import { SkeletonRows } from '../ui/Skeleton'
import { useProject } from './useProject'

const sorts = ['calls', 'errors', 'latency'] as const satisfies readonly CallSort[]
const SHOWN = 10

/** The routes of the API: how often they are called, how often they fail, how long they take. */
export function RoutesCard({ stretch }: { stretch: Stretch }) {
  const { id } = useProject()
  const format = useFormat()
  const [sort, setSort] = useState<(typeof sorts)[number]>('calls')
  const query = useQuery(callsQuery(id, stretch, sort, SHOWN))
  const totals = query.data?.totals
  if (totals?.calls === 0) return null
  return (
    <Card
      title={m.routes.title}
      note={totals && totals.calls > 0 ? m.routes.note(format.compact(totals.calls), share(format, totals.success_rate)) : undefined}
      className="lg:col-span-2 xl:col-span-4"
      aside={
        <>
          <Freshness query={query} asOf={query.data?.as_of} />
          <Segmented label={m.routes.sort} options={sorts} names={m.routes.sorts} value={sort} onChange={setSort} />
        </>
      }
    >
      <div className="flex min-h-72 flex-col">
        <Answer
          query={query}
          skeleton={<SkeletonRows rows={SHOWN} />}
        >
          {(calls) => <RouteTable groups={calls.groups} sort={sort} />}
        </Answer>
      </div>
    </Card>
  )
}

const share = (format: ReturnType<typeof useFormat>, rate: number | null) => (rate === null ? '–' : format.percent(rate))

/** What the bar behind a route's name shows: that by which the routes are sorted. */
const weight: Record<(typeof sorts)[number], (g: CallGroup) => number> = {
  calls: (g) => g.calls,
  errors: (g) => g.calls * ((g.error_rate_4xx ?? 0) + (g.error_rate_5xx ?? 0)),
  latency: (g) => g.latency_p95_ms ?? 0,
}

const number = 'w-16 py-1.5 pl-2 text-right tabular-nums lg:w-24'
const wide = `${number} hidden sm:table-cell`

function RouteTable({ groups, sort }: { groups: CallGroup[]; sort: (typeof sorts)[number] }) {
  const format = useFormat()
  const largest = Math.max(...groups.map(weight[sort]))
  const time = (ms: number | null) => (ms === null ? '–' : format.duration(ms))
  const { columns } = m.routes
  return (
    <table className="w-full table-fixed text-sm">
      <thead className="text-xs text-muted">
        <tr>
          <th scope="col" className="pb-1.5 text-left font-medium">
            {columns.route}
          </th>
          <Head name={columns.calls} className={number} />
          <Head name={columns.success} className={number} />
          <Head name={columns.p50} className={wide} />
          <Head name={columns.p95} className={wide} />
          <Head name={columns.apdex} className={wide} />
        </tr>
      </thead>
      <tbody>
        {groups.map((g) => (
          <tr key={g.other ? 'other' : `=${g.breakdown}`}>
            <td className="py-0.75 pr-2">
              <span className="relative flex h-7.5 items-center px-2" title={g.breakdown ?? undefined}>
                <span
                  aria-hidden="true"
                  className="absolute inset-y-0 left-0 rounded-md bg-soft transition-[width] duration-500"
                  style={{ width: largest > 0 ? `${Math.max(1, (weight[sort](g) / largest) * 100)}%` : 0 }}
                />
                <RouteName group={g} />
              </span>
            </td>
            <td className={`${number} font-medium`}>{format.compact(g.calls)}</td>
            <td className={`${number} ${rateColour(g.success_rate)}`}>{share(format, g.success_rate)}</td>
            <td className={`${wide} text-muted`}>{time(g.latency_p50_ms)}</td>
            <td className={wide}>{time(g.latency_p95_ms)}</td>
            <td className={`${wide} text-muted`}>{g.apdex === null ? '–' : format.score(g.apdex)}</td>
          </tr>
        ))}
      </tbody>
    </table>
  )
}

function Head({ name, className }: { name: string; className: string }) {
  return (
    <th scope="col" className={`${className} pt-0 font-medium`}>
      {name}
    </th>
  )
}

function RouteName({ group }: { group: CallGroup }) {
  const vague = group.other || group.breakdown === null
  const text = group.other ? m.other : (group.breakdown ?? m.unknown)
  return <span className={`relative truncate ${vague ? 'text-muted' : 'font-mono text-[0.8125rem]'}`}>{text}</span>
}

function rateColour(rate: number | null): string {
  if (rate === null) return 'text-muted'
  if (rate < 0.95) return 'text-bad'
  return rate < 0.99 ? 'text-warn' : ''
}
