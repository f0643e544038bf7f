import { readFile } from 'node:fs/promises'
import { extname, join, normalize } from 'node:path'
import { fileURLToPath } from 'node:url'

const dist = fileURLToPath(new URL('../dist', import.meta.url))

const types = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript',
  '.css': 'text/css',
  '.svg': 'image/svg+xml',
  '.woff2': 'font/woff2',
}

/** The policy that the dashboard must work under. */
const policy =
  "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; font-src 'self'; connect-src 'self'; base-uri 'self'; form-action 'self'; frame-ancestors 'none'"

/** Answers with a file of dist; any other path is a page of the dashboard. */
export async function serveFile(path, res) {
  const wanted = join(dist, normalize(path))
  const file = extname(path) ? wanted : join(dist, 'index.html')
  const read = await readFile(file).catch(() => null)
  if (read === null) return res.writeHead(404).end()
  // As the server does: the page's own addresses are relative to its root, whatever route it shows.
  const content = extname(path) ? read : String(read).replace('<head>', '<head><base href="/">')
  const type = types[extname(file)] ?? 'application/octet-stream'
  res.writeHead(200, { 'Content-Type': type, 'Content-Security-Policy': policy }).end(content)
}
