// Records what the SDKs send: a server that answers as the vendors do, and one file for each kind of request in
// internal/wire/<vendor>/testdata/recorded/<sdk>. Ids and times stay as they came.
//
//   node tools/sdk/record.mjs [SDK…]
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { gunzipSync } from 'node:zlib';

import { answer } from './vendor.mjs';

const key = 'wk_0123456789abcdefghijklmnopqrstuv';
const port = Number(process.env.RECORD_PORT ?? 8080); // posthog-js names it in its events

const sdks = {
  'posthog-node': {},
  'posthog-node-v1': { scenario: 'posthog-node', env: { POSTHOG_CAPTURE_MODE: 'v1' } },
  'posthog-js': {},
  'openpanel-sdk': {},
  'openpanel-web': {},
  'segment-node': {},
  'segment-next': {},
  plausible: {},
  'umami-node': {},
  'ga4-minimal': {},
  'mixpanel-node': {},
  'amplitude-node': {},
  'amplitude-browser': {},
  'mixpanel-browser': {},
};

const kept = /^(content-type|content-encoding|authorization|user-agent|origin|referer|accept-language|cookie|retry-after|access-control-request-.*|openpanel-.*|posthog-.*|x-.*)$/;

/** What a body is about: of one kind two requests are recorded, of a tick one. */
function kind(raw) {
  if (raw.length === 0) return '';
  let body = raw[0] === 0x1f && raw[1] === 0x8b ? gunzipSync(raw) : raw;
  try {
    const data = new URLSearchParams(String(body)).get('data'); // Mixpanel's form
    if (data) body = Buffer.from(data, 'base64');
    const value = JSON.parse(body);
    const events = value.batch ?? value.events ?? [value].flat();
    return [...new Set(events.map((e) => [e.type, e.event, e.event_type, e.name, e.n, e.payload?.name, ...Object.keys(e).filter((key) => /^\$(set|set_once|add|unset|append)$/.test(key))].filter(Boolean).join(' ')))].sort().join();
  } catch {
    return 'other';
  }
}

async function record(sdk, { scenario = sdk, env = {} }) {
  const requests = [];
  let arrived = () => {};
  const server = createServer(async (req, res) => {
    const chunks = [];
    for await (const chunk of req) chunks.push(chunk);
    const raw = Buffer.concat(chunks);
    requests.push({ req, raw });
    const { status, headers, body } = answer(req, raw);
    if (status === 404) console.warn(`${sdk}: ${req.method} ${req.url} is unknown`);
    res.writeHead(status, headers).end(body);
    arrived();
  });
  server.listen(port, '127.0.0.1');
  await once(server, 'listening');

  const child = spawn(process.execPath, [fileURLToPath(new URL(`scenarios/${scenario}.mjs`, import.meta.url))], {
    env: { ...process.env, ...env, WEIR_URL: `http://127.0.0.1:${port}`, WEIR_KEY: key, WEIR_BATCH: '8' },
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  // A scenario that gets stuck is ended, and its errors are not known.
  const stuck = setTimeout(() => child.stdin.end(), 60_000);
  const lines = [];
  for await (const line of createInterface(child.stdout)) {
    lines.push(JSON.parse(line));
    if (lines.length > 1) break;
    // What is sent while a page is left has no answer that the scenario sees: wait until nothing comes any more.
    for (let quiet = false; !quiet; ) {
      quiet = await Promise.race([
        new Promise((resolve) => { arrived = () => resolve(false); }),
        new Promise((resolve) => setTimeout(() => resolve(true), 2000)),
      ]);
    }
    child.stdin.end();
  }
  clearTimeout(stuck);
  server.closeAllConnections();
  server.close();
  const errors = lines.flatMap((line) => line.errors);
  if (lines.length < 2 || errors.length > 0) throw new Error(`${sdk}: ${errors.join('\n')}`);

  const vendor = sdk.split('-', 1)[0];
  const dir = new URL(`../../internal/wire/${vendor}/testdata/recorded/${sdk}/`, import.meta.url);
  await rm(dir, { recursive: true, force: true });
  await mkdir(dir, { recursive: true });
  const kinds = new Map();
  let n = 0;
  for (const { req, raw } of requests) {
    if (req.url === '/healthz') continue; // the story's own
    const event = new URL(req.url, 'http://x').searchParams.get('en'); // GA4's stands in the query
    const [path, query = ''] = req.url.split('?');
    const inQuery = new URLSearchParams(query).has('data'); // Mixpanel's GET
    const k = event ? `${req.method} ${event}` : `${req.method} ${inQuery ? path : req.url.replaceAll(/\d{10,}/g, '')} ${kind(inQuery ? Buffer.from(query) : raw)}`;
    const before = kinds.get(k) ?? 0;
    if (before === (/ tick$/.test(k) || req.method === 'OPTIONS' ? 1 : 2)) continue;
    kinds.set(k, before + 1);
    const headers = Object.fromEntries(Object.entries(req.headers).filter(([name]) => kept.test(name)));
    const file = { method: req.method, path: req.url, headers, body_base64: raw.toString('base64') };
    await writeFile(new URL(`${String(++n).padStart(2, '0')}.json`, dir), `${JSON.stringify(file, null, 2)}\n`);
  }
  console.log(`${sdk}: ${requests.length} requests, ${n} kinds`);
  if (process.env.VERBOSE) console.log(JSON.stringify(lines[0], null, 1));
}

const only = process.argv.slice(2);
for (const [sdk, how] of Object.entries(sdks)) if (only.length === 0 || only.includes(sdk)) await record(sdk, how);
