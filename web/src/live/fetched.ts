/**
 * An event stream that is read with a Bearer token, which EventSource cannot send. It has the part of
 * EventSource that openStream uses: the events open and error, one for each message, and close.
 */
export class FetchedStream extends EventTarget {
  private readonly stop = new AbortController()

  constructor(url: string, token: string, get: typeof fetch = (...args) => fetch(...args)) {
    super()
    void this.read(url, token, get).catch(() => {
      if (!this.stop.signal.aborted) this.dispatchEvent(new Event('error'))
    })
  }

  close() {
    this.stop.abort()
  }

  private async read(url: string, token: string, get: typeof fetch) {
    const res = await get(url, { headers: { Accept: 'text/event-stream', Authorization: `Bearer ${token}` }, signal: this.stop.signal })
    if (!res.ok || !res.body) throw new Error(`${res.status}`)
    this.dispatchEvent(new Event('open'))
    let text = ''
    const messages = new WritableStream<string>({
      write: (part) => {
        const whole = (text + part).split('\n\n')
        text = whole.pop()!
        for (const message of whole) this.tell(message)
      },
    })
    await res.body.pipeThrough(new TextDecoderStream()).pipeTo(messages)
    throw new Error('the stream ended')
  }

  /** Hands on a message: a line `event: NAME` and a line `data: JSON`, as the server writes them. */
  private tell(message: string) {
    const field = (name: string) =>
      message
        .split('\n')
        .find((line) => line.startsWith(`${name}: `))
        ?.slice(name.length + 2)
    const event = field('event')
    if (event) this.dispatchEvent(new MessageEvent(event, { data: field('data') ?? '' }))
  }
}
