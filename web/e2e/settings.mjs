// Screenshots of the settings of the built dashboard over the mock server, wide and narrow, light and dark,
// in English and Chinese, into the directory given as argument.
//
//   npm run build && npm run screens:settings -- DIR [PAGE…]

import { once } from 'node:events'
import { readFile } from 'node:fs/promises'

import { createMock } from '../mock/mock.mjs'
import { launch, watch } from './browser.mjs'

const [dir, ...only] = process.argv.slice(2)
if (!dir) throw new Error('usage: settings.mjs DIR [PAGE…]')

const sizes = { wide: { width: 1440, height: 900 }, narrow: { width: 390, height: 844 } }

/** Where each page is; what is done there first, with the buttons' places, since their texts depend on the language. */
const pages = {
  account: ['settings/account'],
  'own-tokens': ['settings/tokens'],
  users: ['settings/users?user=u2'],
  audit: ['settings/audit'],
  deletions: ['settings/deletions'],
  general: ['p/demo/settings/general'],
  delete: ['p/demo/settings/general', (page) => page.locator('main section').last().getByRole('button').click()],
  keys: ['p/demo/settings/keys', (page) => page.locator('main li').first().getByRole('button').nth(1).click()],
  data: ['p/demo/settings/data', (page) => page.locator('main section').nth(1).getByRole('button').first().click()],
  filters: ['p/demo/settings/filters'],
  limits: ['p/demo/settings/limits'],
  members: [
    'p/demo/settings/members',
    async (page) => {
      await page.locator('[name=email]').fill('alan@example.org')
      await page.locator('main form [type=submit]').click()
      await page.locator('main [role=group]').waitFor()
    },
  ],
  tokens: ['p/demo/settings/tokens'],
  'project-audit': ['p/demo/settings/audit?act=member'],
  'not-admin': ['p/api/settings/general'],
  fault: [
    'p/demo/settings/general',
    async (page) => {
      await page.locator('[name=name]').fill('')
      await page.locator('main form [type=submit]').first().click()
      await page.locator('[aria-invalid]').waitFor()
    },
  ],
  factor: [
    'settings/account',
    async (page) => {
      await page.locator('main section').nth(2).getByRole('button').first().click()
      await page.locator('main section').nth(2).locator('[name=password]').fill('x')
      await page.locator('main section').nth(2).locator('[type=submit]').click()
      await page.getByRole('img').waitFor()
    },
  ],
  required: ['settings/account', (page) => page.locator('[name=password]').waitFor()],
}

/** axe-core's script, to find what is not accessible; none without the variable. */
const axe = process.env.AXE && (await readFile(process.env.AXE, 'utf8'))

async function violations(page) {
  await page.evaluate(axe)
  const { violations: found } = await page.evaluate(() => globalThis.axe.run())
  return found.map((v) => `${v.id}: ${v.nodes.map((n) => n.html).join(' | ')}`)
}

const browser = await launch()
for (const [name, [path, act]] of Object.entries(pages).filter(([n]) => only.length === 0 || only.includes(n))) {
  const scenario = { factor: 'site', required: 'required' }[name] ?? 'server'
  for (const [size, viewport] of Object.entries(sizes)) {
    for (const [colorScheme, locale] of [['light', 'en-GB'], ['dark', 'en-GB'], ['light', 'zh-CN']]) {
      const server = createMock({ scenario, rate: 0 }).listen(0, '127.0.0.1')
      await once(server, 'listening')
      const base = `http://127.0.0.1:${server.address().port}`
      const context = await browser.newContext({ viewport, colorScheme, locale })
      await context.addCookies([{ name: 'mock', value: 'in', url: base }])
      const page = await context.newPage()
      const faults = watch(page, base)
      await page.goto(`${base}/${path}`)
      await page.locator('main h1, main h2').first().waitFor()
      await page.waitForLoadState('networkidle')
      await act?.(page)
      const file = `${name}-${size}-${colorScheme}-${locale.slice(0, 2)}`
      await page.screenshot({ path: `${dir}/${file}.png`, fullPage: true, animations: 'disabled' })
      const wide = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth)
      if (wide > 0) faults.push(`${wide} px too wide`)
      if (axe) faults.push(...(await violations(page)))
      for (const fault of new Set(faults)) console.log(`${file}: ${fault}`)
      await context.close()
      server.closeAllConnections()
      server.close()
    }
  }
}
await browser.close()
