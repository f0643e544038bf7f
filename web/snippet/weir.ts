// The snippet that sites load from /weir.js. docs/web.md is its manual.
//
// It must not disturb the page that it is on: nothing that it does throws, logs,
// or stores anything unless the page asks for it.

import { hashPath, matches } from './pages.ts'
import { newQueue, type Sent } from './queue.ts'

interface Weir {
  (name: unknown, properties?: unknown, fields?: Sent): void
  q?: Iterable<ArrayLike<unknown>> // calls before the script was there
  identify?: (id: unknown, traits?: unknown) => void
  reset?: () => void
  optOut?: () => void
  optIn?: () => void
}

declare global {
  interface Window {
    weir?: Weir
  }
  interface Document {
    prerendering?: boolean
  }
  interface Navigator {
    globalPrivacyControl?: boolean
  }
}

/** A visit is over after that long (see numbers: 30 minutes idle), in milliseconds. */
const IDLE = 18e5

const OUT = 'weir.out'
const DEVICE = 'weir.device'
const PROFILE = 'weir.profile'

/** Reads, and before that writes, or with '' deletes, what is stored. Storage may be forbidden: then it is empty. */
function stored(name: string, value?: string): string | undefined {
  try {
    if (value === '') delete localStorage[name]
    if (value) localStorage[name] = value
    return localStorage[name]
  } catch {}
}

/** 128 bits; randomUUID is for pages with TLS alone. */
const random = () => crypto.getRandomValues(new Uint32Array(4)).join('')

const script = (document.currentScript || document.querySelector('script[data-key]')) as HTMLScriptElement | null

if (script?.dataset.key && !window.weir?.identify) load(script)

function load(from: HTMLScriptElement): void {
  const data = from.dataset
  const hashed = 'hash' in data
  const persist = 'persist' in data

  const say = (...what: unknown[]) => {
    if ('debug' in data) console.log('weir:', ...what)
  }

  /** Runs what must not throw into the page. */
  const run = (f: () => void) => {
    try {
      f()
    } catch (error) {
      say(error)
    }
  }

  const queue = newQueue(`${(data.host ?? new URL('.', from.src).href).replace(/\/$/, '')}/v1/events?key=${data.key}&sent_at=`, say, run)
  let out = false // opted out, where that cannot be stored
  let profile: string | undefined // where it is not stored
  let ready = false // not while the page is prerendered
  let views = 0
  let address = '' // of the view that was looked for last
  let here: Sent | undefined // where the view under way is
  let left = 0 // when it was left

  /** Another tab may have said something else since: what is stored is right. */
  const who = () => (persist && stored(PROFILE)) || profile

  const silent = () =>
    (data.dnt !== 'ignore' && (+navigator.doNotTrack! || navigator.globalPrivacyControl)) || out || stored(OUT)

  /** Puts an event on its way; true if there must be none. */
  function track(name: unknown, properties?: unknown, fields?: Sent): true | void {
    const view = name === 'screen_view'
    const url = new URL((fields?.url as string) ?? location.href, location.href)
    const path = (fields?.path as string) ?? (hashed ? hashPath(url) : undefined)
    if (silent() || matches(data.exclude, path ?? url.pathname)) return true
    if (view) {
      queue.settle() // the view before has its own title for a moment yet
      views++
    }
    const place = {
      url: (hashed ? url.href : url.href.split('#')[0])?.slice(0, 8e3),
      path: path?.slice(0, 2e3),
      // What led to the page is of its first view, and of what is done on that.
      referrer: fields?.referrer ?? (views > 1 ? undefined : document.referrer),
    }
    if (view) {
      here = place
      left = 0
    }
    queue.add(
      // A copy: the page may change what it gave. What is undefined goes.
      JSON.parse(
        JSON.stringify({
          id: random(),
          name,
          ts: Date.now(),
          language: navigator.language,
          library: 'weir.js/1',
          profile_id: who(),
          device_id: persist ? (stored(DEVICE) ?? stored(DEVICE, random())) : undefined,
          properties,
          ...fields,
          ...place,
        }),
      ) as Sent,
    )
  }

  /**
   * Counts a view if the address is another one than before, or if it is asked to.
   * One that is replaced by itself with less of a query is tidied up: the page is the same.
   */
  function look(anyway?: unknown, replaced?: boolean): void {
    if ('manual' in data || (document.hidden && !address)) return // a page that nobody has seen yet waits until somebody does
    const now = hashed ? location.href : location.href.split('#')[0]!
    const same =
      now === address ||
      (replaced && (!hashed || location.hash) && now.split(/[?&#]/).every((part) => address.split(/[?&#]/).includes(part)))
    address = now
    if (same && !anyway) return
    if (track('screen_view')) {
      leave() // another view would have closed the one before
      here = undefined
    }
  }

  /** Closes the view's time, once. */
  function leave(): void {
    if (here && !left) {
      track('screen_leave', undefined, here)
      left = Date.now()
    }
  }

  function gone(): void {
    leave()
    queue.flush(true)
  }

  function clicked(event: MouseEvent): void {
    // The way of the event leads out of shadow trees too.
    const link = event.composedPath().find((node) => (node as Element).localName === 'a') as HTMLAnchorElement | undefined
    if (event.button < 2 && link && /^https?/.test(link.protocol) && location.host !== link.host) {
      track('outbound', { url: link.href })
    }
  }

  const on = (target: EventTarget, types: string, f: (event: Event) => void) => {
    types.split(' ').map((type) => target.addEventListener(type, (event) => run(() => f(event)), true))
  }

  function begin(): void {
    ready = true
    for (const name of ['pushState', 'replaceState'] as const) {
      const original = history[name]
      history[name] = (...args) => {
        original.apply(history, args)
        run(() => look(0, name === 'replaceState'))
      }
    }
    on(window, 'popstate hashchange', () => look())
    // Chromium tells before that the page is visible: the view that this may have begun is not left.
    on(window, 'pageshow', (event) => (event as PageTransitionEvent).persisted && look(!here || left))
    on(window, 'pagehide', gone)
    on(document, 'visibilitychange', () => {
      if (document.hidden) gone()
      // Who comes back within a visit reads on; later it is another visit, which begins here.
      else look(left && Date.now() - left > IDLE)
    })
    on(document, 'click auxclick', clicked as (event: Event) => void)
    run(look)
    for (const f of waiting) run(f)
  }

  const waiting: (() => void)[] = []
  const when = (f: () => void) => {
    if (ready) run(f)
    else waiting.push(f)
  }

  const weir: Weir = (name, properties, fields) =>
    when(() => {
      if (typeof name === 'function') name()
      else track(name, properties, fields)
    })

  weir.identify = (id, traits) =>
    when(() => {
      const name = String(id ?? '')
      if (!name || silent() || (name === who() && !traits)) return
      profile = persist && stored(PROFILE, name) ? undefined : name
      track('identify', traits)
    })

  const forget = () => {
    profile = stored(PROFILE, '')
    stored(DEVICE, '')
  }

  weir.reset = () => when(forget)

  weir.optOut = () =>
    when(() => {
      forget()
      stored(OUT, '1')
      out = true
      queue.clear()
      here = undefined
      views = 0
    })

  weir.optIn = () =>
    when(() => {
      out = false
      stored(OUT, '')
      if (!here) look(true)
    })

  for (const call of window.weir?.q ?? []) weir(...call as [unknown])
  window.weir = weir
  if (document.prerendering) on(document, 'prerenderingchange', begin)
  else run(begin)
}
