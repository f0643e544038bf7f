import { chromium } from 'playwright-core'

/** Debian's Chromium, without any traffic of its own. */
export const launch = (more) =>
  chromium.launch({
    ...more,
    executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
    args: [
      '--headless', '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run',
      '--disable-background-networking', '--disable-component-update', '--disable-sync',
    ],
  })

/** How long a page may take, in ms: the machine may be busy with other tests. */
export const patience = 120_000

/** Collects what goes wrong on a page: console errors, uncaught exceptions, requests to other hosts. */
export function watch(page, base) {
  page.setDefaultTimeout(patience)
  const faults = []
  page.on('console', (line) => line.type() === 'error' && faults.push(`console: ${line.text()}`))
  page.on('pageerror', (err) => faults.push(`exception: ${err.message}`))
  page.on('request', (req) => {
    if (new URL(req.url()).origin !== new URL(base).origin) faults.push(`foreign request: ${req.url()}`)
  })
  return faults
}

/** Signs in at the login page. */
export async function signIn(page, base, email, password) {
  await page.goto(`${base}/login`)
  await page.getByLabel('Email').fill(email)
  await page.getByLabel('Password', { exact: true }).fill(password)
  await page.getByRole('button', { name: 'Sign in' }).click()
}
