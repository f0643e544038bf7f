'use strict';

const http = require('node:http');
const https = require('node:https');
const { gzip } = require('node:zlib');
const { VERSION } = require('./event.js');

const FIRST_BACKOFF = 250;
const LONGEST_AFTER = 15 * 60_000; // of a Retry-After
const COMPRESS_FROM = 1024; // bytes
const LONGEST_ANSWER = 8 << 20;

/** Delivers batches, one request at a time. */
class Sender {
  #url;
  #secure;
  #agent;
  #options;
  #counts;
  #on;
  #failing = false;
  #holds = 0; // who waits: without any, nothing here keeps the process alive
  #socket; // of the request under way
  #pause; // { timer, wake } between two tries
  #closeBy = Infinity;
  #life = new AbortController(); // ends when the time for close is over
  #lifeTimer;

  /**
   * @param {URL} base
   * @param {any} options
   * @param {any} counts of the client
   * @param {{ dropped: () => void, failing: (error: unknown) => void, rejected: (events: any[]) => void }} on
   */
  constructor(base, options, counts, on) {
    this.#url = new URL(base.href.replace(/\/*$/, '/v1/events'));
    this.#secure = base.protocol === 'https:';
    this.#agent = new (this.#secure ? https : http).Agent({ keepAlive: true, maxSockets: 1 });
    this.#options = options;
    this.#counts = counts;
    this.#on = on;
  }

  /** Has what is under way keep the process alive, until release. */
  hold() {
    if (this.#holds++ > 0) return;
    this.#socket?.ref();
    this.#pause?.timer.ref();
  }

  release() {
    if (--this.#holds > 0) return;
    this.#socket?.unref();
    this.#pause?.timer.unref();
  }

  /** @param {number} at ms since 1970, after which all is given up */
  closeBy(at) {
    this.#closeBy = at;
    this.#lifeTimer = setTimeout(() => this.#life.abort(), at - Date.now());
    if (this.#pause && (!this.#pause.asked || this.#pause.until > at)) this.#pause.wake();
  }

  end() {
    clearTimeout(this.#lifeTimer);
    this.#agent.destroy();
  }

  /**
   * Sends the events from lo up to hi until they are delivered, or given up and counted.
   * @param {{ text: Buffer, ends: number[] }} batch
   */
  async deliver(batch, lo, hi, began) {
    const text = batch.text.subarray(lo === 0 ? 0 : batch.ends[lo - 1], batch.ends[hi - 1]);
    const body = text.length < COMPRESS_FROM ? text : await new Promise((resolve) => gzip(text, { level: 1 }, (e, out) => resolve(e ? text : out)));
    const zipped = body !== text;
    const drop = (reason) => void (this.#counts.dropped[reason] += hi - lo);
    for (let attempt = 0; ; attempt++) {
      let result;
      try {
        const answer = await this.#post(body, zipped);
        result = this.#judge(answer, batch, lo, hi);
      } catch (error) {
        result = { again: true, after: 0, error };
      }
      this.#note(result.error);
      if (result.done) return;
      if (result.tooLarge) {
        if (hi - lo === 1) return drop('large');
        const mid = (lo + hi) >> 1;
        await this.deliver(batch, lo, mid, began);
        return this.deliver(batch, mid, hi, began);
      }
      if (!result.again) return drop('refused');
      const longest = Math.min(FIRST_BACKOFF * 2 ** Math.min(attempt, 20), this.#options.maxBackoff);
      const wait = Math.max(longest / 2 + (Math.random() * longest) / 2, result.after);
      if (Date.now() - began + wait > this.#options.retryFor) return drop('expired');
      this.#on.dropped();
      const woken = await this.#sleep(wait, result.after > 0);
      if (woken === undefined) return drop('closed');
      if (woken) attempt = -1; // of the few that close has time for
      this.#counts.retries++;
    }
  }

  // undefined: there is no time for it; true: close woke it.
  async #sleep(ms, asked) {
    const closing = this.#closeBy !== Infinity;
    const until = Date.now() + ms;
    if (closing && until > this.#closeBy) return undefined;
    await new Promise((resolve) => {
      const timer = setTimeout(resolve, ms);
      if (this.#holds === 0) timer.unref();
      this.#pause = { timer, asked, until, wake: () => (clearTimeout(timer), resolve(undefined)) };
    });
    this.#pause = undefined;
    if (closing || this.#closeBy === Infinity) return false;
    return asked && until > this.#closeBy ? undefined : !asked;
  }

  #judge({ status, statusText, headers, body }, batch, lo, hi) {
    const said = `${status} ${statusText}`;
    if (status === 413) return { tooLarge: true };
    if (status === 429 || status === 408 || status === 425 || status >= 500) {
      return { again: true, after: retryAfter(headers['retry-after']), error: said };
    }
    if (status !== 200 && status !== 400) return { error: `${said}: ${body.slice(0, 200)}` };
    let reply;
    try {
      reply = JSON.parse(body);
    } catch {
      // told below
    }
    const rejected = Array.isArray(reply?.rejected) ? reply.rejected : [];
    const known = rejected.every((r) => Number.isInteger(r?.index) && r.index >= 0 && r.index < hi - lo);
    if (!known || !Number.isInteger(reply?.accepted) || !Number.isInteger(reply?.duplicates) || reply.accepted + reply.duplicates + rejected.length !== hi - lo) {
      if (status === 400) return { error: `${said}: ${body.slice(0, 200)}` }; // of the request, not of its events
      return { again: true, after: 0, error: 'the answer is not of this request' };
    }
    this.#counts.accepted += reply.accepted;
    this.#counts.duplicates += reply.duplicates;
    this.#counts.rejected += rejected.length;
    if (rejected.length > 0) {
      this.#on.rejected(
        rejected.map(({ index, reason, detail = '' }) => {
          const i = lo + index;
          const line = batch.text.subarray(i === 0 ? 0 : batch.ends[i - 1], batch.ends[i]);
          return { reason, detail, event: JSON.parse(line.toString()) };
        }),
      );
    }
    return { done: true };
  }

  #post(body, zipped) {
    return new Promise((resolve, reject) => {
      if (this.#life.signal.aborted) throw new Error('closed');
      const request = (this.#secure ? https : http).request(this.#url, {
        method: 'POST',
        agent: this.#agent,
        signal: this.#life.signal,
        headers: {
          Authorization: `Bearer ${this.#options.key}`,
          'Content-Type': 'application/x-ndjson',
          'Content-Length': body.length,
          'User-Agent': `weir-node/${VERSION}`,
          ...(zipped && { 'Content-Encoding': 'gzip' }),
        },
      });
      const late = setTimeout(() => request.destroy(new Error(`no answer after ${this.#options.timeout} ms`)), this.#options.timeout).unref();
      const settle = (f) => (value) => {
        clearTimeout(late);
        this.#socket = undefined;
        f(value);
      };
      request.on('socket', (socket) => {
        this.#socket = socket;
        if (this.#holds === 0) socket.unref();
        else socket.ref();
      });
      request.on('error', settle(reject));
      request.on('response', (response) => {
        const chunks = [];
        let size = 0;
        response.on('data', (chunk) => {
          chunks.push(chunk);
          if ((size += chunk.length) > LONGEST_ANSWER) response.destroy(new Error('the answer is too long'));
        });
        response.on('error', settle(reject));
        response.on('aborted', settle(() => reject(new Error('the answer was cut off'))));
        response.on('end', settle(() => {
          resolve({ status: response.statusCode, statusText: response.statusMessage, headers: response.headers, body: Buffer.concat(chunks).toString() });
        }));
      });
      request.end(body);
    });
  }

  #note(error) {
    const failing = error !== undefined;
    if (failing !== this.#failing) this.#on.failing(error);
    this.#failing = failing;
  }
}

/**
 * Reads the header (RFC 9110, section 10.2.3): seconds, or a date. Up to a tenth is added
 * at random.
 * @param {string | undefined} header
 * @returns {number} ms
 */
function retryAfter(header, now = Date.now()) {
  if (!header) return 0;
  const ms = /^\d+$/.test(header) ? Number(header) * 1000 : Date.parse(header) - now;
  if (!(ms > 0)) return 0;
  return Math.min(ms, LONGEST_AFTER) * (1 + Math.random() / 10);
}

module.exports = { Sender, retryAfter };
