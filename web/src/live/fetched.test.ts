import { expect, it, vi } from 'vitest'

import { FetchedStream } from './fetched'

function setUp(answer: (asked: Request) => Response) {
  const got: string[] = []
  let asked: Request | undefined
  const stream = new FetchedStream('http://weir/live', 'wl_x', async (url, init) => {
    asked = new Request(url, init)
    return answer(asked)
  })
  stream.addEventListener('open', () => got.push('open'))
  stream.addEventListener('error', () => got.push('error'))
  stream.addEventListener('presence', (e) => got.push(String((e as MessageEvent).data)))
  return { got, stream, asked: () => asked }
}

const streamOf = (...parts: string[]) =>
  new Response(
    new ReadableStream({
      start(c) {
        for (const part of parts) c.enqueue(new TextEncoder().encode(part))
        c.close()
      },
    }),
  )

it('asks with the token, hands on messages however they are cut, and says when it ended', async () => {
  const { got, asked } = setUp(() => streamOf('retry: 3000\n\nevent: pres', 'ence\ndata: {"live', '_visitors":1}\n', '\n:\n\nevent: presence\ndata: 2\n\nevent: presence\ndata: cut'))
  await vi.waitFor(() => expect(got).toEqual(['open', '{"live_visitors":1}', '2', 'error']))
  expect(asked()?.headers.get('Authorization')).toBe('Bearer wl_x')
})

it('takes a refusal for an error', async () => {
  const { got } = setUp(() => new Response(null, { status: 401 }))
  await vi.waitFor(() => expect(got).toEqual(['error']))
})

it('is quiet after it was closed', async () => {
  const { got, stream } = setUp(() => streamOf('event: presence\ndata: 2\n\n'))
  stream.close()
  await new Promise((done) => setTimeout(done))
  expect(got).not.toContain('error')
})
