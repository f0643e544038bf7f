// Does in Chromium what the lines on standard input say, one JSON object each, and answers each with a line:
// {"value"} or {"error"}. e2e/snippet_test.go writes them: what a visitor does stands there, beside what is stored.

import { createInterface } from 'node:readline'

import { launch, patience } from './browser.mjs'

// A headless Chromium says so, and would be a bot.
const userAgent = 'Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36'

let context
let page
let faults = []
let sent = []

/** What the visitor's pages said and sent since they came. */
function watch(p) {
  p.on('console', (line) => faults.push(`${line.type()}: ${line.text()}`))
  p.on('pageerror', (error) => faults.push(`exception: ${error.message}`))
  p.on('request', (request) => {
    const url = new URL(request.url())
    if (url.pathname === '/v1/events') sent.push({ type: request.resourceType(), contentType: request.headers()['content-type'] ?? '', body: request.postData() ?? '' })
  })
}

const actions = {
  /** A visitor who was never here, with a page that runs init before any other script. */
  async visitor({ init, locale = 'en-GB' }) {
    await context?.close()
    faults = []
    sent = []
    context = await browser.newContext({ userAgent, locale })
    context.setDefaultTimeout(patience)
    if (init) await context.addInitScript(init)
    return actions.tab()
  },
  async tab() {
    page = await context.newPage()
    watch(page)
  },
  goto: ({ url }) => page.goto(url).then(() => null),
  eval: ({ js }) => page.evaluate(js),
  click: ({ selector, button }) => page.click(selector, { button, noWaitAfter: true }),
  close: () => page.close(),
  shut: () => context.close().then(() => (context = undefined)),
  title: ({ text }) => page.waitForFunction((t) => document.title === t, text).then(() => null),
  cookies: () => context.cookies(),
  faults: () => faults,
  sent: () => sent,
}

// Visitors' browsers keep pages that they may go back to; Playwright's do not by default.
const browser = await launch({ ignoreDefaultArgs: ['--disable-back-forward-cache'] })
for await (const line of createInterface({ input: process.stdin })) {
  const { do: name, ...rest } = JSON.parse(line)
  let answer
  try {
    answer = { value: (await actions[name](rest)) ?? null }
  } catch (error) {
    answer = { error: String(error.message) }
  }
  process.stdout.write(`${JSON.stringify(answer)}\n`)
}
await browser.close()
