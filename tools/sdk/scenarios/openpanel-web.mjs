// @openpanel/web in Chromium, on two devices, the second with session replay.
import { open, visit } from '../browser.mjs';
import { report } from '../story.mjs';

const opened = await open('openpanel-web.page.js');
const told = {};
for (const device of ['first', 'second']) {
  let requests = 0;
  const { page, delivered } = await visit(opened, { keys: () => [`request ${++requests}`], more: { device } });
  told[device] = await page.evaluate(() => globalThis.play());
  await delivered(() => ['request 3']);
}
await report('openpanel-web', { told }, opened.close);
