import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'

import { openStream, type StreamHandlers } from './stream'

class FakeSource extends EventTarget {
  closed = false
  close() {
    this.closed = true
  }
  send(name: string, data: string) {
    this.dispatchEvent(new MessageEvent(name, { data }))
  }
}

function setUp() {
  const opened: FakeSource[] = []
  const handlers = {
    open: vi.fn<StreamHandlers['open']>(),
    lost: vi.fn<StreamHandlers['lost']>(),
    received: vi.fn<StreamHandlers['received']>(),
    presence: vi.fn<StreamHandlers['presence']>(),
    saved: vi.fn<StreamHandlers['saved']>(),
  }
  const end = openStream('/live', handlers, {
    create: () => {
      const source = new FakeSource()
      opened.push(source)
      return source as unknown as EventSource
    },
    random: () => 0.5,
  })
  return { opened, handlers, end }
}

describe('openStream', () => {
  beforeEach(() => void vi.useFakeTimers())
  afterEach(() => void vi.useRealTimers())

  it('hands on what the messages say', () => {
    const { opened, handlers } = setUp()
    opened[0]!.send('received', '{"events":[],"count":3}')
    opened[0]!.send('presence', '{"live_visitors":4}')
    opened[0]!.send('saved', '{"events":3,"as_of":"2026-11-21T12:00:00Z"}')
    expect(handlers.received).toHaveBeenCalledWith({ events: [], count: 3 })
    expect(handlers.presence).toHaveBeenCalledWith(4)
    expect(handlers.saved).toHaveBeenCalledWith('2026-11-21T12:00:00Z')
  })

  it('closes a stream that failed and opens another, waiting longer each time', () => {
    const { opened, handlers } = setUp()
    opened[0]!.dispatchEvent(new Event('error'))
    expect(opened[0]!.closed).toBe(true)
    expect(handlers.lost).toHaveBeenCalledOnce()
    vi.advanceTimersByTime(1000)
    expect(opened).toHaveLength(2)
    opened[1]!.dispatchEvent(new Event('error'))
    vi.advanceTimersByTime(1999)
    expect(opened).toHaveLength(2)
    vi.advanceTimersByTime(1)
    expect(opened).toHaveLength(3)
  })

  it('waits briefly again after a stream that opened', () => {
    const { opened } = setUp()
    opened[0]!.dispatchEvent(new Event('error'))
    vi.advanceTimersByTime(1000)
    opened[1]!.dispatchEvent(new Event('open'))
    opened[1]!.dispatchEvent(new Event('error'))
    vi.advanceTimersByTime(1000)
    expect(opened).toHaveLength(3)
  })

  it('does not open again once ended', () => {
    const { opened, end } = setUp()
    opened[0]!.dispatchEvent(new Event('error'))
    end()
    vi.advanceTimersByTime(60_000)
    expect(opened).toHaveLength(1)
  })
})
