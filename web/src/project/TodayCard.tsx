import type { UseQueryResult } from '@tanstack/react-query'
import { useState } from 'react'

import type { Overview } from '../api/types'
import type { Format } from '../format'
import { useFormat } from '../formatContext'
import { m } from '../messages'
import { Answer, Freshness } from '../ui/Answer'
import { Bars, type Bar } from '../ui/Bars'
import { Card } from '../ui/Card'
import { Segmented } from '../ui/Segmented'
import { SkeletonRows } from '../ui/Skeleton'
import { useProject } from './useProject'

const views = ['hot', 'failing', 'consumers'] as const
type View = (typeof views)[number]

const SHOWN = 10

/** Today's calls: by route, the routes that fail, and who calls. */
export function TodayCard({ query }: { query: UseQueryResult<Overview> }) {
  const format = useFormat()
  const { role } = useProject()
  const [view, setView] = useState<View>('hot')
  const options = role === 'reader' ? views.filter((v) => v !== 'consumers') : views
  return (
    <Card
      title={m.today.title}
      aside={
        <>
          <Freshness query={query} asOf={query.data?.as_of} />
          <Segmented label={m.today.title} options={options} names={m.today.views} value={view} onChange={setView} />
        </>
      }
    >
      <Answer
        query={query}
        skeleton={<SkeletonRows rows={SHOWN} />}
        empty={{ when: (overview) => barsOf(overview, view, format).length === 0, text: m.today.empty[view] }}
      >
        {(overview) => <Bars share={overview.today.calls} bars={barsOf(overview, view, format)} />}
      </Answer>
    </Card>
  )
}

function barsOf(overview: Overview, view: View, format: Format): Bar[] {
  switch (view) {
    case 'hot':
      return overview.hot_apis.slice(0, SHOWN).map(({ api, calls }) => bar(api, calls))
    case 'failing':
      return overview.error_apis.slice(0, SHOWN).map(({ api, calls, errors, error_rate }) => ({
        key: api,
        name: <Name text={api} />,
        title: m.today.failing(api, format.number(errors), format.number(calls)),
        value: errors,
        note: <span className="text-bad">{format.percent(error_rate)}</span>,
      }))
    case 'consumers':
      return overview.top_consumers.slice(0, SHOWN).map(({ consumer, calls }) => bar(consumer, calls))
  }
}

const bar = (name: string, value: number): Bar => ({ key: name, name: <Name text={name} />, title: name, value })

function Name({ text }: { text: string }) {
  return <span className="font-mono text-[0.8125rem]">{text}</span>
}
