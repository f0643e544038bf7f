// Reads shared links of a running server in frames on other sites: on a named one and on another, all that the
// page can ask, by a password, until the link ends.
//
//   BASE_URL=http://127.0.0.1:8080 TOKEN=… node e2e/share.mjs

import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer } from 'node:http'

import { launch, patience } from './browser.mjs'

const { BASE_URL = 'http://127.0.0.1:8080', TOKEN } = process.env
assert(TOKEN, 'TOKEN must be set')
const base = BASE_URL.replace(/\/$/, '')

async function call(method, path, body) {
  const res = await fetch(base + path, {
    method,
    headers: { Authorization: `Bearer ${TOKEN}` },
    ...(body ? { body: JSON.stringify(body) } : {}),
  })
  assert(res.ok, `${method} ${path}: ${res.status}`)
  return res.status === 204 ? undefined : res.json()
}

// Any page of this site has a frame with the address that its query says. Chromium finds names below localhost on loopback.
const site = createServer((req, res) => {
  const src = new URL(req.url, 'http://site').searchParams.get('frame')
  res.setHeader('Content-Type', 'text/html').end(`<!doctype html><title>Site</title><iframe src="${src}" width="1200" height="800"></iframe>`)
}).listen(0, '127.0.0.1')
await once(site, 'listening')
const { port } = site.address()
const embed = (host, url) => `http://${host}.localhost:${port}/?frame=${encodeURIComponent(url)}`

const browser = await launch()

/** Opens a link in a frame on a site, in a browser of its own; returns the frame and what was refused there. */
async function open(host, url) {
  const context = await browser.newContext({ locale: 'en-GB' })
  const page = await context.newPage()
  page.setDefaultTimeout(patience)
  const refused = []
  page.on('response', (res) => res.status() >= 400 && refused.push(`${res.status()} ${res.url()} ${res.request().postData() ?? ''}`))
  page.on('pageerror', (err) => refused.push(`exception: ${err.message}`))
  await page.goto(embed(host, url))
  return { context, page, frame: page.frameLocator('iframe'), refused }
}

try {
  const { projects } = await call('GET', '/api/v1/projects')
  for (const project of projects) {
    const shares = `/api/v1/projects/${project.id}/shares`
    const share = await call('POST', shares, { what: 'overview', origins: [`blog.localhost:${port}`] })

    const { context, frame, refused } = await open('blog', share.url)
    await frame.getByRole('heading', { name: project.name, exact: true }).waitFor()
    await frame.getByRole('button', { name: /^Live\./ }).waitFor()
    await frame.getByRole('region', { name: 'Events', exact: true }).locator('canvas').first().waitFor()
    await frame.getByRole('switch').check()
    const choices = await frame.getByRole('radio').all()
    assert(choices.length > 12, `the page has ${choices.length} choices`)
    for (const choice of choices) await choice.check()
    await frame.getByRole('status').filter({ hasText: 'Loading' }).first().waitFor({ state: 'detached' })
    assert.deepEqual(refused, [], 'the page asked what readers may not ask')
    assert.equal(await frame.getByText('Recent events').count(), 0, 'a reader sees events')
    await call('DELETE', `${shares}/${share.id}`)
    await frame.getByRole('heading', { name: 'This link shows nothing any more' }).waitFor()
    await context.close()

    const again = await call('POST', shares, { what: 'live', origins: [`blog.localhost:${port}`] })
    const other = await open('other', again.url)
    await other.page.waitForLoadState()
    assert.equal(await other.frame.getByRole('heading', { name: project.name, exact: true }).count(), 0, 'another site embeds the link')
    await other.context.close()
  }

  const locked = await call('POST', `/api/v1/projects/${projects[0].id}/shares`, {
    what: 'live', origins: [`blog.localhost:${port}`], password: 'a long password',
  })
  const { context, page, frame } = await open('blog', locked.url)
  const give = async (password) => {
    await frame.getByLabel('Password', { exact: true }).fill(password)
    await frame.getByRole('button', { name: 'Open' }).click()
  }
  await give('another password')
  await frame.getByRole('alert').getByText('wrong password').waitFor()
  await give('a long password')
  await frame.getByRole('button', { name: /^Live\./ }).waitFor()
  assert.equal((await context.cookies()).length, 0, 'a reader gets a cookie')
  assert.equal(await frame.getByText('Over time').count(), 0, 'the live view shows more')

  await page.goto(locked.url) // in no frame, where the browser lets a page store: the tab keeps the pass
  await page.getByLabel('Password', { exact: true }).fill('a long password')
  await page.getByRole('button', { name: 'Open' }).click()
  await page.getByRole('button', { name: /^Live\./ }).waitFor()
  await page.reload()
  await page.getByRole('button', { name: /^Live\./ }).waitFor()
  await context.close()
  console.log(`ok: shared links of ${projects.length} projects`)
} finally {
  await browser.close()
  site.close()
}
