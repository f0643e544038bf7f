'use strict';

const { performance } = require('node:perf_hooks');
const { form, Forms, knownMethod, mounted } = require('./route.js');

const CALL = Symbol('weir.call');

/** Records calls: one of a service's middlewares. */
class Recorder {
  #weir;
  #options;
  #log;
  #forms = new Forms();
  #mounted = new Forms(); // routes of mounted routers: a mount by a regular expression has many paths

  constructor(weir, options = {}, log = () => {}) {
    this.#weir = weir;
    this.#options = options;
    this.#log = log;
  }

  /**
   * Begins a call, which is recorded when it is answered.
   * @returns {Call | undefined} undefined if the call is left out, or is recorded already
   */
  begin(req, res) {
    if (req[CALL] === this.#weir || this.#ask('skip', req, res)) return undefined;
    Object.defineProperty(req, CALL, { value: this.#weir, configurable: true });
    return new Call(this, req, res);
  }

  send(event) {
    this.#weir.send(event);
  }

  /** What one of the service's functions says; an exception of it changes nothing. */
  #ask(name, req, res) {
    try {
      return this.#options[name]?.(req, res);
    } catch (error) {
      this.#log(`${name}: ${error}`);
      return undefined;
    }
  }

  consumer(req, res) {
    return this.#ask('consumer', req, res) || undefined;
  }

  /** Why the call failed: an Error's message, or text. */
  error(req, res) {
    const error = this.#ask('error', req, res);
    return error instanceof Error ? error.message || error.name : error || undefined;
  }

  route(call, status) {
    const named = this.#ask('route', call.req, call.res);
    if (named) return String(named);
    const { mount, route } = call;
    if (route) return mount === '' ? patternOf(route.path) : this.#mounted.bounded(mount + patternOf(route.path), 200);
    return this.#forms.bounded(form(call.path), status);
  }
}

function patternOf(path) {
  if (Array.isArray(path)) return path.map(patternOf).join('|');
  const pattern = path instanceof RegExp ? path.source : String(path);
  return pattern === '/' ? '' : pattern;
}

class Call {
  #recorder;
  #begun = performance.now();
  #at = Date.now();
  #recorded = false;
  #written = 0; // bytes of the body; undefined when unknown

  constructor(recorder, req, res) {
    this.#recorder = recorder;
    this.req = req;
    this.res = res;
    this.method = req.method;
    this.path = String(req.originalUrl ?? req.url).replace(/[?#].*$/s, '');
    this.mount = '';
    this.route = undefined;
    this.#watchRoute(req);
    this.#watchStream(res);
    this.#watchBody(res);
    res.once('finish', () => this.record(res.statusCode));
    // Who asked is gone: 499 as nginx has it, unless the answer had begun.
    res.once('close', () => this.record(res.headersSent ? res.statusCode : 499));
  }

  // Express sets req.route when it finds one; where the router is mounted is known
  // then, and not any more when an error handler answers. It sets req.params before it
  // enters a mount, which makes req.baseUrl longer.
  #watchRoute(req) {
    let params = req.params;
    let mounts = req.baseUrl ? [{ url: req.baseUrl, params }] : [];
    const seen = (route) => {
      if (!route) return;
      this.route = route;
      this.mount = mounted(mounts);
    };
    seen(req.route);
    watch(req, 'route', seen);
    watch(req, 'params', (value) => (params = value));
    watch(req, 'baseUrl', (url = '') => {
      mounts = mounts.filter((m) => m.url.length <= url.length);
      if (url.length > (mounts.at(-1)?.url.length ?? 0)) mounts.push({ url, params });
    });
  }

  // A stream is recorded when it begins: how long it is listened to is not the
  // service's doing.
  #watchStream(res) {
    const { writeHead } = res;
    res.writeHead = (status, ...rest) => {
      const answer = writeHead.call(res, status, ...rest);
      const headers = rest.find((r) => typeof r === 'object' && r !== null);
      if (/^text\/event-stream/i.test(String(res.getHeader('content-type') ?? header(headers, 'content-type') ?? ''))) {
        this.#written = undefined;
        this.record(status);
      }
      return answer;
    };
  }

  #watchBody(res) {
    for (const name of ['write', 'end']) {
      const method = res[name];
      res[name] = (...args) => {
        const [chunk, encoding] = args;
        if (typeof chunk === 'string') this.#written += Buffer.byteLength(chunk, typeof encoding === 'string' ? encoding : 'utf8');
        else if (chunk?.byteLength > 0) this.#written += chunk.byteLength;
        return method.apply(res, args);
      };
    }
  }

  // The server sends no body in answer to HEAD, and with some statuses.
  #responseBytes(status) {
    return this.method === 'HEAD' || status === 204 || status === 304 ? 0 : this.#written;
  }

  record(status) {
    if (this.#recorded) return;
    this.#recorded = true;
    const latency = performance.now() - this.#begun;
    const headers = this.req.headers ?? {};
    this.#recorder.send({
      ts: this.#at,
      call: {
        method: knownMethod(this.method),
        route: this.#recorder.route(this, status) || '/',
        status,
        latency_ms: Math.max(latency, 0.001),
        consumer: this.#recorder.consumer(this.req, this.res),
        request_bytes: requestBytes(headers),
        response_bytes: this.#responseBytes(status),
        error: this.#recorder.error(this.req, this.res),
        trace_id: traceOf(headers),
      },
    });
  }
}

/** What the head says of the body: 0 without one, undefined of a body in chunks. */
function requestBytes(headers) {
  const length = headers['content-length'];
  if (length === undefined) return headers['transfer-encoding'] === undefined ? 0 : undefined;
  return /^\d+$/.test(length) ? Number(length) : undefined;
}

/** The trace id of a traceparent header (www.w3.org/TR/trace-context). */
function traceOf(headers) {
  const [, trace] = /^[0-9a-f]{2}-([0-9a-f]{32})-[0-9a-f]{16}-[0-9a-f]{2}/.exec(String(headers.traceparent ?? '')) ?? [];
  return trace === undefined || /^0+$/.test(trace) ? undefined : trace;
}

/** Calls back with each value that a property is set to, after who watches it already. */
function watch(object, name, changed) {
  const before = Object.getOwnPropertyDescriptor(object, name)?.set;
  let value = object[name];
  const set = (to) => {
    value = to;
    before?.(to);
    changed(to);
  };
  Object.defineProperty(object, name, { configurable: true, enumerable: true, get: () => value, set });
}

// The value of a header among those given to writeHead: an object, or a flat list.
function header(headers, name) {
  if (!headers) return undefined;
  const pairs = Array.isArray(headers) ? headers.flat().flatMap((v, i, all) => (i % 2 ? [] : [[v, all[i + 1]]])) : Object.entries(headers);
  return pairs.find(([key]) => String(key).toLowerCase() === name)?.[1];
}

module.exports = { Recorder };
