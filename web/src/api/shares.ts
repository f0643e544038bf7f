import { queryOptions } from '@tanstack/react-query'

import { answer, api, readAs, type Schemas } from './client'

export type Share = Schemas['ShareBody']
export type Shared = Schemas['SharedBody']

export const sharesQuery = (id: string) =>
  queryOptions({
    queryKey: ['project', id, 'shares'],
    queryFn: async ({ signal }) =>
      (await answer(api.GET('/api/v1/projects/{id}/shares', { params: { path: { id } }, signal }))).shares,
  })

export const createShare = (id: string, body: Schemas['CreateShareInputBody']) =>
  answer(api.POST('/api/v1/projects/{id}/shares', { params: { path: { id } }, body }))

export const endShare = (id: string, share: string) =>
  answer(api.DELETE('/api/v1/projects/{id}/shares/{share}', { params: { path: { id, share } } }))

export const SHARED = 'shared'

/** How often a reader looks whether the link has ended, milliseconds. */
const LOOK_MS = 60_000

/** What the link shows that this page reads; asked as its reader. */
export const sharedQuery = (secret: string) =>
  queryOptions({
    queryKey: [SHARED, secret],
    queryFn: ({ signal }) => {
      readAs(passOf(secret) ?? secret)
      return answer(api.GET('/api/v1/share', { signal }))
    },
    refetchInterval: LOOK_MS,
  })

/** Gives the link's password. From then on the page asks with the pass that it got for it. */
export async function openShare(secret: string, password: string) {
  readAs(secret)
  const { token } = await answer(api.POST('/api/v1/share/open', { body: { password } }))
  keepPass(token)
  readAs(token)
}

// A tab keeps one pass, so that it does not ask for the password at each load. No cookie: a frame on another site may have none.
const KEY = 'weir.pass'
let kept: string | undefined

/** The pass that the tab has for a link: it begins with the link's secret. */
function passOf(secret: string): string | undefined {
  let pass = kept
  try {
    pass ??= sessionStorage.getItem(KEY) ?? undefined
  } catch {
    // Storage may be forbidden; then the pass lasts until the page is left.
  }
  return pass?.startsWith(`${secret}.`) ? pass : undefined
}

function keepPass(pass: string) {
  kept = pass
  try {
    sessionStorage.setItem(KEY, pass)
  } catch {
    // See passOf.
  }
}
