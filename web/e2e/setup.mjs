// Makes the owner's account of a new server, by the link that its start prints.
//
//   SETUP_URL='http://127.0.0.1:8080/#setup=CODE' node e2e/setup.mjs

import assert from 'node:assert/strict'

import { launch, watch } from './browser.mjs'

const { SETUP_URL } = process.env
assert(SETUP_URL, 'SETUP_URL must be set')
const base = new URL(SETUP_URL).origin

const browser = await launch()
try {
  const page = await (await browser.newContext({ locale: 'en-GB' })).newPage()
  const faults = watch(page, base)
  await page.goto(SETUP_URL)
  await page.getByLabel('Name').fill('Ada')
  assert.equal(page.url(), `${base}/setup`, 'the code stays in the address')
  await page.getByLabel('Email').fill('ada@example.org')
  await page.getByLabel('Password', { exact: true }).fill('correct horse')
  await page.getByRole('button', { name: 'Create account' }).click()
  await page.getByRole('banner').waitFor()
  assert.deepEqual(faults, [], 'the page complained')
} finally {
  await browser.close()
}
