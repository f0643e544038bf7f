import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'

import { newQueue } from './queue.ts'

const answers: (() => Promise<Response>)[] = []
const fetched: { url: string; ids: unknown[]; keepalive: boolean | undefined }[] = []
const beacons: string[] = []
let beacon = true

const saying = (status: number, headers?: HeadersInit) => () => Promise.resolve(new Response(null, { status, headers: headers ?? {} }))
const ids = (body: string) => (JSON.parse(body) as { id: unknown }[]).map((event) => event.id)
const big = (id: number, bytes: number) => ({ id, properties: 'é'.repeat(bytes / 2) })
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

  it('sends by beacon when the page goes', async () => {
    const q = queue()
    q.add({ id: 1 })
    q.flush(true)
    await pass(1e6)
    expect(beacons.map(ids)).toEqual([[1]])
    expect(fetched).toEqual([])
  })

  describe('what no beacon takes', () => {
    beforeEach(() => {
      beacon = false
    })

    it('goes by requests that outlive the page, up to 64 KiB of them, and the rest beside them', async () => {
      const q = queue()
      for (const event of [big(1, 4e4), big(2, 4e4), { id: 3 }, big(4, 2e4)]) q.add(event)
      q.flush(true)
      q.flush(true)
      await pass(1e6)
      expect(fetched.map(({ ids: of, keepalive }) => [of, keepalive])).toEqual([[[1], true], [[2], false], [[3, 4], true]])
    })

    it('has less room while another request is under way, and all of it afterwards', async () => {
      let answer!: (a: Response) => void
      answers.push(() => new Promise((resolve) => (answer = resolve)))
      const q = queue()
      q.add(big(1, 4e4))
      await pass(100)
      q.add(big(2, 4e4))
      q.flush(true)
      answer(new Response())
      await pass(100)
      q.add(big(3, 6e4))
      q.flush(true)
      expect(fetched.map(({ ids: of, keepalive }) => [of, keepalive])).toEqual([[[1], true], [[2], false], [[3], true]])
    })

    it('is sent again where it was refused', async () => {
      answers.push(() => Promise.reject(new TypeError('too much under way')), () => Promise.reject(new TypeError('too much under way')))
      const q = queue()
      for (const event of [big(1, 4e4), big(2, 4e4)]) q.add(event)
      q.flush(true)
      await pass(1e6)
      expect(fetched.map((request) => request.ids).slice(2).flat().toSorted()).toEqual([1, 2])
    })

    it('stays where the page put something that throws in place of fetch', async () => {
      const q = queue()
      q.add(big(1, 4e4))
      answers.push(() => {
        throw new Error('no')
      })
      expect(() => q.flush(true)).toThrow('no')
      q.flush(true)
      expect(fetched.map(({ ids: of, keepalive }) => [of, keepalive])).toEqual([[[1], true], [[1], true]])
    })
  })

  it('sends a large batch in parts too', async () => {
    const q = queue()
    for (let i = 1; i <= 5; i++) q.add(big(i, 3e4))
    await pass(1e6)
    expect(fetched.map(({ ids: of, keepalive }) => [of, keepalive])).toEqual([[[1, 2], true], [[3, 4, 5], false]])
  })

  it('sends an event that is too large to outlive the page all the same', async () => {
    const q = queue()
    q.add(big(1, 1e5))
    q.add({ id: 2 })
    await pass(1e6)
    expect(fetched.map(({ ids: of, keepalive }) => [of, keepalive])).toEqual([[[1], false], [[2], true]])
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
