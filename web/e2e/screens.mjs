// Screenshots of every page of the built dashboard over the mock server, wide
// and narrow, light and dark, into the directory given as argument.
//
//   npm run build && npm run screens -- DIR [SCENARIO…]

import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'

import { launch, signIn, watch } from './browser.mjs'

const [dir, ...only] = process.argv.slice(2)
if (!dir) throw new Error('usage: screens.mjs DIR [SCENARIO…]')

const PORT = '18099'
const base = `http://127.0.0.1:${PORT}`
const sizes = { wide: { width: 1440, height: 900 }, narrow: { width: 390, height: 844 } }
const scenarios = [
  'setup', 'setup-link', 'setup-wrong', 'invitation', 'invitation-account', 'reset', 'forgotten', 'provider', 'provider-only', 'factor', 'login',
  'site', 'calls', 'empty', 'error', 'stale', 'none', 'drawer', 'share', 'shared', 'shared-live', 'shared-ended', 'share-password',
]
const settle = 2500

async function mock(scenario) {
  const env = { ...process.env, PORT, SCENARIO: scenario.replace(/^setup-.*/, 'setup') }
  const child = spawn(process.execPath, [fileURLToPath(new URL('../mock/server.mjs', import.meta.url))], { env })
  child.stderr.pipe(process.stderr)
  process.once('exit', () => child.kill()) // when a page fails
  await once(child.stdout, 'data')
  return child
}

async function show(page, scenario) {
  if (scenario === 'setup') return page.goto(base)
  if (scenario === 'setup-link') {
    await page.goto(`${base}/#setup=MOCK`)
    await page.getByLabel('Name').fill('Ada')
    if (page.url().includes('MOCK')) throw new Error('the code stays in the address')
    return
  }
  if (scenario === 'setup-wrong') {
    await page.goto(`${base}/#setup=WRONG`)
    await page.getByLabel('Name').fill('Ada')
    await page.getByLabel('Email').fill('ada@example.org')
    await page.getByLabel('Password', { exact: true }).fill('correct horse')
    await page.getByRole('button', { name: 'Create account' }).click()
    return page.getByRole('alert').getByText('neither').waitFor()
  }
  if (scenario.startsWith('invitation') || scenario === 'reset') {
    await page.goto(`${base}/#${scenario.replace(/-.*/, '')}=MOCK`)
    await page.getByRole('heading', { name: /invited|new password/ }).waitFor()
    if (page.url().includes('MOCK')) throw new Error('the secret stays in the address')
    return
  }
  if (scenario === 'forgotten') {
    await page.goto(`${base}/login`)
    await page.getByRole('link', { name: 'Forgotten password?' }).click()
    await page.getByLabel('Email').fill('ada@example.org')
    await page.getByRole('button', { name: 'Send the link' }).click()
    return page.getByRole('heading', { name: 'Look at your mail' }).waitFor()
  }
  if (scenario.startsWith('provider')) {
    await page.goto(`${base}/login`)
    return page.getByRole('link', { name: 'Sign in with Example Inc.' }).waitFor()
  }
  if (scenario === 'factor') {
    await signIn(page, base, 'ada@example.org', 'correct horse')
    return page.getByLabel('Code').waitFor()
  }
  if (scenario.startsWith('shared')) {
    await page.goto(`${base}/share/wl_${{ shared: 'MOCK', 'shared-live': 'LIVE', 'shared-ended': 'GONE' }[scenario]}`)
    await page.getByRole('heading').first().waitFor()
    return page.waitForTimeout(settle)
  }
  if (scenario === 'share-password') {
    await page.goto(`${base}/share/wl_MOCK`)
    await page.getByLabel('Password', { exact: true }).fill('another password')
    await page.getByRole('button', { name: 'Open' }).click()
    return page.getByRole('alert').getByText('wrong').waitFor()
  }
  if (scenario === 'login') {
    await signIn(page, base, 'ada@example.org', 'wrong')
    return page.getByRole('alert').getByText('wrong').waitFor()
  }
  await signIn(page, base, 'ada@example.org', 'correct horse')
  await page.getByRole('banner').waitFor()
  await page.waitForTimeout(settle)
  if (scenario === 'share') {
    await page.getByRole('button', { name: 'Share' }).click()
    await page.getByLabel(/Sites that may embed/).fill('shop.example')
    await page.getByRole('button', { name: 'Make link' }).click()
    await page.getByText('may be embedded on shop.example').first().waitFor()
    await page.waitForTimeout(500)
  }
  if (scenario === 'drawer') {
    await page.getByRole('button', { name: /^Details of/ }).nth(2).click()
    await page.waitForTimeout(500)
  }
}

const browser = await launch()
for (const scenario of scenarios.filter((s) => only.length === 0 || only.includes(s))) {
  const server = await mock(scenario)
  for (const [size, viewport] of Object.entries(sizes)) {
    for (const colorScheme of ['light', 'dark']) {
      const context = await browser.newContext({ viewport, colorScheme, locale: 'en-GB' })
      const page = await context.newPage()
      const faults = watch(page, base)
      await show(page, scenario)
      await page.screenshot({ path: `${dir}/${scenario}-${size}-${colorScheme}.png`, fullPage: scenario !== 'drawer' && scenario !== 'share' })
      const wide = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth)
      if (wide > 0) faults.push(`${wide} px too wide`)
      for (const fault of new Set(faults)) console.log(`${scenario} ${size} ${colorScheme}: ${fault}`)
      await context.close()
    }
  }
  server.kill()
  await once(server, 'exit')
}
await browser.close()
