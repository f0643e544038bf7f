import { queryOptions } from '@tanstack/react-query'

import { request } from './client'
import type { Project, Session } from './types'

export const sessionQuery = queryOptions({
  queryKey: ['session'],
  queryFn: ({ signal }) => request<Session>('/api/v1/session', { signal }),
  staleTime: Infinity,
})

export const projectsQuery = queryOptions({
  queryKey: ['projects'],
  queryFn: async ({ signal }) => {
    const answer = await request<{ projects: Project[] | null }>('/api/v1/projects', { signal })
    return answer.projects ?? []
  },
  staleTime: 60_000,
})

export const logIn = (body: { email: string; password: string }) =>
  request<unknown>('/api/v1/login', { method: 'POST', body })

export const setUp = (body: { code: string; email: string; name: string; password: string }) =>
  request<unknown>('/api/v1/setup', { method: 'POST', body })

export const logOut = () => request<unknown>('/api/v1/logout', { method: 'POST' })
