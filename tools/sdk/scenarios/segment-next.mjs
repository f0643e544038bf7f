// @segment/analytics-next in Chromium: on two devices, the second in batches.
import { open, visit } from '../browser.mjs';
import { report } from '../story.mjs';

const keys = (request) => {
  const body = request.postDataJSON();
  return (body?.batch ?? [body]).map((event) => event?.messageId);
};

// What got a 413 is gone.
const settled = (res) => res.ok() || res.status() === 413;

const opened = await open('segment-next.page.js');
const told = {};
for (const device of ['first', 'second']) {
  const { page, delivered } = await visit(opened, { keys, settled, more: { device } });
  told[device] = await page.evaluate(() => globalThis.play());
  const ids = await page.evaluate(() => globalThis.ids);
  await delivered(() => ids);
}
await report('segment-next', { told }, opened.close);
