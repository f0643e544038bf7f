import { queryOptions } from '@tanstack/react-query'

import { answer, api, type Schemas } from './client'

export const sessionQuery = queryOptions({
  queryKey: ['session'],
  queryFn: ({ signal }) => answer(api.GET('/api/v1/session', { signal })),
  staleTime: Infinity,
})

export const projectsQuery = queryOptions({
  queryKey: ['projects'],
  queryFn: async ({ signal }) => (await answer(api.GET('/api/v1/projects', { signal }))).projects,
  staleTime: 60_000,
})

export const logIn = (body: Schemas['LoginInputBody']) => answer(api.POST('/api/v1/login', { body }))

export const setUp = (body: Schemas['SetupInputBody']) => answer(api.POST('/api/v1/setup', { body }))

export const logOut = () => answer(api.POST('/api/v1/logout'))
