// Signs in to a running server and looks at its first project, as a user would,
// and at its last one, which must be an API: both with events of the last 30 days.
//
//   BASE_URL=http://127.0.0.1:8080 EMAIL=… PASSWORD=… npm run smoke

import assert from 'node:assert/strict'

import { launch, signIn, watch } from './browser.mjs'

const { BASE_URL = 'http://127.0.0.1:8080', EMAIL, PASSWORD } = process.env
assert(EMAIL && PASSWORD, 'EMAIL and PASSWORD must be set')
const base = BASE_URL.replace(/\/$/, '')

/** How many colours the first canvas in the region shows; a blank one has one. */
const colours = (region) =>
  region.locator('canvas').first().evaluate((canvas) => {
    const { data } = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height)
    return new Set(new Uint32Array(data.buffer)).size
  })

const numberIn = (text) => Number(text.replaceAll(/[^\d]/g, ''))

async function look(page) {
  const named = (name) => page.getByRole('region', { name, exact: true })

  await named('Now').waitFor()
  const total = named('Events').locator('p').first()
  await total.waitFor()
  assert(numberIn(await total.innerText()) > 0, 'the events of the last 30 days are zero')

  await page.getByRole('button', { name: /^Live\./ }).waitFor()
  for (const region of ['Now', 'Events', 'People']) {
    await named(region).locator('canvas').first().waitFor()
    assert((await colours(named(region))) > 2, `the chart of ${region} is blank`)
  }

  const rows = named('Recent events').getByRole('button', { name: /^Details of/ })
  await rows.first().waitFor()
  await rows.first().click()
  await page.getByRole('dialog').getByText('Properties', { exact: true }).waitFor()
  await page.keyboard.press('Escape')
  await page.getByRole('dialog').waitFor({ state: 'detached' })

  assert.equal(await page.getByRole('alert').count(), 0, 'a card could not be loaded')
}

async function lookAtAPI(page) {
  const { projects } = await page.evaluate(() => fetch('/api/v1/projects').then((res) => res.json()))
  await page.goto(`${base}/p/${projects.at(-1).id}`)
  const row = page.getByRole('region', { name: 'Routes' }).getByRole('row').nth(1)
  await row.waitFor()
  assert.match(await row.innerText(), /^\/.*%/s, 'the first route has no success rate')
  const today = page.getByRole('region', { name: 'Today’s calls' })
  for (const view of ['Failing', 'Who', 'Hot']) {
    await today.getByRole('radio', { name: view, exact: true }).check()
    await today.getByRole('listitem').first().waitFor()
  }
  assert.equal(await page.getByRole('alert').count(), 0, 'a card could not be loaded')
}

const browser = await launch()
try {
  for (const viewport of [{ width: 1440, height: 900 }, { width: 390, height: 844 }]) {
    const context = await browser.newContext({ viewport, locale: 'en-GB' })
    const page = await context.newPage()
    const faults = watch(page, base)
    await signIn(page, base, EMAIL, PASSWORD)
    await look(page)
    await lookAtAPI(page)
    const excess = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth)
    assert(excess <= 0, `${excess} px too wide at ${viewport.width} px`)
    assert.deepEqual(faults, [], 'the page complained')
    await context.close()
    console.log(`ok at ${viewport.width} px`)
  }
} finally {
  await browser.close()
}
