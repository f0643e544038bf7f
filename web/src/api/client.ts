import createClient from 'openapi-fetch'

import type { components, paths } from './schema'

/** The answers of the API by name, as the server's OpenAPI document has them. */
export type Schemas = components['schemas']

/** What the server says of a request that failed. */
export class ApiError extends Error {
  readonly status: number
  readonly code: string
  /** More about it, depending on the code. */
  readonly details: unknown

  constructor(status: number, code: string, message: string, details?: unknown) {
    super(message)
    this.name = 'ApiError'
    this.status = status
    this.code = code
    this.details = details
  }
}

/** The status of an ApiError when no answer came at all. */
export const UNREACHABLE = 0

async function failure(res: Response): Promise<ApiError> {
  const body = (await res.json().catch(() => ({}))) as Partial<Schemas['Error']>
  return new ApiError(
    res.status,
    body.error?.code ?? 'unknown',
    body.error?.message ?? `${res.status} ${res.statusText}`,
    body.error?.details,
  )
}

/** The path below which the server is, "" for the root. The server says it in the page's <base>. */
export const base =
  typeof document === 'undefined' ? '' : (document.querySelector('base')?.getAttribute('href') ?? '/').replace(/\/$/, '')

/** The API. Its calls throw an ApiError unless they succeed. */
export const api = createClient<paths>({ baseUrl: base, headers: { Accept: 'application/json' }, credentials: 'same-origin' })

let reader: string | undefined

/** From now on all calls are those of a reader of a shared link, who sends this token, whoever else is signed in. */
export function readAs(token: string) {
  reader = token
}

/** The token of the reader of a shared link, if the page shows one. */
export const readerToken = () => reader

api.use({
  onRequest({ request }) {
    if (reader) request.headers.set('Authorization', `Bearer ${reader}`)
  },
  async onResponse({ response }) {
    if (!response.ok) throw await failure(response)
  },
  onError({ error }) {
    if (error instanceof DOMException && error.name === 'AbortError') return
    return new ApiError(UNREACHABLE, 'unreachable', String(error))
  },
})

/** What a call of the API answers. */
export async function answer<T>(call: Promise<{ data?: T }>): Promise<T> {
  const { data } = await call
  return data as T // whatever did not succeed was thrown
}
