import { queryOptions } from '@tanstack/react-query'

import { answer, api, type Schemas } from '../api/client'

export type Role = Schemas['MemberBody']['role']
export type Token = Schemas['TokenBody']
export type Scope = Token['scopes'][number]
export type WriteKey = Schemas['KeyBody']
export type Account = Schemas['AccountBody']
export type Invitation = Schemas['InvitationBody']
export type NewLink = Pick<Schemas['NewInvitationBody'], 'url' | 'mailed'>

const path = (id: string) => ({ path: { id } })

export const loginsQuery = queryOptions({
  queryKey: ['logins'],
  queryFn: async ({ signal }) => (await answer(api.GET('/api/v1/account/sessions', { signal }))).sessions,
})

/** The tokens of a project; without one, your own. */
export const tokensQuery = (project?: string) =>
  queryOptions({
    queryKey: project ? ['project', project, 'tokens'] : ['tokens'],
    queryFn: async ({ signal }) => {
      const asked = project
        ? api.GET('/api/v1/projects/{id}/tokens', { params: path(project), signal })
        : api.GET('/api/v1/tokens', { signal })
      return (await answer<Schemas['TokensOutputBody']>(asked)).tokens
    },
  })

export const membersQuery = (id: string) =>
  queryOptions({
    queryKey: ['project', id, 'members'],
    queryFn: async ({ signal }) => (await answer(api.GET('/api/v1/projects/{id}/members', { params: path(id), signal }))).members,
  })

/** The open invitations to a project; without one, those of administrators of the server. */
export const invitationsQuery = (project?: string) =>
  queryOptions({
    queryKey: project ? ['project', project, 'invitations'] : ['invitations'],
    queryFn: async ({ signal }) => {
      const asked = project
        ? api.GET('/api/v1/projects/{id}/invitations', { params: path(project), signal })
        : api.GET('/api/admin/invitations', { signal })
      return (await answer<Schemas['InvitationsOutputBody']>(asked)).invitations
    },
  })

export const keysQuery = (id: string) =>
  queryOptions({
    queryKey: ['project', id, 'keys'],
    queryFn: async ({ signal }) => (await answer(api.GET('/api/v1/projects/{id}/keys', { params: path(id), signal }))).keys,
  })

export const usageQuery = (id: string) =>
  queryOptions({
    queryKey: ['project', id, 'usage'],
    queryFn: ({ signal }) => answer(api.GET('/api/v1/projects/{id}/usage', { params: path(id), signal })),
  })

export const usersQuery = queryOptions({
  queryKey: ['users'],
  queryFn: async ({ signal }) => (await answer(api.GET('/api/admin/users', { signal }))).users,
})

export const adminsQuery = queryOptions({
  queryKey: ['admins'],
  queryFn: async ({ signal }) => (await answer(api.GET('/api/v1/admins', { signal }))).admins,
})

export const signInQuery = queryOptions({
  queryKey: ['sign-in'],
  queryFn: ({ signal }) => answer(api.GET('/api/admin/sign-in', { signal })),
})

export const deletionsQuery = queryOptions({
  queryKey: ['deletions'],
  queryFn: async ({ signal }) => (await answer(api.GET('/api/v1/project-deletions', { signal }))).deletions,
})

export const changeProject = (id: string, body: Schemas['ChangeInputBody']) =>
  answer(api.PATCH('/api/v1/projects/{id}', { params: path(id), body }))
