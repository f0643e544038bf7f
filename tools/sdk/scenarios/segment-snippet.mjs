// Segment's HTML snippet in Chromium, as @segment/snippet makes it: the server gives the script, its parts and the settings.
import { min } from '@segment/snippet';

import { open, visit } from '../browser.mjs';
import { complain, report, target } from '../story.mjs';

// The snippet always says https; the test's server has no certificate.
const snippet = min({ host: new URL(target.url).host, apiKey: target.key, useHostForBundles: true, page: true }).replaceAll('https://', 'http://');

const keys = (request) => {
  const body = request.postDataJSON();
  return (body?.batch ?? [body]).map((event) => event?.messageId);
};

// What got a 413 is gone.
const settled = (res) => res.request().method() === 'POST' && (res.ok() || res.status() === 413);

const opened = await open('segment-snippet.page.js', `<script>${snippet}</script>`);
const { page, delivered } = await visit(opened, { path: '/?utm_source=newsletter&utm_medium=email&utm_campaign=spring&utm_term=shoes&utm_content=top&ajs_event=landed', keys, settled });
page.on('response', (res) => {
  if (res.url().endsWith('.js') && res.url().startsWith(target.url) && !res.ok()) complain(`${res.status()} ${res.url()}`);
});
await page.evaluate(() => globalThis.play());
const ids = await page.evaluate(() => globalThis.ids);
await delivered(() => ids);
await report('segment-snippet', {}, opened.close);
