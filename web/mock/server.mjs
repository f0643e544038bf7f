// A stand-in for the server, for work on the dashboard: it serves dist and
// answers the API with made-up numbers. Nothing is kept.
//
//   PORT=8080 SCENARIO=site RATE=5 node mock/server.mjs
//
// SCENARIO: site, calls (an API without pages), empty (no event until RATE > 0
// makes some), error (all numbers fail), stale (no live stream), setup (first
// run, with the code MOCK), none (no project). RATE is in events per second. Sign in with any
// address and the password "correct horse".

import { createServer } from 'node:http'

import * as answers from './answers.mjs'
import { event, listed } from './people.mjs'
import { serveFile } from './static.mjs'

const { PORT = '8080', SCENARIO = 'site' } = process.env
const RATE = Number(process.env.RATE ?? (SCENARIO === 'empty' ? 0 : 5))
const PASSWORD = 'correct horse'
const SETUP_CODE = 'MOCK'
const RECENT = 100
const MINUTE = 60_000

const projects = [
  { id: 'demo', name: 'Demo shop', timezone: 'Europe/Berlin', role: 'owner' },
  { id: 'api', name: 'Orders API', timezone: 'Asia/Kolkata', role: 'viewer' },
]
const callsOnly = (project) => SCENARIO === 'calls' || project === 'api'

// Every account is this one; a browser that signed in has the cookie.
const user = { id: 'u1', email: 'ada@example.org', name: 'Ada Lovelace' }
const COOKIE = 'mock=in'
let setUp = SCENARIO !== 'setup'
const streams = new Set()
const minutes = new Map()
const recent = []
if (SCENARIO !== 'empty') {
  for (let i = 60; i > 0; i--) recent.unshift(event(Date.now() - i * 900, SCENARIO === 'calls'))
}

const fail = (status, code, message) => Object.assign(new Error(message), { status, code })

const visitors = () => (SCENARIO === 'empty' && recent.length === 0 ? 0 : 37 + Math.round(6 * Math.sin(Date.now() / 9000)))

function numbers(project, rest, url, body) {
  if (SCENARIO === 'error') throw fail(503, 'unavailable', 'The cold tier does not answer.')
  const quiet = SCENARIO === 'empty' && recent.length === 0
  switch (rest) {
    case 'stats/overview':
      return quiet ? answers.nothing() : answers.overview(visitors(), callsOnly(project))
    case 'stats/trend': {
      const trend = answers.rangeTrend(url.searchParams.get('range'), minutes, RATE)
      if (quiet) for (const point of trend.data) point.count = 0
      return trend
    }
    case 'events':
      return { events: recent.slice(0, Number(url.searchParams.get('limit') ?? 50)).map(listed) }
    case 'query':
      return answers.insight(body, callsOnly(project))
    default:
      throw fail(404, 'not_found', 'There is no such call.')
  }
}

const signedIn = (req) => req.headers.cookie?.includes(COOKIE) ?? false

function answer(req, url, body, res) {
  const call = `${req.method} ${url.pathname}`
  if (call === 'GET /api/v1/session') return { user: signedIn(req) ? user : null, setup_required: !setUp }
  if (call === 'POST /api/v1/setup' || call === 'POST /api/v1/login') {
    if (!setUp && body.code !== SETUP_CODE) throw fail(401, 'unauthorized', 'This is neither the set-up code that the server printed when it last started nor the admin token.')
    if (setUp && body.password !== PASSWORD) throw fail(401, 'unauthorized', 'The email or the password is wrong.')
    setUp = true
    res.setHeader('Set-Cookie', `${COOKIE}; Path=/; HttpOnly; SameSite=Lax`)
    return { user }
  }
  if (!signedIn(req)) throw fail(401, 'unauthorized', 'Sign in first.')
  if (call === 'POST /api/v1/logout') {
    res.setHeader('Set-Cookie', `${COOKIE}; Path=/; Max-Age=0`)
    return {}
  }
  if (call === 'GET /api/v1/projects') return { projects: SCENARIO === 'none' ? [] : projects }
  const [, project, rest] = url.pathname.match(/^\/api\/v1\/projects\/([^/]+)\/(.+)$/) ?? []
  if (!project) throw fail(404, 'not_found', 'There is no such call.')
  return numbers(project, rest, url, body)
}

async function readBody(req) {
  let text = ''
  for await (const chunk of req) text += chunk
  return text ? JSON.parse(text) : {}
}

function openStream(req, res) {
  if (!signedIn(req)) throw fail(401, 'unauthorized', 'Sign in first.')
  if (SCENARIO === 'error' || SCENARIO === 'stale') throw fail(503, 'unavailable', 'No stream.')
  res.writeHead(200, { 'Content-Type': 'text/event-stream', 'Cache-Control': 'no-store' })
  res.write(`event: presence\ndata: ${JSON.stringify({ live_visitors: visitors() })}\n\n`)
  streams.add(res)
  res.on('close', () => streams.delete(res))
}

createServer(async (req, res) => {
  const url = new URL(req.url, 'http://mock')
  try {
    if (url.pathname.endsWith('/live')) return openStream(req, res)
    if (!url.pathname.startsWith('/api/')) return serveFile(url.pathname, res)
    const body = await readBody(req)
    const json = JSON.stringify(answer(req, url, body, res))
    res.writeHead(200, { 'Content-Type': 'application/json' }).end(json)
  } catch (err) {
    const { status = 500, code = 'internal', message } = err
    res.writeHead(status, { 'Content-Type': 'application/json' }).end(JSON.stringify({ error: { code, message } }))
  }
}).listen(Number(PORT), '127.0.0.1', () => console.log(`mock (${SCENARIO}) on http://127.0.0.1:${PORT}`))

const send = (name, data) => {
  for (const res of streams) res.write(`event: ${name}\ndata: ${JSON.stringify(data)}\n\n`)
}

const TICK = 200
let owed = 0
setInterval(() => {
  owed += (RATE * TICK * (0.4 + Math.random() * 1.2)) / 1000
  for (; owed >= 1; owed--) {
    const now = Date.now()
    const made = event(now, SCENARIO === 'calls')
    const minute = now - (now % MINUTE)
    minutes.set(minute, (minutes.get(minute) ?? answers.rangeTrend('minute', new Map(), RATE).data.at(-1).count) + 1)
    recent.unshift(made)
    recent.length = Math.min(recent.length, RECENT)
    send('received', { events: [made], count: 1 })
  }
}, TICK)
setInterval(() => {
  send('presence', { live_visitors: visitors() })
  send('saved', { events: RATE, as_of: new Date().toISOString() })
}, 1000)
