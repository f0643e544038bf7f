'use strict';

// A service on Express whose calls are recorded, and that calls itself until it reads a
// line; or, as `driver.js flood N`, N events for a server that is away. clients_test.go
// reads what it prints.
const http = require('node:http');
const { once } = require('node:events');
const readline = require('node:readline');
const { Weir } = require('../../../clients/node/lib/index.js');
const express = require('../../../clients/node/test/frameworks/node_modules/express');

const { WEIR_URL: url, WEIR_KEY: key } = process.env;
const print = (what) => process.stdout.write(JSON.stringify(what) + '\n');
const stop = new Promise((resolve) => readline.createInterface(process.stdin).once('line', resolve));
const summary = ({ offered, accepted, duplicates, dropped, retries, queuedBytes }) => {
  const { full, ...others } = dropped;
  return { offered, stored: accepted + duplicates, full, lost: Object.values(others).reduce((a, b) => a + b), retries, queued_bytes: queuedBytes };
};

async function serve() {
  const weir = new Weir({ url, key, interval: 50, maxBackoff: 500, timeout: 2000, logger: null });
  const app = express();
  app.use(weir.express({ consumer: (req) => req.headers['x-consumer'] }));
  app.get('/users/:id', (req, res) => res.send(req.params.id));
  const orders = express.Router();
  orders.post('/:id', (req, res) => res.status(201).end());
  orders.get('/:id', () => {
    throw new Error('it fails');
  });
  app.use('/orders', orders);
  app.use((error, req, res, next) => res.status(500).end()); // eslint-disable-line no-unused-vars
  const server = app.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const agent = new http.Agent({ keepAlive: true });
  let stopped = false;
  stop.then(() => (stopped = true));
  let sent = 0;
  for (; !stopped; sent++) {
    const post = sent % 7 === 3;
    const path = post || sent % 11 === 5 ? `/orders/${sent}` : `/users/${sent}?secret=1`;
    const req = http.request({ port: server.address().port, host: '127.0.0.1', agent, method: post ? 'POST' : 'GET', path, headers: { 'X-Consumer': `node-${sent}` } });
    const began = Date.now();
    req.end();
    const [res] = await once(req, 'response');
    res.resume();
    await once(res, 'end');
    if (Date.now() - began > 10_000) print({ slow: Date.now() - began });
    if (sent % 20 === 0) print({ sent });
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
  await weir.close(30_000);
  print({ sent, ...summary(weir.stats()) });
  server.closeAllConnections();
  server.close();
}

async function flood(n) {
  const weir = new Weir({ url, key, batchBytes: 64 << 10, queueBytes: 1 << 20, maxBackoff: 200, logger: null });
  const held = () => {
    global.gc();
    const { heapUsed, external } = process.memoryUsage();
    return heapUsed + external;
  };
  const before = held();
  for (let i = 0; i < n; i++) {
    weir.send({ call: { method: 'GET', route: '/flood', status: 200, latency_ms: 1, consumer: `node-${i}` } });
    if (i % 1000 === 0) await new Promise(setImmediate);
  }
  print({ sent: n, memory: held() - before, ...summary(weir.stats()) });
  await stop;
  await weir.close(30_000);
  print({ sent: n, ...summary(weir.stats()) });
}

const [mode, n] = process.argv.slice(2);
(mode === 'flood' ? flood(Number(n)) : serve()).then(() => process.exit(0));
