// @minimal-analytics/ga4 in Chromium: it speaks as gtag.js does. Each event is a beacon, so the page does not see what becomes of it.
import { open, visit } from '../browser.mjs';
import { report } from '../story.mjs';

const opened = await open('ga4-minimal.page.js');
const { page } = await visit(opened, { keys: () => [] });
let through = 0;
let changed = () => {};
const settled = (request) => {
  if (!request.url().includes('/g/collect')) return;
  through++;
  changed();
};
page.on('requestfinished', settled);
page.on('requestfailed', settled);
let sent = 0;
/** Calls a part of the page's story, and waits until its beacons have an answer or none. */
const play = async (part, ...args) => {
  sent += await page.evaluate(([name, more]) => globalThis.play[name](...more), [part, args]);
  while (through < sent) await new Promise((resolve) => { changed = resolve; });
};
for (const part of ['home', 'pricing', 'signup', 'out', 'purchase', 'identify']) await play(part);
const ticks = await page.evaluate(() => globalThis.story.ticks);
for (let n = 0; n < ticks; n += 50) await play('tick', n, Math.min(50, ticks - n));
await play('last');
await page.goto('about:blank'); // leaving sends user_engagement
await report('ga4-minimal', {}, opened.close);
