// @rudderstack/analytics-js in Chromium, with its plugins bundled: else it fetches them from RudderStack's CDN.
import { calls, noteRequests, open, visit } from '../browser.mjs';
import { report } from '../story.mjs';

const opened = await open('rudder-js.page.js');
// What got a 413 is gone.
const settled = (res) => res.request().method() === 'POST' && (res.ok() || res.status() === 413);
const { page, delivered } = await visit(opened, { keys: (request) => calls(request).map((call) => call.id), settled });
noteRequests(page, calls);
const ids = await page.evaluate(() => globalThis.play());
await delivered(() => ids);
await report('rudder-js', {}, opened.close);
