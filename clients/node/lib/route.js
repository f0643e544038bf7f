'use strict';

const { createHash } = require('node:crypto');

const OTHER = 'other';
const MOST_FORMS = 200; // routes made of paths, per middleware
const MOST_PARTS = 6;
const LONGEST_PART = 32;
const WORD = /^[A-Za-z._~-]+[0-9]{0,2}$/;
const METHODS = new Set(['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'CONNECT', 'OPTIONS', 'TRACE']);

/**
 * The route of a path that no pattern is known of: parts that look like an id, or
 * anything else than a short word, become {id}; at most six parts are kept.
 * @param {string} path
 * @returns {string}
 */
function form(path) {
  const parts = path.split('/').filter(Boolean);
  const kept = parts.slice(0, MOST_PARTS).map((p) => (p.length <= LONGEST_PART && WORD.test(p) ? p : '{id}'));
  if (parts.length > MOST_PARTS) kept.push('*');
  return '/' + kept.join('/');
}

/**
 * Bounds how many forms there are. One that only failed requests have asked for is not
 * added, so that a scanner cannot take the room of what exists.
 */
class Forms {
  #known = new Set();

  /**
   * @param {string} route a form
   * @param {number} status
   * @returns {string}
   */
  bounded(route, status) {
    if (this.#known.has(route)) return route;
    if (this.#known.size >= MOST_FORMS || (status >= 400 && status < 500)) return OTHER;
    this.#known.add(route);
    return route;
  }
}

/**
 * A function for `consumer` that tells callers apart by the API key in a header, without
 * telling the key: "key-" and 12 hex digits of its SHA-256.
 * @param {string} header
 * @returns {(req: import('node:http').IncomingMessage) => string}
 */
function keyConsumer(header) {
  const name = header.toLowerCase();
  return (req) => {
    const key = req.headers[name];
    if (!key) return '';
    return 'key-' + createHash('sha256').update(String(key)).digest('hex').slice(0, 12);
  };
}

/** @param {string | undefined} method */
const knownMethod = (method) => (method && METHODS.has(method) ? method : OTHER);

module.exports = { form, Forms, keyConsumer, knownMethod };
