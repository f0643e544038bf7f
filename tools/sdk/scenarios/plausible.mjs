// @plausible-analytics/tracker in Chromium. It knows no users.
import { open, visit } from '../browser.mjs';
import { report } from '../story.mjs';

const opened = await open('plausible.page.js');
let requests = 0;
const { page } = await visit(opened, { keys: () => [`request ${++requests}`] });
await page.evaluate(() => globalThis.play());
await page.goto('about:blank'); // an engagement event is sent when a page is left
await report('plausible', {}, opened.close);
