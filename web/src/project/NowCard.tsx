import { useQuery, type UseQueryResult } from '@tanstack/react-query'
import { useMemo, useState } from 'react'

import { rangeQuery } from '../api/stats'
import type { Overview, Range } from '../api/types'
import { pace, useLive } from '../live/Live'
import { lastHour } from '../live/minutes'
import { m } from '../messages'
import { Failure, Freshness } from '../ui/Answer'
import { Card } from '../ui/Card'
import { Segmented } from '../ui/Segmented'
import { Skeleton } from '../ui/Skeleton'
import { Figures } from './Figures'
import { LiveState } from './LiveState'
import { RangeChart } from './RangeChart'
import { useProject } from './useProject'

const ranges = ['minute', 'hour', 'day'] as const
const CALM_MS = 15_000

/** What is happening now: the numbers, and the chart that moves. */
export function NowCard({ overview }: { overview: UseQueryResult<Overview> }) {
  const { id } = useProject()
  const { moment } = useLive()
  const [range, setRange] = useState<Range>('minute')
  const refetchInterval = pace(moment.state, CALM_MS)
  const minutes = useQuery({ ...rangeQuery(id, 'minute'), refetchInterval })
  const chosen = useQuery({ ...rangeQuery(id, range), refetchInterval })

  const hour = useMemo(
    () => minutes.data && lastHour(minutes.data.data, minutes.dataUpdatedAt, moment.tallies, moment.now),
    [minutes.data, minutes.dataUpdatedAt, moment.tallies, moment.now],
  )
  const points = range === 'minute' ? hour : chosen.data?.data

  return (
    <Card
      title={m.now.title}
      aside={
        <>
          <Freshness query={overview} asOf={overview.data?.as_of} />
          <LiveState failing={overview.isError} />
        </>
      }
    >
      {overview.isError && !overview.data ? (
        <Failure query={overview} />
      ) : (
        <Figures
          overview={overview.data}
          visitors={moment.visitors}
          minute={hour?.at(-1)?.count}
          moving={moment.state === 'live'}
        />
      )}
      <div className="mt-6 mb-2 flex flex-wrap items-center justify-between gap-2 border-t border-line pt-4">
        <h3 className="text-sm font-medium">
          {m.now.chart[range]}
          <span className="ml-2 font-normal text-muted">{m.now.span[range]}</span>
        </h3>
        <Segmented label={m.now.range} options={ranges} names={m.now.ranges} value={range} onChange={setRange} />
      </div>
      <div className="grid h-60 sm:h-64">
        {points && <RangeChart range={range} counts={points} />}
        {!points && (chosen.isError ? <Failure query={chosen} /> : <Skeleton className="h-full" />)}
      </div>
    </Card>
  )
}
