// posthog-js-lite in Chromium: it sends no device of its own, so that its session stands for one.
import { noteRequests, open, visit } from '../browser.mjs';
import { report } from '../story.mjs';

const events = (request) => (request.url().includes('/batch') ? request.postDataJSON().batch : []).map((e) => ({
  name: e.event, id: e.uuid, user: e.distinct_id, n: e.properties?.n,
}));
const opened = await open('posthog-lite.page.js');
const { page } = await visit(opened, { keys: () => [] });
noteRequests(page, events);
await page.evaluate(() => globalThis.play());
await report('posthog-lite', {}, opened.close);
