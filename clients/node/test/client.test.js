'use strict';

const assert = require('node:assert/strict');
const { execFile } = require('node:child_process');
const { once } = require('node:events');
const net = require('node:net');
const path = require('node:path');
const test = require('node:test');
const { Weir, uuidv7, VERSION } = require('../lib/index.js');
const { fake, client, sum, until } = require('./fake.js');

const names = (n) => Array.from({ length: n }, (_, i) => ({ name: `e${i}` }));

test('many clients share one listener of the process', async (t) => {
  const server = await fake(t);
  const before = process.listenerCount('beforeExit');
  const all = Array.from({ length: 12 }, () => client(t, server.url));
  assert.ok(process.listenerCount('beforeExit') <= before + 1);
  for (const weir of all) weir.send({ name: 'e' });
  await Promise.all(all.map((weir) => weir.close()));
  assert.equal(server.events().length, 12);
});

test('events go out when the interval is over', async (t) => {
  const server = await fake(t);
  const weir = client(t, server.url, { interval: 200 });
  const began = Date.now();
  names(5).forEach((e) => assert.ok(weir.send(e)));
  await until('a request', () => server.seen.length > 0);
  assert.equal(server.seen[0].events.length, 5);
  assert.ok(server.seen[0].at - began >= 195, `after ${server.seen[0].at - began} ms`);
});

for (const [what, options] of Object.entries({ events: { batchEvents: 10 }, bytes: { batchBytes: 1500 } })) {
  test(`a batch has at most so many ${what}`, async (t) => {
    const server = await fake(t);
    const weir = client(t, server.url, { interval: 3600_000, ...options });
    names(95).forEach((e) => weir.send(e));
    await until('full batches do not wait', () => server.events().length >= 80);
    assert.ok(server.events().length < 95);
    await weir.close();
    assert.equal(server.events().length, 95);
    for (const r of server.seen) assert.ok(what === 'events' ? r.events.length <= 10 : r.bytes <= 1500);
  });
}

test('a request carries key, form and compression', async (t) => {
  const server = await fake(t);
  const weir = client(t, `${server.url}/behind/a/path/`);
  weir.send({ name: 'x' });
  await weir.flush();
  names(100).forEach((e) => weir.send(e));
  await weir.flush();
  assert.deepEqual(server.seen.map((r) => r.zipped), [false, true]);
  const [, { url, headers }] = server.seen;
  assert.equal(url, '/behind/a/path/v1/events');
  assert.equal(headers.authorization, 'Bearer wk_test');
  assert.equal(headers['content-type'], 'application/x-ndjson');
  assert.equal(headers['user-agent'], `weir-node/${VERSION}`);
});

const faults = {
  500: (take, req, res) => res.writeHead(500).end(),
  503: (take, req, res) => res.writeHead(503).end(),
  429: (take, req, res) => res.writeHead(429).end(),
  408: (take, req, res) => res.writeHead(408).end(),
  'a dropped connection': (take, req) => req.socket.destroy(),
  'a lost answer': (take, req) => (take(), req.socket.destroy()),
  'a 500 after the commit': (take, req, res) => (take(), res.writeHead(500).end()),
  'a cut answer': (take, req, res) => {
    take();
    res.writeHead(200, { 'Content-Length': 1000 });
    res.write('{"accep', () => req.socket.destroy());
  },
  'no answer': () => {},
  "another server's 200": (take, req, res) => res.end('<html>'),
  'a rejection of nothing': (take, req, res) => res.end('{"accepted":49,"duplicates":0,"rejected":[{"index":50,"reason":"x"}]}'),
  'an answer to another request': (take, req, res) => res.end('{"accepted":1,"duplicates":0,"rejected":[]}'),
};
for (const [what, fault] of Object.entries(faults)) {
  test(`${what} is outlasted`, async (t) => {
    const server = await fake(t, (n, take, req, res) => n < 3 && (fault(take, req, res), true));
    const weir = client(t, server.url, { maxBackoff: 10, timeout: what === 'no answer' ? 50 : 10_000 });
    names(50).forEach((e) => weir.send(e));
    await weir.flush(20_000);
    assert.equal(server.seen.length, 4);
    for (const r of server.seen) assert.deepEqual(r.events, server.seen[0].events);
    assert.equal(server.events().length, 50);
    const s = weir.stats();
    assert.equal(s.accepted + s.duplicates, 50);
    assert.equal(s.retries, 3);
    assert.equal(sum(s), s.offered);
  });
}

test('tries come further apart, at random, until retryFor', async (t) => {
  const server = await fake(t, (n, take, req, res) => res.writeHead(500).end());
  const weir = client(t, server.url, { retryFor: 2000 });
  weir.send({ name: 'x' });
  await weir.flush();
  const waits = server.seen.slice(1).map((r, i) => r.at - server.seen[i].at);
  assert.ok(waits.length >= 2 && waits.length <= 5, `${waits}`);
  waits.forEach((w, i) => assert.ok(w >= 124 * 2 ** i && w < 250 * 2 ** i + 200, `${waits}`));
  assert.equal(weir.stats().dropped.expired, 1);
});

test('Retry-After is honoured', async (t) => {
  const { retryAfter } = require('../lib/send.js');
  const now = Date.parse('2024-05-06T07:08:09Z');
  for (const [header, want] of [
    ['120', 120_000],
    ['Mon, 06 May 2024 07:09:09 GMT', 60_000],
    ['99999999', 900_000],
    ['soon', 0],
    ['-5', 0],
    [undefined, 0],
  ]) {
    const got = retryAfter(header, now);
    assert.ok(got >= want && got <= want * 1.1, `${header}: ${got}`);
  }
  const server = await fake(t, (n, take, req, res) => n === 0 && res.writeHead(429, { 'Retry-After': '1' }).end());
  const weir = client(t, server.url, { maxBackoff: 1 });
  weir.send({ name: 'x' });
  await weir.flush();
  const wait = server.seen[1].at - server.seen[0].at;
  assert.ok(wait >= 995 && wait < 2000, `${wait} ms`);
});

for (const status of [400, 401, 403, 404, 301, 307, 204]) {
  test(`a ${status} is not tried again`, async (t) => {
    const server = await fake(t, (n, take, req, res) => res.writeHead(status, { Location: '/elsewhere' }).end());
    const told = [];
    const weir = client(t, server.url, { onDropped: (...drop) => told.push(drop) });
    names(7).forEach((e) => weir.send(e));
    assert.equal(await weir.close(), 0);
    assert.equal(server.seen.length, 1);
    assert.deepEqual(told, [['refused', 7]]);
    assert.equal(weir.stats().dropped.refused, 7);
  });
}

test('events that are all rejected are rejected and not refused', async (t) => {
  const answer = { error: { code: 'invalid', message: 'no event was taken' }, accepted: 0, duplicates: 0, rejected: [{ index: 0, reason: 'wrong_type' }] };
  const server = await fake(t, (n, take, req, res) => res.writeHead(400).end(JSON.stringify(answer)));
  const weir = client(t, server.url);
  weir.send({ name: 'x' });
  assert.equal(await weir.close(), 0);
  assert.equal(server.seen.length, 1);
  assert.equal(weir.stats().rejected, 1);
  assert.equal(weir.stats().dropped.refused, 0);
});

test('a batch that is too large is split', async (t) => {
  const server = await fake(t, (n, take, req, res, events) => (events.length > 8 || events.some((e) => e.name === 'e13')) && res.writeHead(413).end());
  const weir = client(t, server.url);
  names(100).forEach((e) => weir.send(e));
  await weir.close();
  assert.equal(server.events().length, 99);
  assert.equal(weir.stats().dropped.large, 1);
});

test('what is rejected is told', async (t) => {
  const server = await fake(t);
  const told = [];
  const weir = client(t, server.url, {
    batchEvents: 4,
    onRejected(events) {
      told.push(...events);
      throw new Error("the service's own fault");
    },
  });
  for (const name of ['a', 'bad', 'c', 'd', 'e', 'bad']) weir.send({ name, profile_id: `p-${name}` });
  await weir.close();
  assert.deepEqual(told.map((r) => [r.reason, r.detail, r.event.profile_id]), Array(2).fill(['wrong_type', 'it is bad', 'p-bad']));
  assert.equal(weir.stats().accepted, 4);
  assert.equal(weir.stats().rejected, 2);
});

test('memory is bounded while the server is away', async (t) => {
  let away = true;
  const server = await fake(t, (n, take, req) => away && (req.socket.destroy(), true));
  let dropped = 0;
  const weir = client(t, server.url, { batchBytes: 16 << 10, queueBytes: 128 << 10, maxBackoff: 20, onDropped: (reason, n) => (dropped += n) });
  let taken = 0;
  for (let i = 0; i < 20_000; i++) {
    if (weir.send({ name: 'x', properties: { i } })) taken++;
    if (i % 1000 === 0) await new Promise(setImmediate);
  }
  const s = weir.stats();
  assert.ok(s.queuedBytes <= 128 << 10 && s.dropped.full === 20_000 - taken && taken < 2000, JSON.stringify(s));
  away = false;
  await weir.close();
  assert.equal(server.events().length, taken);
  assert.equal(dropped, 20_000 - taken);
  assert.equal(weir.stats().queuedBytes, 0);
});

test('an event names the groups that its user belongs to', async (t) => {
  const server = await fake(t);
  const weir = client(t, server.url);
  weir.send({ name: 'export', groups: { company: 'acme', team: 7 } });
  await weir.close();
  assert.deepEqual(server.events()[0].groups, { company: 'acme', team: 7 });
});

test('what cannot be sent is counted', async (t) => {
  const weir = client(t, (await fake(t)).url, { batchBytes: 1000 });
  const circle = {};
  circle.circle = circle;
  assert.equal(weir.send({ name: 'x', properties: circle }), false);
  assert.equal(weir.send({ name: 'x', ts: NaN }), false);
  assert.equal(weir.send({ name: 'x', revenue: Infinity }), false);
  assert.equal(weir.send({ name: 'x', title: 't'.repeat(1000) }), false);
  assert.equal(weir.send(undefined), false);
  await weir.close();
  assert.equal(weir.send({ name: 'x' }), false);
  const { dropped } = weir.stats();
  assert.deepEqual([dropped.invalid, dropped.large, dropped.closed], [4, 1, 1]);
});

for (const [what, answer] of Object.entries({
  'no connection': (n, take, req) => (req.socket.destroy(), true),
  'no answer': () => true,
  'come later': (n, take, req, res) => res.writeHead(503, { 'Retry-After': '60' }).end(),
})) {
  test(`close keeps its deadline: ${what}`, async (t) => {
    const server = await fake(t, answer);
    const weir = client(t, server.url, { batchEvents: 3 });
    names(10).forEach((e) => weir.send(e));
    await until('a request', () => server.seen.length > 0);
    const began = Date.now();
    assert.equal(await weir.close(500), 10);
    const took = Date.now() - began;
    assert.ok(took < 30_000, `${took} ms`); // a minute is what the server asks for
    assert.equal(weir.stats().dropped.closed, 10);
    assert.equal(await weir.close(500), 10);
  });
}

test('close does not wait for the next try', async (t) => {
  let back = false;
  const server = await fake(t, (n, take, req, res) => !back && res.writeHead(500).end());
  const weir = client(t, server.url);
  names(10).forEach((e) => weir.send(e));
  weir.flush().catch(() => {});
  await until('some tries', () => server.seen.length >= 4);
  back = true;
  assert.equal(await weir.close(), 0);
  assert.equal(server.events().length, 10);
});

test('flush gives up in time, and the events stay', async (t) => {
  const server = await fake(t, (n, take, req, res) => res.writeHead(500).end());
  const weir = client(t, server.url);
  weir.send({ name: 'x' });
  await assert.rejects(weir.flush(100), /not done after 100 ms/);
  assert.equal(weir.stats().queued, 1);
});

test('texts are as the server takes them', async (t) => {
  const server = await fake(t);
  const weir = client(t, server.url);
  weir.send({ name: 'a\0b\ud800c😀', call: undefined });
  weir.send({ name: 'ignored', ts: new Date(5), call: { method: 'GET', route: 'é'.repeat(3000), status: 999, latency_ms: 0.00001, consumer: '' } });
  weir.send({ call: { method: 'GET', route: '/x', status: 200, latency_ms: 12.3456789, consumer: 'acme', request_bytes: 0, response_bytes: 1.5, error: 'é'.repeat(600), trace_id: '4bf9' } });
  await weir.close();
  const [a, b, c] = server.events();
  assert.equal(a.name, 'a\ufffdb\ufffdc😀');
  assert.equal(b.name, 'api_call');
  assert.equal(b.ts, 5);
  assert.deepEqual(b.call, { method: 'GET', route: 'é'.repeat(1024), latency_ms: 0 });
  assert.deepEqual(c.call, { method: 'GET', route: '/x', status: 200, latency_ms: 12.346, consumer: 'acme', request_bytes: 0, error: 'é'.repeat(512), trace_id: '4bf9' });
  assert.equal(c.library, `weir-node/${VERSION}`);
});

test('an id is a UUIDv7', () => {
  const known = new Set();
  for (let i = 0; i < 1000; i++) {
    const id = uuidv7(0x0123456789ab);
    assert.match(id, /^01234567-89ab-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
    known.add(id);
  }
  assert.equal(known.size, 1000);
});

test('wrong options are refused', () => {
  for (const options of [undefined, {}, { url: 'weir:8080', key: 'k' }, { url: 'ftp://weir', key: 'k' }, { url: 'http://weir?key=1', key: 'k' }, { url: 'http://weir' }, { url: 'http://weir', key: ' ' }, { url: 'http://weir', key: 'a\r\nb' }]) {
    assert.throws(() => new Weir(options), TypeError, JSON.stringify(options));
  }
});

// A program of its own, that sends and ends.
const program = (url, then) =>
  new Promise((resolve) => {
    const lib = path.join(__dirname, '../lib/index.js');
    const code = `const { Weir } = require(${JSON.stringify(lib)}); const weir = new Weir({ url: '${url}', key: 'k', closeTimeout: 500, logger: null }); weir.send({ name: 'last' }); ${then}`;
    const began = Date.now();
    execFile(process.execPath, ['-e', code], { timeout: 20_000 }, (error, stdout, stderr) => resolve({ error, stderr, took: Date.now() - began }));
  });

test('a process that has nothing more to do sends what there is', async (t) => {
  const server = await fake(t);
  const { error, stderr } = await program(server.url, '');
  assert.equal(error, null, stderr);
  assert.deepEqual(server.events().map((e) => e.name), ['last']);
});

test('a server that does not answer keeps no process alive', async (t) => {
  const server = net.createServer(() => {}).listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => server.close());
  const { error, stderr, took } = await program(`http://127.0.0.1:${server.address().port}`, 'setTimeout(() => {}, 1500)');
  assert.equal(error, null, stderr);
  assert.ok(took < 15_000, `${took} ms`);
});
