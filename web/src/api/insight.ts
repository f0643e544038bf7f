import { keepPreviousData, queryOptions } from '@tanstack/react-query'

import { projectPath, request } from './client'
import type { Calls, Condition, Pages, Trend } from './types'

/** The stretch of days asked about: bare dates, both inclusive. */
export interface Stretch {
  from: string
  to: string
  filter: Condition[]
}

const REFRESH_MS = 60_000

function insight<T>(project: string, body: Record<string, unknown>) {
  return queryOptions({
    queryKey: ['project', project, 'insight', body],
    queryFn: ({ signal }) =>
      request<T>(projectPath(project, 'query'), { method: 'POST', body, signal }),
    placeholderData: keepPreviousData,
    refetchInterval: REFRESH_MS,
    staleTime: REFRESH_MS / 2,
  })
}

/** Events and people over time, beside the stretch before. */
export const growthQuery = (project: string, stretch: Stretch, interval: 'hour' | 'day') =>
  insight<Trend>(project, {
    kind: 'trend',
    ...stretch,
    interval,
    series: [{ math: 'total' }, { math: 'unique' }],
    compare: 'previous',
  })

export const pagesQuery = (project: string, stretch: Stretch, limit: number) =>
  insight<Pages>(project, { kind: 'pages', ...stretch, limit })

/** Totals by a column. Only they are read, so the interval is the widest. */
export const breakdownQuery = (
  project: string,
  stretch: Stretch,
  column: string,
  limit: number,
  event?: string,
) =>
  insight<Trend>(project, {
    kind: 'trend',
    ...stretch,
    interval: 'month',
    series: [event ? { event, math: 'total' } : { math: 'total' }],
    breakdown: column,
    limit,
  })

export type CallSort = 'calls' | 'errors' | 'error_rate' | 'latency'

/** The routes of an API, the first by the sort before the others. */
export const callsQuery = (project: string, stretch: Stretch, sort: CallSort, limit: number) =>
  insight<Calls>(project, { kind: 'calls', ...stretch, breakdown: 'route', sort, limit })
