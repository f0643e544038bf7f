// Debian's Chromium on a page of its own at http://shop.example, which no server outside sees: the name means this process.
import { createServer } from 'node:http';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';

import { build } from 'esbuild';
import { chromium } from 'playwright-core';

import { complain, note, properties, site, strings, target, ticks, traits } from './story.mjs';

const html = `<!doctype html>
<html lang="de"><head><meta charset="utf-8"><title>${site.homeTitle}</title><link rel="icon" href="data:,"></head>
<body style="height: 3000px">
<h1>Shop</h1>
<button id="buy" data-track="buy_clicked" data-item="shoe">Buy</button>
<a id="out" href="http://partner.example/offer?x=1">Partner</a>
<script src="/story.js"></script>
</body></html>`;

// Said to be no headless one: requests that outlive their page have the browser's user agent, not the context's.
const userAgent = 'Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36';

/** Opens a browser whose pages run the script, bundled with its SDK. What head says stands in the pages before it. */
export async function open(script, head = '') {
  const entry = fileURLToPath(new URL(`scenarios/${script}`, import.meta.url));
  const { outputFiles } = await build({ entryPoints: [entry], bundle: true, write: false, format: 'iife', charset: 'utf8', logLevel: 'error' });
  const code = outputFiles[0].text;
  const pages = createServer((req, res) => {
    if (req.url === '/story.js') res.setHeader('Content-Type', 'text/javascript; charset=utf-8').end(code);
    else res.setHeader('Content-Type', 'text/html; charset=utf-8').end(html.replace('</head>', `${head}</head>`));
  });
  pages.listen(0, '127.0.0.1');
  await once(pages, 'listening');
  const browser = await chromium.launch({
    executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
    args: [
      '--headless', '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run',
      '--disable-background-networking', '--disable-component-update', '--disable-sync',
      // A visitor's browser: SDKs send nothing for one that says it is driven.
      '--disable-blink-features=AutomationControlled',
      `--host-resolver-rules=MAP shop.example:80 127.0.0.1:${pages.address().port}, EXCLUDE 127.0.0.1, MAP * ~NOTFOUND`,
      `--user-agent=${userAgent}`,
      `--unsafely-treat-insecure-origin-as-secure=${site.origin}`,
    ],
  });
  const close = async () => {
    await browser.close();
    pages.close();
  };
  return { browser, close };
}

/**
 * A device's first page. keys gives the names of the events in a request: (request) => [string]. settled says of an answer whether the
 * SDK is through with the events of its request, whatever became of them.
 */
export async function visit({ browser }, { path = site.home, referer = site.referrer, keys, settled = (res) => res.ok(), more = {} }) {
  const context = await browser.newContext({ userAgent, locale: 'de-AT', viewport: { width: 1440, height: 900 } });
  context.setDefaultTimeout(120_000); // the machine may be busy with other tests
  const page = await context.newPage();
  const answered = new Set();
  let changed = () => {};
  page.on('console', (line) => ['error', 'warning'].includes(line.type()) && complain(`console.${line.type()}: ${line.text()}`));
  page.on('pageerror', (err) => complain('exception:', err));
  page.on('request', (req) => {
    const { origin } = new URL(req.url());
    if (origin !== site.origin && origin !== target.url && !req.url().startsWith('data:')) complain(`foreign request: ${req.url()}`);
  });
  page.on('response', (res) => {
    if (!settled(res) || res.request().method() === 'OPTIONS' || !res.url().startsWith(target.url)) return;
    for (const key of keys(res.request())) answered.add(key);
    changed();
  });
  await page.exposeFunction('note', note);
  await page.addInitScript((story) => Object.assign(globalThis, { story }), { target, ticks, properties, strings, traits, site, ...more });
  await page.goto(site.origin + path, { referer });
  /** Waits until all keys of () => [string] are settled. */
  const delivered = async (wanted) => {
    for (;;) {
      const missing = wanted().filter((key) => !answered.has(key));
      if (missing.length === 0) return;
      await new Promise((resolve) => { changed = resolve; });
    }
  };
  return { page, delivered };
}

/** Notes each event that the page sends, once: described is (request) => [{kind, name, id, n}]. */
export function noteRequests(page, described) {
  const noted = new Set();
  page.on('request', (request) => {
    if (request.method() !== 'POST' || !request.url().startsWith(target.url)) return;
    for (const event of described(request)) {
      if (noted.has(event.id)) continue;
      noted.add(event.id);
      note(event);
    }
  });
}

/** The calls of a request as Segment's SDKs make them, and RudderStack's and Jitsu's. */
export function calls(request) {
  const body = request.postDataJSON();
  return (body?.batch ?? [body]).map((call) => ({
    kind: call.type, name: call.event ?? call.name, id: call.messageId, user: call.userId || undefined, device: call.anonymousId, n: call.properties?.n,
  }));
}
