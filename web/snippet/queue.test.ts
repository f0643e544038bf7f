import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'

import { newQueue } from './queue.ts'

const answers: (() => Promise<Response>)[] = []
const fetched: { url: string; ids: unknown[]; keepalive: boolean | undefined }[] = []
const beacons: string[] = []
let beacon = true

const saying = (status: number, headers?: HeadersInit) => () => Promise.resolve(new Response(null, { status, headers: headers ?? {} }))
const ids = (body: string) => (JSON.parse(body) as { id: unknown }[]).map((event) => event.id)
const queue = () => newQueue('/v1/events?sent_at=', () => {}, (f) => f())

beforeEach(() => {
  vi.useFakeTimers({ now: 5000 })
  for (const list of [answers, fetched, beacons]) list.length = 0
  beacon = true
  vi.stubGlobal('document', { title: 'Title' })
  vi.stubGlobal('navigator', {
    sendBeacon: (_: string, body: string) => {
      beacons.push(body)
      return beacon
    },
  })
  vi.stubGlobal('fetch', (url: string, init: RequestInit) => {
    fetched.push({ url, ids: ids(init.body as string), keepalive: init.keepalive })
    return (answers.shift() ?? saying(200))()
  })
})

afterEach(() => {
  vi.useRealTimers()
  vi.unstubAllGlobals()
})

const pass = (ms: number) => vi.advanceTimersByTimeAsync(ms)

describe('the queue', () => {
  it('sends what comes in the same moment as one request, with the time', async () => {
    const q = queue()
    q.add({ id: 1 })
    q.add({ id: 2 })
    await pass(100)
    expect(fetched).toEqual([{ url: '/v1/events?sent_at=5100', ids: [1, 2], keepalive: true }])
    await pass(1e6)
    expect(fetched).toHaveLength(1)
  })

  it.each([
    ['no network', () => Promise.reject(new TypeError('no'))],
    ['429', saying(429)],
    ['503', saying(503)],
  ])('after %s tries again, with what came meanwhile', async (_, answer) => {
    answers.push(answer, answer)
    const q = queue()
    q.add({ id: 1 })
    await pass(100)
    q.add({ id: 2 })
    await pass(200)
    expect(fetched).toHaveLength(1)
    await pass(1e5)
    expect(fetched.map((request) => request.ids)).toEqual([[1], [1, 2], [1, 2]])
  })

  it.each([400, 401, 404, 413])('after %d gives up', async (status) => {
    answers.push(saying(status))
    const q = queue()
    q.add({ id: 1 })
    await pass(1e6)
    expect(fetched).toHaveLength(1)
  })

  it('waits as long as the server asks for, and no event shortens it', async () => {
    answers.push(saying(429, { 'Retry-After': '60' }))
    const q = queue()
    q.add({ id: 1 })
    await pass(100)
    for (let i = 2; i < 5; i++) {
      q.add({ id: i })
      await pass(19e3) // eslint-disable-line no-await-in-loop -- one after the other
    }
    expect(fetched).toHaveLength(1)
    await pass(4e3)
    expect(fetched[1]?.ids).toEqual([1, 2, 3, 4])
  })

  it('does not wait for the end of the month', async () => {
    answers.push(saying(429, { 'Retry-After': '2000000' }))
    queue().add({ id: 1 })
    await pass(3599e3)
    expect(fetched).toHaveLength(1)
    await pass(2e3)
    expect(fetched).toHaveLength(2)
  })

  it('tries a few times, and then with the next event', async () => {
    for (let i = 0; i < 7; i++) answers.push(saying(503))
    const q = queue()
    q.add({ id: 1 })
    await pass(1e7)
    expect(fetched).toHaveLength(7)
    q.add({ id: 2 })
    await pass(100)
    expect(fetched[7]?.ids).toEqual([1, 2])
  })

  it('keeps the last hundred', async () => {
    answers.push(saying(503))
    const q = queue()
    for (let i = 0; i < 150; i++) q.add({ id: i })
    await pass(1e5)
    expect(fetched.map((request) => [request.ids.length, request.ids[0]])).toEqual([[100, 50], [100, 50]])
  })

  it('sends by beacon when the page goes, and by fetch what no beacon takes', async () => {
    const q = queue()
    q.add({ id: 1 })
    q.flush(true)
    expect(beacons.map(ids)).toEqual([[1]])
    beacon = false
    q.add({ id: 2, properties: 'x'.repeat(3e4) })
    q.flush(true)
    await pass(1e6)
    expect(fetched).toEqual([{ url: '/v1/events?sent_at=5000', ids: [2], keepalive: false }])
  })

  it('keeps what a beacon has while the server is in trouble', async () => {
    answers.push(saying(503))
    const q = queue()
    q.add({ id: 1 })
    await pass(100)
    q.flush(true)
    await pass(1e6)
    expect(beacons.map(ids)).toEqual([[1]])
    expect(fetched.map((request) => request.ids)).toEqual([[1], [1]])
  })

  it('is empty when it is cleared', async () => {
    const q = queue()
    q.add({ id: 1 })
    q.clear()
    await pass(1e6)
    expect(fetched).toEqual([])
  })
})
