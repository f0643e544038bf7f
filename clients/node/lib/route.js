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
  const kept = parts.slice(0, MOST_PARTS).map(part);
  if (parts.length > MOST_PARTS) kept.push('*');
  return '/' + kept.join('/');
}

const part = (p) => (p.length <= LONGEST_PART && WORD.test(p) ? p : '{id}');

/**
 * Where routers are mounted, with the names of parameters in place of their values.
 * @param {{ url: string, params?: object }[]} mounts outermost first; each url begins with the one before
 * @returns {string} "" without mounts
 */
function mounted(mounts) {
  const used = new Set();
  let outer = '';
  let path = '';
  for (const { url, params } of mounts) {
    const parts = url.slice(outer.length).split('/').filter(Boolean);
    const kept = parts.map(part);
    let end = parts.length;
    // The parameters are in the order of the path, those of outer mounts (mergeParams) before.
    for (const [name, value] of Object.entries(params ?? {}).reverse()) {
      const at = used.has(name) ? -1 : parts.slice(0, end).map(decoded).lastIndexOf(value);
      if (at < 0) continue;
      used.add(name);
      kept[at] = `:${name}`;
      end = at;
    }
    if (kept.length > MOST_PARTS) kept.splice(MOST_PARTS, kept.length, '*');
    path += kept.map((p) => `/${p}`).join('');
    outer = url;
  }
  return path;
}

function decoded(p) {
  try {
    return decodeURIComponent(p);
  } catch {
    return p;
  }
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

module.exports = { form, Forms, keyConsumer, knownMethod, mounted };
