import { once } from 'node:events'

import { afterEach, describe, expect, it } from 'vitest'

import { find } from './document.mjs'
import { createMock } from './mock.mjs'

let server
afterEach(async () => {
  server.closeAllConnections()
  server.close()
  await once(server, 'close')
})

/** Starts a mock server; returns what asks it, signed in. */
async function start(options) {
  server = createMock(options).listen(0, '127.0.0.1')
  await once(server, 'listening')
  return (method, path, body) =>
    fetch(`http://127.0.0.1:${server.address().port}${path}`, {
      method,
      headers: { Cookie: 'mock=in' },
      ...(body ? { body: JSON.stringify(body) } : {}),
    })
}

const days = { from: '2026-11-01', to: '2026-11-20' }
const breakdowns = [
  'country', 'city', 'browser', 'os', 'device_type', 'channel', 'referrer', 'status', 'method', 'consumer', 'path',
]
const numbers = [
  ['GET', 'stats/overview'],
  ...['minute', 'hour', 'day'].map((range) => ['GET', `stats/trend?range=${range}`]),
  ['GET', 'events?limit=50'],
  ['POST', 'query', { kind: 'trend', ...days, interval: 'day', series: [{ math: 'total' }, { math: 'unique' }], compare: 'previous' }],
  ['POST', 'query', { kind: 'trend', ...days, interval: 'hour', series: [{ math: 'total' }] }],
  ...breakdowns.map((breakdown) => ['POST', 'query', { kind: 'trend', ...days, series: [{ math: 'total' }], breakdown, limit: 4 }]),
  ['POST', 'query', { kind: 'pages', ...days, limit: 10 }],
  ...['calls', 'errors', 'latency'].map((sort) => ['POST', 'query', { kind: 'calls', ...days, breakdown: 'route', sort, limit: 8 }]),
]

const settings = [
  ['GET', 'account/sessions'],
  ['DELETE', 'account/sessions/s2'],
  ['PUT', 'account/password', { old: 'a', new: 'b' }],
  ['POST', 'account/totp', { password: 'a' }],
  ['POST', 'account/totp/confirm', { code: '1' }],
  ['POST', 'account/totp/recovery-codes', { code: '1' }],
  ['POST', 'account/totp/remove', { code: '1' }],
  ...['tokens', 'projects/demo/tokens'].flatMap((at) => [['GET', at], ['POST', at, { name: 'CI', scopes: ['read'] }], ['DELETE', `${at}/t1`]]),
  ['GET', 'projects/demo/members'],
  ['PATCH', 'projects/demo/members/u2', { role: 'viewer' }],
  ['DELETE', 'projects/demo/members/u2'],
  ['GET', 'projects/demo/invitations'],
  ['POST', 'projects/demo/invitations', { email: 'a@example.org', role: 'viewer' }],
  ['DELETE', 'projects/demo/invitations/i1'],
  ['GET', '../admin/invitations'],
  ['POST', '../admin/invitations', { email: 'a@example.org' }],
  ['DELETE', '../admin/invitations/i1'],
  ['GET', '../admin/users'],
  ['PATCH', '../admin/users/u2', { active: false }],
  ['POST', '../admin/users/u2/reset'],
  ['DELETE', '../admin/users/u2/sessions'],
  ['DELETE', '../admin/users/u2/totp'],
  ['GET', 'admins'],
  ['POST', 'admins', { email: 'a@example.org' }],
  ['DELETE', 'admins/u2'],
  ['POST', 'admins/u2/owner'],
  ['GET', '../admin/sign-in'],
  ['PATCH', '../admin/sign-in', { require_second_factor: true }],
  ['GET', 'audit?act=key'],
  ['GET', 'projects/demo/audit'],
  ['GET', 'projects/demo/keys'],
  ['POST', 'projects/demo/keys', { origins: ['shop.example'] }],
  ['PATCH', 'projects/demo/keys/k1', { origins: [] }],
  ['POST', 'projects/demo/keys/k1/rotate', { overlap_seconds: 0 }],
  ['DELETE', 'projects/demo/keys/k1'],
  ['GET', 'projects/demo/usage'],
  ['PATCH', 'projects/demo', { name: 'Shop' }],
  ['DELETE', 'projects/demo', { name: 'Demo shop' }],
  ['GET', 'project-deletions'],
  ['DELETE', 'account/sessions'],
]

describe.each(['server', 'empty'])('the mock server’s settings of %s', (scenario) => {
  it('answer as the document describes them', async () => {
    const ask = await start({ scenario })
    for (const [method, at, body] of settings) {
      const answer = await ask(method, new URL(at, 'http://mock/api/v1/').pathname + (at.includes('?') ? at.slice(at.indexOf('?')) : ''), body)
      expect([method, at, answer.status, await answer.text()]).toEqual([method, at, expect.toSatisfy((s) => s < 300), expect.anything()])
    }
    expect((await ask('PATCH', '/api/v1/projects/demo', { name: '' })).status).toBe(400)
  })
})

it('asks for a second factor until there is one', async () => {
  const ask = await start({ scenario: 'required' })
  expect((await ask('GET', '/api/v1/projects')).status).toBe(403)
  expect((await ask('POST', '/api/v1/account/totp/confirm', { code: '1' })).status).toBe(200)
  expect((await ask('GET', '/api/v1/projects')).status).toBe(200)
})

// The mock server answers 500 where its answer is not as openapi.json describes it.
describe.each(['site', 'calls', 'empty', 'error', 'stale', 'setup', 'none'])('the mock server of %s', (scenario) => {
  it('answers as the document describes it', async () => {
    const ask = await start({ scenario })
    const enter = { code: 'MOCK', email: 'ada@example.org', name: 'Ada', password: 'correct horse' }
    expect((await ask('GET', '/api/v1/session')).status).toBe(200)
    expect((await ask('POST', '/api/v1/setup', enter)).status).toBe(201)
    expect((await ask('POST', '/api/v1/login', enter)).status).toBe(200)
    expect((await ask('POST', '/api/v1/login', { ...enter, password: 'x' })).status).toBe(401)
    expect((await ask('POST', '/api/v1/invitation', { token: 'MOCK' })).status).toBe(200)
    expect((await ask('POST', '/api/v1/invitation/accept', { ...enter, token: 'MOCK' })).status).toBe(200)
    expect((await ask('POST', '/api/v1/password/forgotten', enter)).status).toBe(202)
    expect((await ask('POST', '/api/v1/password/reset', { ...enter, token: 'MOCK' })).status).toBe(204)
    expect((await ask('GET', '/api/v1/projects')).status).toBe(200)
    expect((await ask('GET', '/api/v1/projects/demo/shares')).status).toBe(200)
    expect((await ask('POST', '/api/v1/projects/demo/shares', { what: 'live', origins: [] })).status).toBe(201)
    expect((await ask('DELETE', '/api/v1/projects/demo/shares/new2')).status).toBe(204)
    for (const project of ['demo', 'api']) {
      for (const [method, rest, body] of numbers) {
        const answer = await ask(method, `/api/v1/projects/${project}/${rest}`, body)
        expect([rest, body, answer.status, scenario === 'error' ? '' : await answer.json()]).toMatchObject([
          rest, body, scenario === 'error' ? 503 : 200, scenario === 'error' ? '' : {},
        ])
      }
    }
    expect((await ask('POST', '/api/v1/logout')).status).toBe(204)
  })
})

/** Asks as the reader of a shared link. */
const read = (token, method, path, body) =>
  fetch(`http://127.0.0.1:${server.address().port}${path}`, { method, headers: { Authorization: `Bearer ${token}` }, ...(body ? { body: JSON.stringify(body) } : {}) })

it('answers readers of a shared link', async () => {
  await start({ scenario: 'share-password' })
  expect(await (await read('wl_MOCK', 'GET', '/api/v1/share')).json()).toEqual({ what: 'overview', password: true })
  expect((await read('wl_MOCK', 'GET', '/api/v1/projects/demo/stats/overview')).status).toBe(401)
  expect((await read('wl_MOCK', 'POST', '/api/v1/share/open', { password: 'wrong' })).status).toBe(401)
  const { token } = await (await read('wl_MOCK', 'POST', '/api/v1/share/open', { password: 'a long password' })).json()
  expect((await read(token, 'GET', '/api/v1/projects/demo/stats/overview')).status).toBe(200)
  expect((await read(token, 'GET', '/api/v1/projects/demo/events')).status).toBe(401)
  expect((await read('wl_GONE', 'GET', '/api/v1/share')).status).toBe(401)
})

it('streams messages as the document describes them', async () => {
  const ask = await start({ rate: 100 })
  const stream = await ask('GET', '/api/v1/projects/demo/live')
  const events = ['received', 'saved', 'presence'].map((event) => `event: ${event}\n`)
  let text = ''
  for await (const chunk of stream.body.pipeThrough(new TextDecoderStream())) {
    text += chunk
    if (events.every((event) => text.includes(event))) break
  }
  expect(events.filter((event) => !text.includes(event))).toEqual([])
})

it('finds an answer that is not as the document describes it', async () => {
  const ask = await start({ change: (id, answer) => (id === 'list-projects' ? { ...answer, more: 1 } : answer) })
  const answer = await ask('GET', '/api/v1/projects')
  expect(answer.status).toBe(500)
  expect((await answer.json()).error.message).toMatch(/list-projects.*additional properties/)
})

it('has no route that the document lacks', async () => {
  const ask = await start()
  expect(find('GET', '/api/v1/projects/demo/numbers')).toBeUndefined()
  expect((await ask('GET', '/api/v1/projects/demo/numbers')).status).toBe(404)
})
