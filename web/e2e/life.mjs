// The settings of a new server in a real browser: a return from an identity provider that fails is a page. The owner sets a second factor up, signs in with a code of it, invites
// somebody, makes a token, and finds all of it in the audit log. Then everybody is asked for a second factor: who was
// invited is led to set one up, and goes on from there.
//
//   BASE_URL=http://127.0.0.1:8080 EMAIL=… PASSWORD=… PROJECT=… node e2e/life.mjs

import assert from 'node:assert/strict'
import { createHmac } from 'node:crypto'

import { launch, signIn, watch } from './browser.mjs'

const { BASE_URL, EMAIL, PASSWORD, PROJECT } = process.env
const base = BASE_URL.replace(/\/$/, '')
const STEP_MS = 30_000

/** The code of a secret in base32 at a time (RFC 6238: SHA-1, 6 digits, 30 seconds). */
function totp(secret, at) {
  const bits = [...secret].map((c) => 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567'.indexOf(c).toString(2).padStart(5, '0')).join('')
  const key = Buffer.from(bits.match(/.{8}/g).map((byte) => Number.parseInt(byte, 2)))
  const counter = Buffer.alloc(8)
  counter.writeBigUInt64BE(BigInt(Math.floor(at / STEP_MS)))
  const hash = createHmac('sha1', key).update(counter).digest()
  const offset = hash.at(-1) & 15
  return String((hash.readUInt32BE(offset) & 0x7f_ff_ff_ff) % 1_000_000).padStart(6, '0')
}

/** Sets a second factor up in the page; returns its secret. */
async function setUpFactor(page, password) {
  await page.getByLabel('Password', { exact: true }).last().fill(password)
  await page.getByRole('button', { name: 'Go on' }).click()
  await page.getByRole('img', { name: /QR code/ }).waitFor()
  const secret = (await page.getByLabel('Secret', { exact: true }).innerText()).replaceAll(/\s/g, '')
  await page.getByLabel('Code of the app').fill('000000')
  await page.getByRole('button', { name: 'Turn on' }).click()
  await page.getByText(/^Wrong: compare the clock/).waitFor() // what the server says stands at the field
  await page.getByLabel('Code of the app').fill(totp(secret, Date.now()))
  await page.getByRole('button', { name: 'Turn on' }).click()
  const codes = page.getByRole('group', { name: 'Your recovery codes' })
  await codes.waitFor()
  assert.equal(await codes.getByRole('listitem').count(), 10, 'there are not ten recovery codes')
  return secret
}

// Wrong codes and addresses are refused, and the page asks for projects before there is a second factor.
const known = (fault) => /status of 40[013]/.test(fault)

const open = (page, name) => page.getByRole('navigation', { name: 'Settings' }).getByRole('link', { name, exact: true }).click()

const browser = await launch()
try {
  const owner = await (await browser.newContext({ locale: 'en-GB' })).newPage()
  const faults = watch(owner, base)
  // Who comes back from an identity provider in vain gets a page, and the way back.
  await owner.goto(`${base}/api/v1/oidc/callback?state=x`)
  await owner.getByText('This browser has not begun to sign in here').waitFor()
  assert.equal(owner.url(), `${base}/sign-in-failed`, 'the provider’s answer stays in the address')
  await owner.getByRole('link', { name: 'Back to sign-in' }).click()
  await owner.getByRole('heading', { name: 'Sign in' }).waitFor()

  await signIn(owner, base, EMAIL, PASSWORD)
  await owner.getByRole('link', { name: 'Settings' }).click()
  await open(owner, 'Account')
  await owner.getByRole('button', { name: 'Set up' }).click()
  const secret = await setUpFactor(owner, PASSWORD)
  await owner.getByRole('button', { name: 'I have stored it' }).click()
  await owner.getByRole('button', { name: 'Take it off' }).waitFor()

  await owner.getByRole('button', { name: /^Account:/ }).click()
  await owner.getByRole('button', { name: 'Sign out', exact: true }).first().click()
  await owner.getByRole('heading', { name: 'Sign in' }).waitFor()
  await signIn(owner, base, EMAIL, PASSWORD)
  // The code that turned it on is used up: that of the next step is good already.
  await owner.getByLabel('Code').fill(totp(secret, Date.now() + STEP_MS))
  await owner.getByRole('button', { name: 'Go on' }).click()
  await owner.getByRole('banner').waitFor()

  await owner.goto(`${base}/p/${PROJECT}/settings/members`)
  await owner.getByLabel('Email').fill('ada')
  await owner.getByRole('button', { name: 'Invite', exact: true }).click()
  await owner.getByText('Not an address such as ada@example.org').waitFor()
  await owner.getByLabel('Email').fill('grace@example.org')
  await owner.getByRole('button', { name: 'Invite', exact: true }).click()
  const link = await owner.getByRole('group', { name: 'The link of the invitation' }).getByRole('code').innerText()
  await owner.getByRole('list', { name: 'Open invitations' }).getByText('grace@example.org').waitFor()

  await open(owner, 'Tokens')
  await owner.getByLabel('Name', { exact: true }).fill('CI')
  await owner.getByRole('button', { name: 'Make token' }).click()
  const token = await owner.getByRole('group', { name: 'Your new token' }).getByRole('code').innerText()
  assert.match(token, /^wt_/)
  const read = await fetch(`${base}/api/v1/projects/${PROJECT}`, { headers: { Authorization: `Bearer ${token}` } })
  assert.equal(read.status, 200, 'the token may not read the project')

  await open(owner, 'Users')
  await owner.getByRole('button', { name: 'Require' }).click()
  await owner.getByRole('dialog').getByRole('button', { name: 'Require' }).click()
  await owner.getByText('Required', { exact: true }).waitFor()

  const guest = await (await browser.newContext({ locale: 'en-GB' })).newPage()
  const others = watch(guest, base)
  await guest.goto(link)
  await guest.getByLabel('Name').fill('Grace')
  await guest.getByLabel('Password', { exact: true }).fill('correct horse')
  await guest.getByRole('button', { name: 'Create account' }).click()
  await guest.getByRole('heading', { name: 'Set up a second factor' }).waitFor()
  await setUpFactor(guest, 'correct horse')
  await guest.getByRole('button', { name: 'I have stored them, go on' }).click()
  await guest.getByRole('banner').waitFor()
  await guest.waitForURL(`${base}/p/${PROJECT}`)
  await guest.getByRole('link', { name: 'Settings' }).click()
  await guest.getByRole('heading', { name: 'Account' }).waitFor()
  assert.equal(await guest.getByRole('link', { name: 'Members' }).count(), 0, 'a viewer is offered the members')

  await owner.getByRole('navigation', { name: 'Settings' }).getByRole('link', { name: 'Audit log' }).last().click()
  const entries = owner.getByRole('list', { name: 'Entries' })
  for (const act of ['Turned the second factor on', 'Invited somebody', 'Made a token', 'Changed how people sign in', 'Accepted an invitation']) {
    await entries.getByText(act).first().waitFor()
  }
  await owner.getByLabel('About').selectOption('Tokens')
  await owner.waitForURL(/act=token/)
  await entries.getByText('Invited somebody').waitFor({ state: 'detached' })
  await entries.getByText('Made a token').waitFor()

  assert.deepEqual([...faults, ...others].filter((fault) => !known(fault)), [], 'a page complained')
} finally {
  await browser.close()
}
