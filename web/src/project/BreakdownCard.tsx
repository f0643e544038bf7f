import { useQuery } from '@tanstack/react-query'
import { useState } from 'react'

import { breakdownQuery, type Stretch } from '../api/insight'
import type { Trend } from '../api/types'
import type { Format } from '../format'
import { useFormat } from '../formatContext'
import { m } from '../messages'
import { Answer, Freshness } from '../ui/Answer'
import { Bars, type Bar } from '../ui/Bars'
import { Card } from '../ui/Card'
import { Segmented } from '../ui/Segmented'
import { SkeletonRows } from '../ui/Skeleton'
import { statusColour } from './status'
import { groupsOf, isVague, keyOf, saysAnything, type Group } from './groups'
import { useProject } from './useProject'

type Column = keyof typeof m.breakdown.by

const SHOWN = 8

interface Props {
  title: string
  /** The columns to choose from, the first one first. */
  columns: readonly [Column, ...Column[]]
  stretch: Stretch
  /** Count only events of this name. */
  event?: string
  className?: string
}

/** The most frequent values of a column. */
export function BreakdownCard({ title, columns, stretch, event, className = '' }: Props) {
  const { id } = useProject()
  const format = useFormat()
  const [column, setColumn] = useState(columns[0])
  const query = useQuery(breakdownQuery(id, stretch, column, SHOWN, event))
  // A site has no calls, an API no visitors' browsers: such a card says nothing.
  if (column === columns[0] && query.data && !saysAnything(query.data)) return null
  return (
    <Card
      title={title}
      className={className}
      aside={
        <>
          <Freshness query={query} asOf={query.data?.as_of} />
          <Segmented label={title} options={columns} names={m.breakdown.by} value={column} onChange={setColumn} />
        </>
      }
    >
      <div className="flex min-h-72 flex-col">
        <Answer
          query={query}
          skeleton={<SkeletonRows rows={SHOWN} />}
          empty={{ when: (trend) => groupsOf(trend).length === 0, text: m.breakdown.empty }}
        >
          {(trend) => <Groups trend={trend} column={column} format={format} />}
        </Answer>
      </div>
    </Card>
  )
}

function Groups({ trend, column, format }: { trend: Trend; column: Column; format: Format }) {
  const groups = groupsOf(trend)
  const bars: Bar[] = groups.map((group) => ({
    key: keyOf(group),
    title: `${nameOf(column, group, format)}: ${format.number(group.total)}`,
    value: group.total,
    name: <Name column={column} group={group} text={nameOf(column, group, format)} />,
  }))
  return <Bars bars={bars} share={groups.reduce((sum, g) => sum + g.total, 0)} />
}

function nameOf(column: Column, { value, other }: Group, format: Format): string {
  if (other) return m.other
  if (value === null) return m.unknown
  return column === 'country' ? format.country(value) : value
}

function Name({ column, group, text }: { column: Column; group: Group; text: string }) {
  if (isVague(group)) return <span className="text-muted">{text}</span>
  if (column === 'status') return <span className={`font-medium tabular-nums ${statusColour(Number(text))}`}>{text}</span>
  if (column === 'consumer') return <span className="font-mono text-[0.8125rem]">{text}</span>
  return text
}
