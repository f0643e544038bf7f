// plausible-tracker, the older SDK of Plausible's, in Chromium. It knows no users, and sends nothing again.
import { open, visit } from '../browser.mjs';
import { note, report } from '../story.mjs';

const opened = await open('plausible-tracker.page.js');
const { page } = await visit(opened, { keys: () => [] });
page.on('request', (request) => {
  if (request.method() !== 'POST') return;
  const { n: name, p } = request.postDataJSON();
  note({ kind: 'event', name, n: p && JSON.parse(p).n });
});
await page.evaluate(() => globalThis.play());
await report('plausible-tracker', {}, opened.close);
