'use strict';

const EVENT_OVERHEAD = 16; // bytes that an event takes beside its text

/**
 * Events until they are delivered or given up, of at most so many bytes. Full batches are
 * held as the bytes that are sent.
 */
class Queue {
  /** @type {{ text: Buffer, ends: number[] }[]} */
  #full = [];
  /** @type {string[]} */
  #open = [];
  #openBytes = 0;
  #bytes = 0; // all, with the batch under way
  #limits;

  /** @param {{ batchEvents: number, batchBytes: number, queueBytes: number }} limits */
  constructor(limits) {
    this.#limits = limits;
    this.since = 0; // when the first event of the open batch came
  }

  get bytes() {
    return this.#bytes;
  }

  /** Whether a batch is full. */
  get due() {
    return this.#full.length > 0;
  }

  get empty() {
    return this.#full.length === 0 && this.#open.length === 0;
  }

  /**
   * @param {string} line
   * @returns {'' | 'full' | 'large'} why the line was not taken
   */
  push(line) {
    const size = Buffer.byteLength(line) + 1;
    const { batchEvents, batchBytes, queueBytes } = this.#limits;
    if (size > batchBytes) return 'large';
    if (this.#bytes + size + EVENT_OVERHEAD > queueBytes) return 'full';
    if (this.#open.length === batchEvents || this.#openBytes + size > batchBytes) this.#seal();
    if (this.#open.length === 0) this.since = Date.now();
    this.#open.push(line);
    this.#openBytes += size;
    this.#bytes += size + EVENT_OVERHEAD;
    return '';
  }

  #seal() {
    const ends = [];
    let at = 0;
    for (const line of this.#open) ends.push((at += Buffer.byteLength(line) + 1));
    this.#full.push({ text: Buffer.from(this.#open.join('\n') + '\n'), ends });
    this.#open = [];
    this.#openBytes = 0;
  }

  /** The next batch, the open one if no other is there. It counts until it is settled. */
  take() {
    if (this.#full.length === 0 && this.#open.length > 0) this.#seal();
    return this.#full.shift();
  }

  /** @param {{ text: Buffer, ends: number[] }} batch */
  settle(batch) {
    this.#bytes -= batch.text.length + batch.ends.length * EVENT_OVERHEAD;
  }
}

module.exports = { Queue };
