import type { UseQueryResult } from '@tanstack/react-query'

import type { Overview } from '../api/types'
import { m } from '../messages'
import { Answer, Freshness } from '../ui/Answer'
import { Bars } from '../ui/Bars'
import { Card } from '../ui/Card'
import { SkeletonRows } from '../ui/Skeleton'

const SHOWN = 10

/** The routes that are called most today. */
export function HotApis({ query }: { query: UseQueryResult<Overview> }) {
  return (
    <Card title={m.hot.title} aside={<Freshness query={query} asOf={query.data?.as_of} />}>
      <Answer
        query={query}
        skeleton={<SkeletonRows rows={SHOWN} />}
        empty={{ when: (overview) => !overview.hot_apis?.length, text: m.hot.empty }}
      >
        {(overview) => (
          <Bars
            share={overview.today.calls}
            bars={(overview.hot_apis ?? []).slice(0, SHOWN).map(({ api, calls }) => ({
              key: api,
              name: <span className="font-mono text-[0.8125rem]">{api}</span>,
              title: api,
              value: calls,
            }))}
          />
        )}
      </Answer>
    </Card>
  )
}
