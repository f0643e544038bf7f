// @jitsu/js in Chromium. It sends nothing again: the story goes on when a call has an answer or none.
import { calls, noteRequests, open, visit } from '../browser.mjs';
import { report } from '../story.mjs';

const opened = await open('jitsu-js.page.js');
const { page } = await visit(opened, { keys: () => [] });
noteRequests(page, calls);
await page.evaluate(() => globalThis.play());
await report('jitsu-js', {}, opened.close);
