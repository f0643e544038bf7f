// @amplitude/analytics-browser in Chromium, on two devices.
import { open, visit } from '../browser.mjs';
import { report } from '../story.mjs';

const opened = await open('amplitude-browser.page.js');
const told = {};
for (const device of ['first', 'second']) {
  const { page } = await visit(opened, { keys: () => [], more: { device } });
  told[device] = await page.evaluate(() => globalThis.play());
}
await report('amplitude-browser', { told }, opened.close);
