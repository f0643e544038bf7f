// @umami/node: a server that tells of a page's visitor. An event is a request; the SDK does not retry, so the story notes
// what an answer that is no 200 was for.
import { Umami } from '@umami/node';

import { complain, note, properties, report, site, target, ticks } from '../story.mjs';

const client = new Umami({
  hostUrl: target.url,
  websiteId: target.key,
  userAgent: 'Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36',
});

// The application goes on when the server is there again.
async function reachable() {
  for (;;) {
    try {
      return await fetch(`${target.url}/healthz`);
    } catch {
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }
}

let cache = false;
async function send(kind, name, n, promise) {
  const event = { kind, name, n };
  note(event);
  try {
    const answer = await promise;
    event.status = answer.status;
    const body = await answer.json();
    cache ||= typeof body.cache === 'string';
    if (body.beep) complain('taken for a bot');
  } catch (err) {
    event.failed = String(err.cause?.code ?? err.name); // fetch failed, or no JSON
    await reachable();
  }
}

const page = (path, title, referrer) => ({ hostname: 'shop.example', language: 'de-AT', screen: '1920x1080', url: path, title, referrer });
await send('event', undefined, undefined, client.track(page(site.home, site.homeTitle, site.referrer)));
await send('event', undefined, undefined, client.track(page(site.pricing, site.pricingTitle, '/')));
await send('event', 'signup_started', undefined, client.track({ ...page(site.pricing, site.pricingTitle, '/'), name: 'signup_started', data: properties }));
await send('identify', undefined, undefined, client.identify({ id: 'ada', email: 'ada@example.org', plan: 'pro', age: 36 }));
await send('event', 'order_completed', undefined, client.track('order_completed', { revenue: 49.9, currency: 'EUR', order: 'o-1' }));
client.reset();
await send('event', 'report_viewed', undefined, client.track({ ...page('/report', 'Report', ''), name: 'report_viewed', id: 'ben', tag: 'b' }));
for (let n = 0; n < ticks; n += 50) {
  await Promise.all(Array.from({ length: Math.min(50, ticks - n) }, (_, i) => send('event', 'tick', n + i, client.track('tick', { n: n + i }))));
}
await send('event', 'last', undefined, client.track('last'));

await report('umami-node', { cache });
