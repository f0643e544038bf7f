'use strict';

const assert = require('node:assert/strict');
const { spawn } = require('node:child_process');
const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');
const test = require('node:test');
const { client } = require('./fake.js');

// WEIR_BIN is the path of a weir, which `make clients` builds.
const binary = process.env.WEIR_BIN;
if (!binary && process.env.WEIR_TEST_STRICT === '1') throw new Error('WEIR_BIN is not set');

/** Starts a server with a project. */
async function start(t) {
  const data = fs.mkdtempSync(path.join(os.tmpdir(), 'weir-node-'));
  const server = spawn(binary, ['serve', '--listen', '127.0.0.1:0', '--data', data], { env: { ...process.env, WEIR_ADMIN_TOKEN: 'wt_node-client-test-0123456789' } });
  t.after(async () => {
    server.kill();
    await new Promise((resolve) => (server.exitCode === null ? server.once('exit', resolve) : resolve()));
    fs.rmSync(data, { recursive: true });
  });
  const url = await new Promise((resolve, reject) => {
    let out = '';
    server.stdout.on('data', (chunk) => {
      const found = /is at (http\S+)/.exec((out += chunk));
      if (found) resolve(found[1]);
    });
    server.once('exit', (code) => reject(new Error(`weir ended with ${code}`)));
  });
  const ask = async (method, target, body) => {
    const response = await fetch(url + target, { method, body: body && JSON.stringify(body), headers: { Authorization: 'Bearer wt_node-client-test-0123456789', 'Content-Type': 'application/json' } });
    const answer = await response.json();
    assert.ok(response.ok, JSON.stringify(answer));
    return answer;
  };
  const project = await ask('POST', '/api/v1/projects', { name: 'node', timezone: 'UTC' });
  return { url, ask, project };
}

test('a real server takes what is sent, rejects what is wrong, refuses another key', { skip: binary ? false : 'WEIR_BIN is not set' }, async (t) => {
  const { url, ask, project } = await start(t);
  const rejected = [];
  const weir = client(t, url, { key: project.write_key, onRejected: (events) => rejected.push(...events) });
  for (let i = 0; i < 2000; i++) weir.send({ call: { method: 'GET', route: '/users/:id', status: 200, latency_ms: 1.5, consumer: `c${i % 3}` } });
  weir.send({ name: 'signup', profile_id: 'ada', properties: { plan: 'pro', text: 'Straße \0\u2028"\\' } });
  weir.send({ name: 'x'.repeat(300) });
  weir.send({ name: 'old', ts: new Date('1990-01-01') });
  assert.equal(await weir.close(), 0);
  const s = weir.stats();
  assert.deepEqual([s.accepted, s.duplicates, s.rejected, s.queued], [2000, 0, 3, 0]);
  assert.deepEqual(rejected.map((r) => r.reason).sort(), ['name_too_long', 'nul_byte', 'ts_ancient']);

  const { events } = await ask('GET', `/api/v1/projects/${project.id}/events?name=api_call&limit=1`);
  assert.deepEqual(events[0].call, { method: 'GET', route: '/users/:id', status: 200, latency_ms: 1.5, consumer: events[0].call.consumer });
  const overview = await ask('GET', `/api/v1/projects/${project.id}/stats/overview`);
  assert.equal(overview.today.calls, 2000);

  const other = client(t, url, { key: 'wk_of_nobody' });
  other.send({ name: 'x' });
  await other.close();
  assert.equal(other.stats().dropped.refused, 1);
});
