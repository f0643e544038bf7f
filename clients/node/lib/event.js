'use strict';

const { randomFillSync } = require('node:crypto');

const VERSION = '0.1.0';
const LONGEST_TEXT = 2048; // bytes, the server's limit
const LONGEST_ERROR = 1024; // bytes, of which the server keeps no more

const pool = Buffer.alloc(4096);
let used = pool.length;

/**
 * A UUID of version 7 (RFC 9562, section 5.7): 48 bits of the time, then random ones.
 * @param {number} [ms] since 1970
 * @returns {string}
 */
function uuidv7(ms = Date.now()) {
  if (used + 10 > pool.length) {
    randomFillSync(pool);
    used = 0;
  }
  const random = pool.subarray(used, (used += 10));
  const rest = Buffer.from(random);
  rest[0] = (rest[0] & 0x0f) | 0x70;
  rest[2] = (rest[2] & 0x3f) | 0x80;
  const time = Math.floor(ms).toString(16).padStart(12, '0');
  const hex = rest.toString('hex');
  return `${time.slice(0, 8)}-${time.slice(8)}-${hex.slice(0, 4)}-${hex.slice(4, 8)}-${hex.slice(8)}`;
}

/**
 * The text without what the server does not take (halves of surrogate pairs, NUL), of
 * at most so many bytes of UTF-8.
 * @param {unknown} value
 * @param {number} [longest]
 * @returns {string}
 */
function text(value, longest = Infinity) {
  let s = String(value);
  if (/[\0\ud800-\udfff]/.test(s)) s = Buffer.from(s.replaceAll('\0', '\ufffd')).toString();
  if (s.length * 3 <= longest || Buffer.byteLength(s) <= longest) return s;
  const cut = Buffer.from(s).subarray(0, longest).toString();
  return cut.replace(/\ufffd+$/, '');
}

/** @param {unknown} bytes */
function size(bytes) {
  return Number.isSafeInteger(bytes) && bytes >= 0 ? bytes : undefined;
}

const TEXTS = ['id', 'name', 'profile_id', 'device_id', 'session_id', 'url', 'path', 'title', 'referrer', 'ip', 'user_agent', 'language', 'currency'];

/**
 * The event as a line of JSON.
 * @param {import('./index.d.ts').Event} event
 * @returns {string}
 */
function encode(event) {
  /** @type {Record<string, unknown>} */
  const out = { id: event.id || uuidv7() };
  for (const key of TEXTS) if (event[key] !== undefined && event[key] !== null && event[key] !== '') out[key] = text(event[key]);
  if (event.call) out.name = 'api_call';
  const at = event.ts === undefined ? Date.now() : event.ts instanceof Date ? event.ts.getTime() : event.ts;
  if (typeof at === 'number' && !Number.isFinite(at)) throw new TypeError('ts is no time');
  out.ts = at;
  if (event.revenue !== undefined) {
    if (!Number.isFinite(event.revenue)) throw new TypeError('revenue is no number');
    out.revenue = event.revenue;
  }
  if (event.properties) out.properties = event.properties;
  if (event.groups) out.groups = event.groups;
  if (event.call) {
    const { method, route, status, latency_ms: latency, consumer, error, trace_id: trace } = event.call;
    out.call = {
      method: text(method ?? '', 255),
      route: text(route ?? '', LONGEST_TEXT),
      status: Number.isInteger(status) && status >= 100 && status <= 599 ? status : undefined,
      latency_ms: latency >= 0 && Number.isFinite(latency) ? Math.round(latency * 1000) / 1000 : undefined,
      consumer: consumer ? text(consumer, LONGEST_TEXT) : undefined,
      request_bytes: size(event.call.request_bytes),
      response_bytes: size(event.call.response_bytes),
      error: error ? text(error, LONGEST_ERROR) : undefined,
      trace_id: trace ? text(trace, 255) : undefined,
    };
  }
  out.library = `weir-node/${VERSION}`;
  return JSON.stringify(out);
}

module.exports = { VERSION, encode, text, uuidv7 };
