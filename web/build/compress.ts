import { readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { brotliCompressSync, gzipSync } from 'node:zlib'
import type { Plugin } from 'vite'

/** Below this many bytes a compressed form is not worth a file. */
const SMALLEST = 1024

/**
 * Lays compressed forms beside the built text files, which the server picks by
 * Accept-Encoding: browsers take br over TLS only, gzip always.
 */
export function compress(): Plugin {
  let dir = ''
  return {
    name: 'compress',
    apply: 'build',
    configResolved(config) {
      dir = join(config.root, config.build.outDir)
    },
    closeBundle() {
      for (const name of readdirSync(dir, { recursive: true, encoding: 'utf8' })) {
        const file = join(dir, name)
        if (!/\.(js|css|svg)$/.test(name) || statSync(file).size < SMALLEST) continue
        const content = readFileSync(file)
        writeFileSync(`${file}.gz`, gzipSync(content, { level: 9 }))
        writeFileSync(`${file}.br`, brotliCompressSync(content))
      }
    },
  }
}
