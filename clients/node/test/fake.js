'use strict';

const http = require('node:http');
const { once } = require('node:events');
const { gunzipSync } = require('node:zlib');
const { Weir } = require('../lib/index.js');

/**
 * A server that takes an id once. answer(n, take, req, res, events) may answer the n-th
 * request itself; take() stores the events and is the reply.
 */
async function fake(t, answer) {
  const seen = [];
  const stored = new Map();
  const server = http.createServer(async (req, res) => {
    const chunks = [];
    for await (const c of req) chunks.push(c);
    let body = Buffer.concat(chunks);
    const zipped = req.headers['content-encoding'] === 'gzip';
    if (zipped) body = gunzipSync(body);
    const events = body.toString().trim().split('\n').map((l) => JSON.parse(l));
    const n = seen.push({ at: Date.now(), events, bytes: body.length, zipped, url: req.url, headers: req.headers }) - 1;
    const take = () => {
      const reply = { accepted: 0, duplicates: 0, rejected: [] };
      events.forEach((e, index) => {
        if (e.name === 'bad') reply.rejected.push({ index, reason: 'wrong_type', detail: 'it is bad' });
        else if (stored.has(e.id)) reply.duplicates++;
        else {
          stored.set(e.id, e);
          reply.accepted++;
        }
      });
      return JSON.stringify(reply);
    };
    if (answer && (await answer(n, take, req, res, events))) return;
    res.setHeader('Content-Type', 'application/json').end(take());
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  return { url: `http://127.0.0.1:${server.address().port}`, seen, server, events: () => [...stored.values()] };
}

/** A client of the server that the test's end closes. */
function client(t, url, options = {}) {
  const weir = new Weir({ url, key: 'wk_test', logger: null, ...options });
  t.after(() => weir.close(0));
  return weir;
}

const sum = (s) => s.accepted + s.duplicates + s.rejected + s.queued + Object.values(s.dropped).reduce((a, b) => a + b, 0);

/** Waits until the condition holds. */
async function until(what, condition, ms = 10_000) {
  for (const end = Date.now() + ms; !(await condition()); ) {
    if (Date.now() > end) throw new Error(`not within ${ms} ms: ${what}`);
    await new Promise((r) => setTimeout(r, 5));
  }
}

module.exports = { fake, client, sum, until };
