import type { Live } from '../api/types'
import { decodePresence, decodeReceived, decodeSaved, type Arrival } from './decode'

/** Reconnects wait 1 s, then twice as long each time, up to this; milliseconds. */
const LONGEST_WAIT = 30_000
const FIRST_WAIT = 1000

export interface StreamHandlers {
  open(): void
  /** The stream ended; it will be opened again by itself. */
  lost(): void
  received(arrival: Arrival): void
  presence(visitors: number): void
  saved(asOf: string): void
}

/** What a stream is opened with; tests bring their own. */
export interface StreamSource {
  create(url: string): EventTarget & { close(): void }
  /** Between 0 and 1; spreads the reconnects of many pages. */
  random(): number
}

const browser: StreamSource = {
  create: (url) => new EventSource(url),
  random: Math.random,
}

/**
 * Opens the server's event stream and keeps it open: after an error it closes
 * and opens anew, because EventSource itself gives up on an HTTP error. Returns
 * the function that ends it.
 */
export function openStream(
  url: string,
  handlers: StreamHandlers,
  source: StreamSource = browser,
): () => void {
  let stream: ReturnType<StreamSource['create']>
  let timer: ReturnType<typeof setTimeout> | undefined
  let wait = FIRST_WAIT

  const connect = () => {
    stream = source.create(url)
    const on = (name: keyof Live, handle: (data: string) => void) =>
      stream.addEventListener(name, (e) => handle(String((e as MessageEvent).data)))
    stream.addEventListener('open', () => {
      wait = FIRST_WAIT
      handlers.open()
    })
    stream.addEventListener('error', () => {
      stream.close()
      handlers.lost()
      timer = setTimeout(connect, wait * (0.75 + source.random() / 2))
      wait = Math.min(wait * 2, LONGEST_WAIT)
    })
    on('received', (data) => handlers.received(decodeReceived(data)))
    on('presence', (data) => {
      const visitors = decodePresence(data)
      if (visitors !== undefined) handlers.presence(visitors)
    })
    on('saved', (data) => {
      const asOf = decodeSaved(data)
      if (asOf !== undefined) handlers.saved(asOf)
    })
  }

  connect()
  return () => {
    clearTimeout(timer)
    stream.close()
  }
}
