// mixpanel-browser in Chromium, on two devices.
import { open, visit } from '../browser.mjs';
import { report } from '../story.mjs';

const opened = await open('mixpanel-browser.page.js');
const told = {};
for (const device of ['first', 'second']) {
  const { page } = await visit(opened, { keys: () => [], more: { device } });
  told[device] = await page.evaluate(() => globalThis.play());
  // The SDK keeps what it has to send in the storage, and takes out what is sent.
  await page.waitForFunction(() => globalThis.sentLast && Object.keys(localStorage).filter((key) => key.startsWith('__mpq_')).every((key) => localStorage[key] === '[]'));
}
await report('mixpanel-browser', { told }, opened.close);
