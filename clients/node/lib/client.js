'use strict';

const { Queue } = require('./queue.js');
const { VERSION, encode } = require('./event.js');
const { Sender } = require('./send.js');
const { Recorder } = require('./record.js');

const REASONS = ['full', 'large', 'invalid', 'refused', 'expired', 'closed'];

// The open clients. They share one listener: Node warns at the 11th.
const clients = new Map(); // a client → what it does when the process has nothing more to do
const beforeExit = () => clients.forEach((lastChance) => lastChance());

/**
 * Sends events in batches, in the background. Nothing here waits for the server but flush
 * and close: while it is away, events stay within queueBytes, and those beyond are dropped
 * and counted. A batch is sent again, under the same ids, until the server acknowledges it;
 * the server takes an id once.
 */
class Weir {
  #options;
  #queue;
  #sender;
  #timer; // of the interval
  #running = false;
  #closed = false;
  #offered = 0;
  #settled = 0; // events that left the queue, in order
  #pushed = 0;
  #wanted = 0; // up to this event nothing waits for the interval
  #waiting = new Set(); // of flush: { target, done }
  #counts = { accepted: 0, duplicates: 0, rejected: 0, retries: 0, dropped: Object.fromEntries(REASONS.map((r) => [r, 0])) };
  #told = Object.fromEntries(REASONS.map((r) => [r, 0]));
  #closing; // the promise of close
  #hadLastChance = false;

  /** @param {import('./index.d.ts').Options} options */
  constructor(options) {
    const { url, key } = options ?? {};
    const base = new URL(url); // throws for what is none
    if (!/^https?:$/.test(base.protocol) || base.search || base.hash || base.username) {
      throw new TypeError('url: want http:// or https:// and a host');
    }
    if (typeof key !== 'string' || !key.trim() || /[\r\n]/.test(key)) throw new TypeError('key: want a write key');
    this.#options = {
      batchEvents: 1000,
      batchBytes: 256 << 10,
      interval: 1000,
      queueBytes: 16 << 20,
      timeout: 10_000,
      maxBackoff: 30_000,
      retryFor: 12 * 3600_000,
      closeTimeout: 5000,
      logger: console,
      ...Object.fromEntries(Object.entries(options).filter(([, v]) => v !== undefined)),
    };
    this.#queue = new Queue(this.#options);
    this.#sender = new Sender(base, this.#options, this.#counts, {
      dropped: () => this.#tell(),
      failing: (error) => this.#log(error ? `events cannot be sent: ${error}` : 'events are sent again'),
      rejected: (events) => this.#rejected(events),
    });
    if (clients.size === 0) process.on('beforeExit', beforeExit);
    clients.set(this, () => this.#lastChance());
  }

  /**
   * Takes an event to be sent; it never waits and never throws.
   * @param {import('./index.d.ts').Event} event
   * @returns {boolean} whether it was taken; if not, stats() say why
   */
  send(event) {
    this.#offered++;
    let why = '';
    if (this.#closed) why = 'closed';
    else {
      try {
        why = this.#queue.push(encode(event));
      } catch {
        why = 'invalid';
      }
    }
    if (why) {
      this.#counts.dropped[why]++;
      if (!this.#running) this.#schedule();
      return false;
    }
    this.#pushed++;
    this.#hadLastChance = false;
    this.#schedule();
    return true;
  }

  /** @returns {import('./index.d.ts').Stats} */
  stats() {
    const { accepted, duplicates, rejected, retries, dropped } = this.#counts;
    const lost = REASONS.reduce((n, r) => n + dropped[r], 0);
    return {
      offered: this.#offered,
      accepted,
      duplicates,
      rejected,
      dropped: { ...dropped },
      queued: this.#offered - accepted - duplicates - rejected - lost,
      retries,
      queuedBytes: this.#queue.bytes,
    };
  }

  /**
   * Sends what there is at once, and waits until it is delivered or given up.
   * @param {number} [timeout] ms; then the promise is rejected and the events stay
   */
  async flush(timeout = Infinity) {
    const target = this.#pushed;
    this.#wanted = Math.max(this.#wanted, target);
    if (this.#settled >= target) return;
    this.#sender.hold();
    try {
      await new Promise((resolve, reject) => {
        const entry = { target, done: resolve };
        this.#waiting.add(entry);
        if (timeout !== Infinity) {
          const late = setTimeout(() => {
            this.#waiting.delete(entry);
            reject(new Error(`weir: flush: not done after ${timeout} ms`));
          }, timeout);
          entry.done = () => (clearTimeout(late), resolve());
        }
        this.#schedule();
      });
    } finally {
      this.#sender.release();
    }
  }

  /**
   * Sends what there is and ends the client. What is still there after the timeout is
   * dropped, as soon as it is clear that it will be. It never fails.
   * @param {number} [timeout] ms; closeTimeout when missing
   * @returns {Promise<number>} how many events were dropped
   */
  close(timeout = this.#options.closeTimeout) {
    this.#closing ??= (async () => {
      this.#closed = true;
      clients.delete(this);
      if (clients.size === 0) process.off('beforeExit', beforeExit);
      const before = this.#counts.dropped.closed;
      this.#sender.closeBy(Date.now() + timeout);
      await this.flush();
      clearTimeout(this.#timer);
      this.#tell();
      this.#sender.end();
      return this.#counts.dropped.closed - before;
    })();
    return this.#closing;
  }

  /**
   * Middleware for Express, Connect and their like.
   * @param {import('./index.d.ts').RecordOptions} [options]
   */
  express(options) {
    const recorder = new Recorder(this, options, (error) => this.#log(error));
    return (req, res, next) => {
      recorder.begin(req, res);
      next();
    };
  }

  /**
   * Records the calls of a listener of node:http.
   * @param {(req: any, res: any) => any} listener
   * @param {import('./index.d.ts').RecordOptions} [options]
   */
  http(listener, options) {
    const recorder = new Recorder(this, options, (error) => this.#log(error));
    return (req, res) => {
      const call = recorder.begin(req, res);
      let answer;
      try {
        answer = listener(req, res);
      } catch (error) {
        call?.record(500);
        throw error;
      }
      if (typeof answer?.then !== 'function') return answer;
      return answer.then(undefined, (error) => {
        call?.record(500);
        throw error;
      });
    };
  }

  #schedule() {
    if (this.#running) return;
    if (this.#queue.due || this.#closed || this.#wanted > this.#settled) {
      this.#run();
    } else if (!this.#timer) {
      this.#timer = setTimeout(() => {
        this.#timer = undefined;
        this.#tell();
        this.#run();
      }, this.#options.interval).unref();
    }
  }

  async #run() {
    if (this.#running) return;
    this.#running = true;
    clearTimeout(this.#timer);
    this.#timer = undefined;
    let first = true; // the interval is over, or somebody waits
    while (first || this.#queue.due || ((this.#closed || this.#wanted > this.#settled) && !this.#queue.empty)) {
      first = false;
      const batch = this.#queue.take();
      if (!batch) break;
      await this.#sender.deliver(batch, 0, batch.ends.length, Date.now());
      this.#queue.settle(batch);
      this.#settled += batch.ends.length;
      for (const entry of this.#waiting) {
        if (this.#settled >= entry.target) {
          this.#waiting.delete(entry);
          entry.done();
        }
      }
      this.#tell();
    }
    this.#running = false;
    if (!this.#queue.empty) this.#schedule();
  }

  // The process has nothing more to do: what waits is sent, once, within closeTimeout.
  #lastChance() {
    if (this.#hadLastChance || this.#settled >= this.#pushed) return;
    this.#hadLastChance = true;
    this.flush(this.#options.closeTimeout).catch((error) => this.#log(`at the process's end: ${error.message}`));
  }

  #tell() {
    for (const reason of REASONS) {
      const n = this.#counts.dropped[reason] - this.#told[reason];
      if (n === 0) continue;
      this.#told[reason] += n;
      this.#log(`${n} events were dropped: ${reason}`);
      this.#guard(() => this.#options.onDropped?.(reason, n));
    }
  }

  #rejected(events) {
    this.#log(`${events.length} events were rejected: ${events[0].reason} ${events[0].detail}`);
    this.#guard(() => this.#options.onRejected?.(events));
  }

  #guard(f) {
    try {
      f();
    } catch (error) {
      this.#log(error);
    }
  }

  #log(what) {
    try {
      this.#options.logger?.warn(`weir: ${what}`);
    } catch {
      // a logger that throws is not to end the service
    }
  }
}

module.exports = { Weir, VERSION };
