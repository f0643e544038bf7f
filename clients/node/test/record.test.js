'use strict';

const assert = require('node:assert/strict');
const fs = require('node:fs');
const http = require('node:http');
const { once } = require('node:events');
const path = require('node:path');
const test = require('node:test');
const { form, keyConsumer } = require('../lib/index.js');
const { fake, client, until } = require('./fake.js');

/** Runs a listener; calls() closes the client and says what was recorded. */
async function service(t, listenerOf, options) {
  const server = await fake(t);
  const weir = client(t, server.url, options);
  const app = http.createServer(listenerOf(weir)).listen(0, '127.0.0.1');
  await once(app, 'listening');
  t.after(() => {
    app.closeAllConnections();
    app.close();
  });
  const url = `http://127.0.0.1:${app.address().port}`;
  const get = async (target, init) => {
    const response = await fetch(url + target, init);
    return [response.status, await response.text()];
  };
  const calls = async (n) => {
    await until(`${n} calls`, () => weir.stats().offered >= n);
    await weir.close();
    return server.events().map(({ call }) => {
      assert.ok(call.latency_ms > 0 && call.latency_ms < 60_000, `latency ${call.latency_ms}`);
      return [call.method, call.route, call.status, call.consumer].filter((v) => v !== undefined).join(' ');
    });
  };
  return { url, get, calls, weir };
}

test('a path without pattern has a form', () => {
  const forms = JSON.parse(fs.readFileSync(path.join(__dirname, '../../testdata/forms.json')));
  for (const [p, want] of Object.entries(forms)) assert.equal(form(p), want, p);
});

for (const name of ['express', 'express4']) {
  let express;
  try {
    express = require(`./frameworks/node_modules/${name}`);
  } catch (error) {
    if (process.env.WEIR_TEST_STRICT === '1') throw error;
  }
  const skip = express ? false : `${name} is not installed: npm ci in test/frameworks`;

  test(`${name}: a call has its route, status and consumer`, { skip }, async (t) => {
    const { get, calls } = await service(t, (weir) => {
      const app = express();
      app.use(weir.express({ consumer: (req) => req.account ?? keyConsumer('X-API-Key')(req), skip: (req) => req.path === '/healthz' }));
      app.get('/users/:id', (req, res) => res.send(req.params.id));
      app.get('/healthz', (req, res) => res.send('ok'));
      const users = express.Router();
      users.get('/', (req, res) => res.send('all'));
      users.get('/:id', (req, res) => {
        req.account = 'acme';
        res.status(201).send('one');
      });
      users.get('/:id/fails', () => {
        throw new Error('the service fails');
      });
      app.use('/api/users', users);
      app.get(['/a', '/b'], (req, res) => res.send('either'));
      app.get(/^\/re.*x$/, (req, res) => res.send('regexp'));
      app.use('/mounted', (req, res) => res.send('no route'));
      // The fourth parameter is what makes it an error handler.
      app.use((error, req, res, next) => res.status(500).send(error.message)); // eslint-disable-line no-unused-vars
      return app;
    });
    assert.deepEqual(await get('/users/42?secret=1', { headers: { 'X-API-Key': 'k1' } }), [200, '42']);
    await get('/api/users');
    await get('/api/users/7');
    await get('/api/users/7/fails');
    await get('/b');
    await get('/rex');
    await get('/mounted/5/x');
    await get('/healthz');
    await get('/nowhere/at/all');
    await get('/users/1', { method: 'DELETE' });
    assert.deepEqual(await calls(9), [
      'GET /users/:id 200 key-' + require('node:crypto').createHash('sha256').update('k1').digest('hex').slice(0, 12),
      'GET /api/users 200',
      'GET /api/users/:id 201 acme',
      'GET /api/users/:id/fails 500',
      'GET /a|/b 200',
      'GET ^\\/re.*x$ 200',
      'GET /mounted/{id}/x 200',
      'GET other 404',
      'DELETE other 404',
    ]);
  });

  test(`${name}: a mounted router's route has the parameters of its mounts`, { skip }, async (t) => {
    const { get, calls } = await service(t, (weir) => {
      const app = express();
      app.use(weir.express());
      app.use('/:anything', (req, res, next) => next());
      for (const mergeParams of [true, false]) {
        const users = express.Router({ mergeParams });
        users.use('/:anything', (req, res, next) => next());
        users.get('/', (req, res) => res.send('all'));
        users.get('/:user', (req, res) => res.status(req.params.user === 'missing' ? 404 : 200).send('one'));
        const tenant = express.Router({ mergeParams });
        tenant.use('/in/:place/users', users);
        app.use(mergeParams ? '/tenants/:tenant' : '/others/:tenant', tenant);
      }
      const inner = express();
      inner.get('/deep/:id', (req, res) => res.send('inner'));
      app.use('/inner', inner);
      app.use(/^\/re\/[a-z]+/, inner);
      return app;
    });
    const asked = {
      '/tenants/acme/in/town/users/ada': '/tenants/:tenant/in/:place/users/:user 200',
      '/tenants/tenants/in/town/users/users': '/tenants/:tenant/in/:place/users/:user 200',
      '/tenants/in/in/in/users/in': '/tenants/:tenant/in/:place/users/:user 200',
      '/tenants/81/in/S%C3%A3o%20Paulo/users': '/tenants/:tenant/in/:place/users 200',
      '/tenants/acme/in/town/users/missing': '/tenants/:tenant/in/:place/users/:user 404',
      '/others/acme/in/town/users/ada': '/others/:tenant/in/:place/users/:user 200',
      '/others/acme/in/town/rooms': 'other 404',
      '/inner/deep/7': '/inner/deep/:id 200',
      '/re/x/deep/7': '/re/x/deep/:id 200',
    };
    for (const target of Object.keys(asked)) await get(target);
    assert.deepEqual(await calls(9), Object.values(asked).map((call) => `GET ${call}`));
  });

  test(`${name}: two clients record the same route`, { skip }, async (t) => {
    const server = await fake(t);
    const second = client(t, server.url);
    const { get, calls } = await service(t, (weir) => {
      const app = express();
      app.use(weir.express());
      app.use(second.express());
      const inner = express.Router();
      inner.get('/orders/:id', (req, res) => res.send('ok'));
      app.use('/tenants/:tenant', inner);
      return app;
    });
    await get('/tenants/acme/orders/7');
    assert.deepEqual(await calls(1), ['GET /tenants/:tenant/orders/:id 200']);
    await second.close();
    assert.equal(server.events()[0].call.route, '/tenants/:tenant/orders/:id');
  });

  test(`${name}: mounts use no forms up`, { skip }, async (t) => {
    const word = (i) => 'x'.repeat(i % 30) + String.fromCharCode(97 + Math.floor(i / 30));
    const { get, calls } = await service(t, (weir) => {
      const app = express();
      app.use(weir.express());
      const inner = express.Router();
      inner.get('/orders/:id', (req, res) => res.sendStatus(404));
      app.use('/tenants/:tenant', inner);
      app.use(/^\/re\/[a-z]+/, inner);
      app.use('/plain', (req, res) => res.send('ok'));
      return app;
    });
    for (let i = 0; i < 250; i++) {
      await get(`/tenants/${word(i)}/orders/7`);
      await get(`/re/${word(i)}/orders/7`);
    }
    await get('/plain');
    const routes = await calls(501);
    assert.equal(routes.filter((r) => r === 'GET /tenants/:tenant/orders/:id 404').length, 250);
    assert.ok(new Set(routes).size <= 202, `${new Set(routes).size} routes`);
    assert.equal(routes.at(-1), 'GET /plain 200');
  });

  test(`${name}: a stream is recorded when it begins`, { skip }, async (t) => {
    const { url, calls } = await service(t, (weir) => {
      const app = express();
      app.use(weir.express());
      app.get('/stream', (req, res) => {
        res.set('Content-Type', 'text/event-stream');
        res.write('data: 1\n\n');
      });
      app.get('/written', (req, res) => {
        res.writeHead(200, { 'content-type': 'text/event-stream' });
        res.write('data: 1\n\n');
      });
      return app;
    });
    const gone = new AbortController();
    await fetch(`${url}/stream`, { signal: gone.signal });
    await fetch(`${url}/written`, { signal: gone.signal });
    assert.deepEqual(await calls(2), ['GET /stream 200', 'GET /written 200']);
    gone.abort();
  });
}

test('node:http: an answer, an exception, a promise that fails', async (t) => {
  let failing;
  const { get, calls, url } = await service(t, (weir) => {
    const listener = weir.http(
      (req, res) => {
        if (req.url === '/throws') throw new Error('at once');
        if (req.url === '/rejects') return Promise.reject(new Error('later'));
        if (req.url === '/brew') return void res.writeHead(418).end();
        if (req.url === '/promise') return Promise.resolve().then(() => res.end('ok'));
        return void res.end('ok');
      },
      {
        route: (req) => {
          if (req.url === '/odd') throw new Error("the service's own fault");
          return req.url.startsWith('/named') ? '/named/{what}' : '';
        },
      },
    );
    return (req, res) => {
      failing = undefined;
      try {
        listener(req, res)?.catch((error) => {
          failing = error;
          res.end();
        });
      } catch (error) {
        failing = error;
        res.end();
      }
    };
  });
  await get('/users/42?secret=1');
  await get('/named/x');
  await get('/odd');
  await get('/brew');
  await get('/promise');
  await get('/throws');
  assert.equal(failing.message, 'at once');
  await get('/rejects');
  assert.equal(failing.message, 'later');
  const odd = http.request(url, { method: 'PROPFIND', path: '/brew' }).end();
  await once(odd, 'response');
  assert.deepEqual(await calls(8), [
    'GET /users/{id} 200',
    'GET /named/{what} 200',
    'GET /odd 200',
    'GET other 418',
    'GET /promise 200',
    'GET /throws 500',
    'GET /rejects 500',
    'other other 418',
  ]);
});

test('who goes before the answer is a 499', async (t) => {
  const { url, calls } = await service(t, (weir) => weir.http(() => {}));
  const gone = new AbortController();
  const asked = fetch(`${url}/slow`, { signal: gone.signal });
  setTimeout(() => gone.abort(), 50);
  await assert.rejects(asked);
  assert.deepEqual(await calls(1), ['GET other 499']);
});

test('forms are bounded', async (t) => {
  const { Recorder } = require('../lib/record.js');
  const { EventEmitter } = require('node:events');
  const routes = new Map();
  const recorder = new Recorder({ send: ({ call }) => routes.set(call.route, (routes.get(call.route) ?? 0) + 1) });
  const ask = (url, statusCode) => {
    const res = Object.assign(new EventEmitter(), { statusCode, writeHead() {} });
    recorder.begin({ method: 'GET', url }, res);
    res.emit('finish');
  };
  const word = (i) => 'x'.repeat(i % 30) + String.fromCharCode(97 + Math.floor(i / 30));
  for (let i = 0; i < 500; i++) ask(`/scan/${word(i)}`, 404);
  for (let i = 0; i < 500; i++) ask(`/real/${word(i)}`, 200);
  ask(`/real/${word(0)}`, 200);
  assert.equal(routes.size, 201);
  assert.equal(routes.get('other'), 800);
  assert.equal(routes.get(`/real/${word(0)}`), 2);
});

test('a dead Weir changes nothing', async (t) => {
  const { Weir } = require('../lib/index.js');
  const weir = new Weir({ url: 'http://127.0.0.1:1', key: 'k', logger: null, batchBytes: 1000, queueBytes: 2000 });
  t.after(() => weir.close(0));
  const app = http.createServer(weir.http((req, res) => res.end('ok'))).listen(0, '127.0.0.1');
  await once(app, 'listening');
  t.after(() => app.close().closeAllConnections());
  const ask = async () => {
    const response = await fetch(`http://127.0.0.1:${app.address().port}/`);
    assert.equal(await response.text(), 'ok');
  };
  for (let i = 0; i < 50; i++) await ask();
  await weir.close(0);
  await ask();
  const s = weir.stats();
  assert.equal(s.offered, 51);
  assert.ok(s.dropped.full > 0 && s.dropped.closed > 0, JSON.stringify(s));
});

test('a call has its sizes, error and trace', async (t) => {
  const trace = '4bf92f3577b34da6a3ce929d0e0e4736';
  const listener = (req, res) => {
    if (req.url === '/written') {
      res.write('dé');
      res.write('6162', 'hex');
      res.write(Buffer.from('c'));
      res.end(() => {});
    } else if (req.url === '/fails') {
      res.error = new Error('no such order: 7');
      res.statusCode = 404;
      res.end('gone');
    } else if (req.url === '/stream') {
      res.writeHead(200, { 'Content-Type': 'text/event-stream' });
      res.end('data: 1\n\n');
    } else {
      res.end();
    }
  };
  const server = await fake(t);
  const weir = client(t, server.url);
  const app = http.createServer(weir.http(listener, { error: (req, res) => res.error })).listen(0, '127.0.0.1');
  await once(app, 'listening');
  t.after(() => app.close());
  const ask = (method, target, headers, body) =>
    new Promise((resolve, reject) => {
      const request = http.request({ port: app.address().port, host: '127.0.0.1', method, path: target, headers }, (response) => response.resume().on('end', resolve));
      request.on('error', reject).end(body);
    });
  await ask('POST', '/written', { 'Content-Length': 5, traceparent: `00-${trace}-00f067aa0ba902b7-01` }, '12345');
  await ask('POST', '/empty', { 'Transfer-Encoding': 'chunked', traceparent: `00-${'0'.repeat(32)}-00f067aa0ba902b7-01` }, 'x');
  await ask('HEAD', '/written', {});
  await ask('GET', '/fails', { traceparent: 'nonsense' });
  await ask('GET', '/stream', {});
  await until('5 calls', () => weir.stats().offered >= 5);
  await weir.close();
  assert.deepEqual(
    server.events().map(({ call: c }) => [c.request_bytes, c.response_bytes, c.error, c.trace_id]),
    [
      [5, 6, undefined, trace],
      [undefined, 0, undefined, undefined],
      [0, 0, undefined, undefined],
      [0, 4, 'no such order: 7', undefined],
      [0, undefined, undefined, undefined],
    ],
  );
});
