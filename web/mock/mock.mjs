// The mock server: what answers each operation of the server's OpenAPI document
// that the dashboard uses. An answer that is not as the document describes it
// becomes a 500, so the mock cannot drift from the server.

import { createServer } from 'node:http'

import * as answers from './answers.mjs'
import { check, find, operations, success } from './document.mjs'
import { event, listed } from './people.mjs'
import { settings } from './settings.mjs'
import { serveFile } from './static.mjs'

const PASSWORD = 'correct horse'
const SETUP_CODE = 'MOCK'
const RECENT = 100
const MINUTE = 60_000
const TICK = 200

// Every account is this one; a browser that signed in has the cookie.
const ada = { id: 'u1', email: 'ada@example.org', name: 'Ada Lovelace', admin: false, second_factor: false }
const COOKIE = 'mock=in'

const counters = { state: 'complete', percent: 100 }
const limits = { limit_key: '', limit_ip: '', quota: 0, over: 'refuse', sample: 10 }
const rules = { strip_slash: false, lower_case: false, rules: [] }
const bots = { bot_events: 'keep', bot_agents: [], not_bot_agents: [] }
const projects = [
  { id: 'demo', name: 'Demo shop', timezone: 'Europe/Berlin', role: 'admin', retention_days: 0, ...limits, ...bots, address_filters: [], counters, sites: [], url_rules: rules },
  { id: 'api', name: 'Orders API', timezone: 'Asia/Kolkata', role: 'viewer', retention_days: 0, ...limits, ...bots, counters, sites: [], url_rules: rules },
]

const SHARE_PASSWORD = 'a long password'
const secretOf = (share) => `wl_${share.id.toUpperCase()}`
const newShare = (id, more) => ({
  id, what: 'overview', password: false, origins: [], created_at: new Date().toISOString(), created_by: { id: ada.id, email: ada.email }, ...more,
})

const fail = (status, code, message) => Object.assign(new Error(message), { status, code })

/** What the server behind the API knows, and its answers by operation. */
function backend({ scenario, rate }) {
  const user = { ...ada, admin: scenario === 'server', second_factor: scenario === 'server' }
  const about = settings({ scenario, user, projects })
  let lacking = scenario === 'required' // the second factor that is asked of everybody
  const minutes = new Map()
  const recent = []
  const shares = [
    newShare('mock', { password: scenario === 'share-password', origins: ['blog.example'], last_used_at: new Date().toISOString() }),
    newShare('live', { what: 'live', ends_at: '2099-01-01T00:00:00Z' }),
  ]
  // The reader's link, and whether they gave its password.
  const linkOf = ({ token }) => {
    const [secret, pass] = token.split('.')
    const share = shares.find((s) => secretOf(s) === secret)
    if (!share) throw fail(401, 'unauthorized', 'this shared link has ended, or never was')
    return { share, open: !share.password || pass === 'pass' }
  }
  let setUp = scenario !== 'setup'
  if (scenario !== 'empty') {
    for (let i = 60; i > 0; i--) recent.unshift(event(Date.now() - i * 900, scenario === 'calls'))
  }
  const callsOnly = (project) => scenario === 'calls' || project === 'api'
  const quiet = () => scenario === 'empty' && recent.length === 0
  const visitors = () => (quiet() ? 0 : 37 + Math.round(6 * Math.sin(Date.now() / 9000)))
  const numbers = (answer) => (request) => {
    if (scenario === 'error') throw fail(503, 'unavailable', 'The cold tier does not answer.')
    return answer(request)
  }
  const enter = ({ body, res }) => {
    if (!setUp && body.code !== SETUP_CODE) throw fail(401, 'unauthorized', 'This is neither the set-up code that the server printed when it last started nor the admin token.')
    if (setUp && body.password !== PASSWORD) throw fail(401, 'unauthorized', 'The email or the password is wrong.')
    if (scenario === 'factor' && !body.code) throw fail(401, 'second_factor', 'This account takes a code of its second factor.')
    setUp = true
    res.setHeader('Set-Cookie', `${COOKIE}; Path=/; HttpOnly; SameSite=Lax`)
    return { user, setup_required: false }
  }

  return {
    visitors,
    /** Whether a token is that of a reader who may ask an operation. */
    reads: (token, id) => ['stats-overview', 'stats-trend', 'query', 'live'].includes(id) && linkOf({ token }).open,
    /** An event happens now. */
    happen() {
      const now = Date.now()
      const made = event(now, scenario === 'calls')
      const minute = now - (now % MINUTE)
      minutes.set(minute, (minutes.get(minute) ?? answers.rangeTrend('minute', new Map(), rate).data.at(-1).count) + 1)
      recent.unshift(made)
      recent.length = Math.min(recent.length, RECENT)
      return made
    },
    strangers: {
      'get-session': ({ signedIn }) => ({
        user: signedIn ? user : null,
        setup_required: !setUp,
        ...(scenario.startsWith('provider') ? { provider: 'Example Inc.', no_passwords: scenario === 'provider-only' } : {}),
      }),
      'set-up': enter,
      'log-in': enter,
      'get-invitation': () => ({
        email: user.email,
        admin: false,
        project: projects[0].name,
        role: 'editor',
        account: scenario === 'invitation-account',
      }),
      'accept-invitation': enter,
      'forgotten-password': () => {},
      'get-shared': (request) => {
        const { share, open } = linkOf(request)
        const { id, name, timezone } = projects[0]
        return { what: share.what, password: share.password, ...(open ? { project: { id, name, timezone } } : {}) }
      },
      'open-share': (request) => {
        if (request.body.password !== SHARE_PASSWORD) throw fail(401, 'unauthorized', 'wrong password')
        return { token: `${secretOf(linkOf(request).share)}.pass`, expires_at: new Date(Date.now() + 24 * 60 * MINUTE).toISOString() }
      },
      'reset-password': () => {},
    },
    users: {
      'log-out': ({ res }) => void res.setHeader('Set-Cookie', `${COOKIE}; Path=/; Max-Age=0`),
      'list-projects': () => {
        if (lacking) throw fail(403, 'second_factor', 'this server asks for a second factor: set one up first, with POST /api/v1/account/totp')
        return { projects: scenario === 'none' ? [] : projects }
      },
      'list-shares': ({ host }) => ({ shares: shares.map((s) => ({ ...s, url: `http://${host}/share/${secretOf(s)}` })) }),
      'create-share': ({ body, host }) => {
        const made = newShare(`new${shares.length}`, { ...body, password: Boolean(body.password) })
        shares.unshift(made)
        return { ...made, url: `http://${host}/share/${secretOf(made)}` }
      },
      'end-share': ({ params }) => {
        const at = shares.findIndex((s) => s.id === params.share)
        if (at < 0) throw fail(404, 'not_found', 'no such shared link')
        shares.splice(at, 1)
      },
      'stats-overview': numbers(({ params }) => (quiet() ? answers.nothing() : answers.overview(visitors(), callsOnly(params.id)))),
      'stats-trend': numbers(({ url }) => {
        const trend = answers.rangeTrend(url.searchParams.get('range') ?? 'day', minutes, rate)
        if (quiet()) for (const point of trend.data) point.count = 0
        return trend
      }),
      'list-events': numbers(({ url }) => {
        const events = recent.slice(0, Number(url.searchParams.get('limit') ?? 50)).map(listed)
        return { events, ...answers.about() }
      }),
      ...about,
      'confirm-totp': () => {
        lacking = false
        return about['confirm-totp']()
      },
      query: numbers(({ body, params }) => answers.insight(body, callsOnly(params.id))),
    },
  }
}

async function readBody(req) {
  let text = ''
  for await (const chunk of req) text += chunk
  return text ? JSON.parse(text) : {}
}

/**
 * A mock server that is yet to listen. `change` may change each answer, so that a
 * test can see a wrong one being found.
 */
export function createMock({ scenario = 'site', rate = 5, change = (_id, answer) => answer } = {}) {
  const behind = backend({ scenario, rate })
  const { strangers, users } = behind
  const unknown = [...Object.keys(strangers), ...Object.keys(users)].filter((id) => !operations.includes(id))
  if (unknown.length > 0) throw new Error(`openapi.json has no ${unknown.join(', ')}`)
  const streams = new Set()
  let live

  const send = (name, data) => {
    if (live) check(live, 200, [{ event: name, data }], 'text/event-stream')
    for (const res of streams) res.write(`event: ${name}\ndata: ${JSON.stringify(data)}\n\n`)
  }

  function openStream(operation, res) {
    if (scenario === 'error' || scenario === 'stale') throw fail(503, 'unavailable', 'No stream.')
    live = operation
    res.writeHead(200, { 'Content-Type': 'text/event-stream', 'Cache-Control': 'no-store' })
    streams.add(res)
    res.on('close', () => streams.delete(res))
    send('presence', { live_visitors: behind.visitors() })
  }

  /** Answers a request for the API; what cannot be answered is thrown. */
  async function serve({ operation, params }, url, req, res) {
    const token = /^Bearer (wl_.*)/.exec(req.headers.authorization ?? '')?.[1] ?? ''
    const signedIn = token ? behind.reads(token, operation.id) : (req.headers.cookie?.includes(COOKIE) ?? false)
    if (!signedIn && !strangers[operation.id]) throw fail(401, 'unauthorized', 'Sign in first.')
    if (operation.id === 'live') return openStream(operation, res)
    const handler = strangers[operation.id] ?? users[operation.id]
    if (!handler) throw fail(404, 'not_found', 'The mock server does not answer this.')
    const body = await readBody(req)
    const answer = change(operation.id, handler({ url, params, body, signedIn, token, host: req.headers.host, res }))
    const status = success(operation)
    check(operation, status, answer)
    res.writeHead(status, { 'Content-Type': 'application/json' }).end(answer && JSON.stringify(answer))
  }

  const server = createServer(async (req, res) => {
    const url = new URL(req.url, 'http://mock')
    const found = find(req.method, url.pathname)
    if (!found && !url.pathname.startsWith('/api/')) return serveFile(url.pathname, res)
    try {
      if (!found) throw fail(404, 'not_found', 'There is no such call.')
      await serve(found, url, req, res)
    } catch (err) {
      const { status = 500, code = 'internal', message } = err
      if (status === 500) console.error(message)
      const body = { error: { code, message } }
      if (found) check(found.operation, status, body)
      res.writeHead(status, { 'Content-Type': 'application/json' }).end(JSON.stringify(body))
    }
  })

  let owed = 0
  const timers = [
    setInterval(() => {
      owed += (rate * TICK * (0.4 + Math.random() * 1.2)) / 1000
      for (; owed >= 1; owed--) send('received', { events: [behind.happen()], count: 1 })
    }, TICK),
    setInterval(() => {
      send('presence', { live_visitors: behind.visitors() })
      send('saved', { events: rate, as_of: new Date().toISOString() })
    }, 1000),
  ]
  server.on('close', () => timers.forEach(clearInterval))
  return server
}
