import { useQuery } from '@tanstack/react-query'

import { breakdownQuery, pagesQuery, type Stretch } from '../api/insight'
import type { PageRow } from '../api/types'
import { useFormat } from '../formatContext'
import { m } from '../messages'
import { Answer, Freshness } from '../ui/Answer'
import { Bars } from '../ui/Bars'
import { Card } from '../ui/Card'
import { SkeletonRows } from '../ui/Skeleton'
import { groupsOf, isVague, keyOf, saysAnything, type Group } from './groups'
import { useProject } from './useProject'

const SHOWN = 8
const WIDE = 'xl:col-span-4'

/** The pages that are seen most; for a project that has only calls, the paths that are asked for most. */
export function PagesCard({ stretch }: { stretch: Stretch }) {
  const { id } = useProject()
  const format = useFormat()
  const pages = useQuery(pagesQuery(id, stretch, SHOWN))
  const hasNone = pages.data !== undefined && !pages.data.pages?.length
  if (hasNone) return <PathsCard stretch={stretch} />
  const left = pages.data?.bots_left_out
  const note = left === undefined ? undefined : m.pages.note(format.compact(left))
  return (
    <Card title={m.pages.title} note={note} className={WIDE} aside={<Freshness query={pages} asOf={pages.data?.as_of} />}>
      <div className="flex min-h-78 flex-col">
        <Answer query={pages} skeleton={<SkeletonRows rows={SHOWN} />}>
          {(answer) => <PageTable rows={answer.pages.slice(0, SHOWN)} />}
        </Answer>
      </div>
    </Card>
  )
}

function PathsCard({ stretch }: { stretch: Stretch }) {
  const { id } = useProject()
  const query = useQuery(breakdownQuery(id, stretch, 'path', SHOWN))
  if (query.data && !saysAnything(query.data)) return null
  return (
    <Card title={m.pages.pathsTitle} className={WIDE} aside={<Freshness query={query} asOf={query.data?.as_of} />}>
      <div className="flex min-h-78 flex-col">
        <Answer
          query={query}
          skeleton={<SkeletonRows rows={SHOWN} />}
          empty={{ when: (trend) => groupsOf(trend).length === 0, text: m.pages.empty }}
        >
          {(trend) => {
            const groups = groupsOf(trend)
            return (
              <Bars
                share={groups.reduce((sum, g) => sum + g.total, 0)}
                bars={groups.map((g) => ({ key: keyOf(g), title: pathOf(g), value: g.total, name: <PathName group={g} /> }))}
              />
            )
          }}
        </Answer>
      </div>
    </Card>
  )
}

function pathOf({ value, other }: Group): string {
  return other ? m.other : (value ?? m.unknown)
}

function PathName({ group }: { group: Group }) {
  return <span className={isVague(group) ? 'text-muted' : 'font-mono text-[0.8125rem]'}>{pathOf(group)}</span>
}

const number = 'w-18 py-1.5 pl-2 text-right tabular-nums'

function PageTable({ rows }: { rows: PageRow[] }) {
  const format = useFormat()
  const largest = Math.max(1, ...rows.map((r) => r.views))
  return (
    <table className="w-full table-fixed text-sm">
      <thead className="text-xs text-muted">
        <tr>
          <th scope="col" className="pb-1.5 text-left font-medium">
            {m.pages.columns.path}
          </th>
          <th scope="col" className={`${number} pt-0 font-medium`}>
            {m.pages.columns.visitors}
          </th>
          <th scope="col" className={`${number} pt-0 font-medium`}>
            {m.pages.columns.views}
          </th>
          <th scope="col" className={`${number} hidden w-24 pt-0 font-medium sm:table-cell`}>
            {m.pages.columns.time}
          </th>
          <th scope="col" className={`${number} hidden pt-0 font-medium sm:table-cell`}>
            {m.pages.columns.bounce}
          </th>
        </tr>
      </thead>
      <tbody>
        {rows.map((r) => (
          <tr key={r.path}>
            <td className="py-0.75 pr-2">
              <span className="relative flex h-7.5 items-center px-2" title={r.path}>
                <span
                  aria-hidden="true"
                  className="absolute inset-y-0 left-0 rounded-md bg-soft transition-[width] duration-500"
                  style={{ width: `${Math.max(1, (r.views / largest) * 100)}%` }}
                />
                <span className="relative truncate font-mono text-[0.8125rem]">{r.path}</span>
              </span>
            </td>
            <td className={number}>{format.compact(r.visitors)}</td>
            <td className={`${number} font-medium`}>{format.compact(r.views)}</td>
            <td className={`${number} hidden w-24 text-muted sm:table-cell`}>
              {r.page_time_ms ? format.duration(r.page_time_ms) : '–'}
            </td>
            <td className={`${number} hidden text-muted sm:table-cell`}>
              {r.bounce_rate === null ? '–' : format.percent(r.bounce_rate)}
            </td>
          </tr>
        ))}
      </tbody>
    </table>
  )
}
