import { keepPreviousData, queryOptions } from '@tanstack/react-query'

import { answer, api } from './client'
import type { AnswerOf, Condition, Question } from './types'

/** The stretch of time asked about, in a word of the API that says where it ends too. */
export interface Stretch {
  from: string
  filter: Condition[]
}

const REFRESH_MS = 60_000

/** A question of any kind, asked again every minute. */
export function insightQuery<K extends Question['kind']>(id: string, body: Question & { kind: K }) {
  return queryOptions({
    queryKey: ['project', id, 'insight', body],
    queryFn: async ({ signal }) => {
      const asked = api.POST('/api/v1/projects/{id}/query', { params: { path: { id } }, body, signal })
      return (await answer(asked)) as AnswerOf<K>
    },
    placeholderData: keepPreviousData,
    refetchInterval: REFRESH_MS,
    staleTime: REFRESH_MS / 2,
  })
}

/** Events and people over time, beside the stretch before. */
export const growthQuery = (project: string, stretch: Stretch, interval: 'hour' | 'day') =>
  insightQuery(project, {
    kind: 'trend',
    ...stretch,
    interval,
    series: [{ math: 'total' }, { math: 'unique' }],
    compare: 'previous',
  })

export const pagesQuery = (project: string, stretch: Stretch, limit: number) =>
  insightQuery(project, { kind: 'pages', ...stretch, limit })

/** Totals by a column. Only they are read, so the interval is the widest. */
export const breakdownQuery = (
  project: string,
  stretch: Stretch,
  column: string,
  limit: number,
  event?: string,
) =>
  insightQuery(project, {
    kind: 'trend',
    ...stretch,
    interval: 'month',
    series: [event ? { event, math: 'total' } : { math: 'total' }],
    breakdown: column,
    limit,
  })

export type CallSort = NonNullable<Extract<Question, { kind: 'calls' }>['sort']>

/** The routes of an API, the first by the sort before the others. */
export const callsQuery = (project: string, stretch: Stretch, sort: CallSort, limit: number) =>
  insightQuery(project, { kind: 'calls', ...stretch, breakdown: 'route', sort, limit })
