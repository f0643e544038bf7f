import { queryOptions } from '@tanstack/react-query'

import { projectPath, request } from './client'
import type { EventRow, EventsPage, Overview, Range, RangeTrend } from './types'

/** How many events the list of recent ones holds. */
export const RECENT = 50

export const overviewQuery = (project: string) =>
  queryOptions({
    queryKey: ['project', project, 'overview'],
    queryFn: ({ signal }) => request<Overview>(projectPath(project, 'stats/overview'), { signal }),
  })

export const rangeQuery = (project: string, range: Range) =>
  queryOptions({
    queryKey: ['project', project, 'range', range],
    queryFn: ({ signal }) =>
      request<RangeTrend>(projectPath(project, `stats/trend?range=${range}`), { signal }),
  })

export const recentQuery = (project: string) =>
  queryOptions({
    queryKey: ['project', project, 'recent'],
    queryFn: async ({ signal }) => {
      const page = await request<EventsPage>(projectPath(project, `events?limit=${RECENT}`), { signal })
      return page.events ?? []
    },
  })

/**
 * One event in full. The API has no call for one, so this asks for those of its
 * name in the millisecond that it happened in; null when it is not among them.
 */
export const eventQuery = (project: string, event: EventRow) =>
  queryOptions({
    queryKey: ['project', project, 'event', event.id],
    queryFn: async ({ signal }) => {
      const search = new URLSearchParams({
        from: event.ts,
        to: new Date(Date.parse(event.ts) + 1).toISOString(),
        name: event.name,
        limit: '100',
      })
      const page = await request<EventsPage>(projectPath(project, `events?${search}`), { signal })
      return page.events?.find((e) => e.id === event.id) ?? null
    },
    staleTime: Infinity,
  })
