// posthog-js in Chromium, on two devices.
import { gunzipSync } from 'node:zlib';

import { open, visit } from '../browser.mjs';
import { report } from '../story.mjs';

const keys = (request) => {
  const body = request.postDataBuffer();
  if (!body || !/\/(e|i\/v0\/e)\/(\?|$)/.test(request.url())) return [];
  const value = JSON.parse(body[0] === 0x1f ? gunzipSync(body) : body);
  return (value.batch ?? [value].flat()).map((event) => event.uuid);
};

// What got a 4xx is gone.
const settled = (res) => res.ok() || (res.status() >= 400 && res.status() < 500);

const opened = await open('posthog-js.page.js');
const told = {};
for (const device of ['first', 'second']) {
  const { page, delivered } = await visit(opened, { keys, settled, more: { device } });
  told[device] = await page.evaluate(() => globalThis.play());
  const uuids = await page.evaluate(() => globalThis.uuids);
  await delivered(() => uuids);
  await page.evaluate(() => globalThis.leave());
  await page.goto('about:blank');
}
await report('posthog-js', { told }, opened.close);
