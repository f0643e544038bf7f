import { queryOptions } from '@tanstack/react-query'

import { answer, api, base, type Schemas } from './client'

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

/** What an invitation offers. A link that is not good any more stays so: it is not asked again. */
export const invitationQuery = (token: string) =>
  queryOptions({
    queryKey: ['invitation', token],
    queryFn: ({ signal }) => answer(api.POST('/api/v1/invitation', { body: { token }, signal })),
    staleTime: Infinity,
    refetchOnWindowFocus: false,
    refetchOnReconnect: false,
  })

export const acceptInvitation = (body: Schemas['AcceptInputBody']) => answer(api.POST('/api/v1/invitation/accept', { body }))

export const askForReset = (body: Schemas['ForgottenBody']) => answer(api.POST('/api/v1/password/forgotten', { body }))

export const resetPassword = (body: Schemas['ResetInputBody']) => answer(api.POST('/api/v1/password/reset', { body }))

/** Where signing in with the identity provider begins. */
export const providerAddress = `${base}/api/v1/oidc/begin`
