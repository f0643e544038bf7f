import { expect, it } from 'vitest'

import { answer, api, UNREACHABLE } from './client'

/** A call that a fetch of the test's answers. */
const call = (fetch: (request: Request) => Promise<Response>) =>
  answer(api.GET('/api/v1/projects/{id}', { params: { path: { id: 'a/b' } }, baseUrl: 'http://weir', fetch }))

const json = (status: number, body: unknown) => async () => Response.json(body, { status })

it('asks with the cookie, under the escaped id, and returns the JSON', async () => {
  let asked: Request | undefined
  const got = await call(async (request) => {
    asked = request
    return Response.json({ id: 'a/b' })
  })
  expect(got).toEqual({ id: 'a/b' })
  expect(asked).toMatchObject({ url: 'http://weir/api/v1/projects/a%2Fb', method: 'GET', credentials: 'same-origin' })
  expect(asked?.headers.get('Accept')).toBe('application/json')
})

it('returns nothing where the answer has no body', async () => {
  expect(await call(async () => new Response(null, { status: 204 }))).toBeUndefined()
})

it('throws what the server says of a failure', async () => {
  const body = { error: { code: 'conflict', message: 'taken' } }
  await expect(call(json(409, body))).rejects.toMatchObject({ status: 409, code: 'conflict', message: 'taken' })
})

it('throws a failure that is not of the server too', async () => {
  const got = call(async () => new Response('<h1>', { status: 502, statusText: 'Bad Gateway' }))
  await expect(got).rejects.toMatchObject({ status: 502, code: 'unknown', message: '502 Bad Gateway' })
})

it('tells when no answer came', async () => {
  const got = call(() => Promise.reject(new TypeError('connection refused')))
  await expect(got).rejects.toMatchObject({ status: UNREACHABLE, code: 'unreachable' })
})

it('takes a call that was given up for no failure', async () => {
  const got = call(() => Promise.reject(new DOMException('', 'AbortError')))
  await expect(got).rejects.toMatchObject({ name: 'AbortError' })
})
