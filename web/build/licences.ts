import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Plugin } from 'vite'

/** Packages that get into the built files through CSS, where the bundler does not see them. */
const styles = ['@fontsource-variable/figtree', 'tailwindcss']

/** Writes licences.txt: the licence of every package that is part of the built files. */
export function licences(): Plugin {
  return {
    name: 'licences',
    apply: 'build',
    generateBundle() {
      const names = new Set(styles)
      for (const id of this.getModuleIds()) {
        const name = id.match(/.*node_modules\/((?:@[^/]+\/)?[^/]+)\//)?.[1]
        if (name) names.add(name)
      }
      const source = [...names].toSorted().map(licenceOf).join('\n\n')
      this.emitFile({ type: 'asset', fileName: 'licences.txt', source })
    },
  }
}

function licenceOf(name: string): string {
  const dir = join('node_modules', name)
  if (!existsSync(dir)) return ''
  const about = JSON.parse(readFileSync(join(dir, 'package.json'), 'utf8')) as { version: string; license: string }
  const texts = readdirSync(dir, { withFileTypes: true })
    .filter((entry) => entry.isFile() && /^(licen[cs]e|notice)/i.test(entry.name))
    .map((entry) => readFileSync(join(dir, entry.name), 'utf8').trim())
  return [`## ${name} ${about.version} (${about.license})`, ...texts].join('\n\n')
}
