import { queryOptions } from '@tanstack/react-query'

import { answer, api } from './client'
import type { EventRow, Range } from './types'

/** How many events the list of recent ones holds. */
export const RECENT = 50

export const overviewQuery = (id: string) =>
  queryOptions({
    queryKey: ['project', id, 'overview'],
    queryFn: ({ signal }) =>
      answer(api.GET('/api/v1/projects/{id}/stats/overview', { params: { path: { id } }, signal })),
  })

export const rangeQuery = (id: string, range: Range) =>
  queryOptions({
    queryKey: ['project', id, 'range', range],
    queryFn: ({ signal }) =>
      answer(api.GET('/api/v1/projects/{id}/stats/trend', { params: { path: { id }, query: { range } }, signal })),
  })

export const recentQuery = (id: string) =>
  queryOptions({
    queryKey: ['project', id, 'recent'],
    queryFn: async ({ signal }) => {
      const params = { path: { id }, query: { limit: RECENT } }
      return (await answer(api.GET('/api/v1/projects/{id}/events', { params, signal }))).events
    },
  })

/**
 * One event in full. The API has no call for one, so this asks for those of its
 * name in the millisecond that it happened in; null when it is not among them.
 */
export const eventQuery = (id: string, event: EventRow) =>
  queryOptions({
    queryKey: ['project', id, 'event', event.id],
    queryFn: async ({ signal }) => {
      const to = new Date(Date.parse(event.ts) + 1).toISOString()
      const params = { path: { id }, query: { from: event.ts, to, name: event.name, limit: 100 } }
      const page = await answer(api.GET('/api/v1/projects/{id}/events', { params, signal }))
      return page.events.find((e) => e.id === event.id) ?? null
    },
    staleTime: Infinity,
  })
