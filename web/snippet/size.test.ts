import { gzipSync } from 'node:zlib'
import { expect, it } from 'vitest'

import { buildSnippet } from '../build/snippet.ts'

it('is under 2 KB when it is sent', async () => {
  const code = await buildSnippet(process.cwd())
  expect(gzipSync(code, { level: 9 }).length).toBeLessThan(2000)
})
