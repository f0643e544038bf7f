// @segment/analytics-node: a server that knows its users, and one visitor before sign-up.
import { Analytics } from '@segment/analytics-node';

import { complain, note, properties, report, site, target, ticks, traits } from '../story.mjs';

const client = new Analytics({
  writeKey: target.key,
  host: target.url,
  path: '/v1/batch',
  flushAt: Math.min(ticks, 50),
  flushInterval: 60_000, // by size and at the end alone
  maxRetries: 10,
});
client.on('error', (err) => complain('error:', err));
// What it sends again is noted once.
const noted = new Set();
client.on('http_request', ({ body }) => {
  for (const event of JSON.parse(body).batch) {
    if (noted.has(event.messageId)) continue;
    noted.add(event.messageId);
    note({ kind: event.type, name: event.event ?? event.name, id: event.messageId, user: event.userId, device: event.anonymousId, n: event.properties?.n });
  }
});

const context = (path, title, referrer) => ({
  ip: '203.0.113.7',
  userAgent: 'Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36',
  locale: 'de-AT',
  page: { path: path.split('?')[0], search: path.slice(path.indexOf('?')), url: site.origin + path, title, referrer },
});
const home = context(site.home, site.homeTitle, site.referrer);
home.campaign = { name: 'spring', source: 'newsletter', medium: 'email', term: 'shoes', content: 'top' };

client.page({ anonymousId: 'device-1', name: site.homeTitle, properties: { url: site.origin + site.home, path: '/', title: site.homeTitle, referrer: site.referrer }, context: home });
client.page({ anonymousId: 'device-1', category: 'Shop', name: site.pricingTitle, properties: { url: site.origin + site.pricing, path: '/pricing', title: site.pricingTitle, referrer: site.origin + '/' }, context: context(site.pricing, site.pricingTitle, site.origin + '/') });
client.screen({ anonymousId: 'phone-1', name: 'Welcome', properties: { tab: 1 } });
client.track({ anonymousId: 'device-1', event: 'signup_started', properties });

client.identify({ userId: 'ada', anonymousId: 'device-1', traits: { email: traits.email, firstName: traits.first, lastName: traits.last, plan: traits.plan, age: traits.age } });
client.alias({ userId: 'ada', previousId: 'ada@example.org' });
client.group({ userId: 'ada', groupId: 'acme', traits: { name: 'Acme', seats: 20 } });
client.track({ userId: 'ada', anonymousId: 'device-1', event: 'Order Completed', properties: { revenue: 49.9, currency: 'EUR', order_id: 'o-1' } });
client.track({ userId: 'ada', anonymousId: 'device-2', event: 'app_opened' });
client.identify({ userId: 'ada', anonymousId: 'device-2' });

client.identify({ userId: 'ben', traits: { email: 'ben@example.org' } });
client.track({ userId: 'ben', event: 'report_viewed' });
client.track({ userId: 'ben', event: 'imported', timestamp: new Date(Date.now() - 3 * 86_400_000) });

for (let n = 0; n < ticks; n++) client.track({ userId: 'ben', event: 'tick', properties: { n } });
client.track({ userId: 'ben', event: 'last' });
await client.closeAndFlush({ timeout: 60_000 });

await report('segment-node');
