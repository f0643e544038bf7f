import { readFileSync } from 'node:fs'

import { expect, it } from 'vitest'

import { audit } from './audit'

it('has a text for each act that the server logs', () => {
  const table = readFileSync(new URL('../../../../docs/security.md', import.meta.url), 'utf8')
  const acts = [...new Set([...table.matchAll(/^\| `[A-Z]+ [^|]+\|[^|]+\|[^|]*\| ([a-z.-]+) \|$/gm)].map((row) => row[1]!))].toSorted()
  expect(acts.length).toBeGreaterThan(40)
  expect(Object.keys(audit.audit.acts).toSorted()).toEqual(acts)
  const kinds = [...new Set(acts.map((act) => act.split('.')[0]!))].toSorted()
  expect(Object.keys(audit.audit.kinds).toSorted()).toEqual(kinds)
})
