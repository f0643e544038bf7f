// @rudderstack/rudder-sdk-node: a server that knows its users.
import RudderAnalytics from '@rudderstack/rudder-sdk-node';

import { complain, note, properties, report, site, target, ticks, traits } from '../story.mjs';

const client = new RudderAnalytics(target.key, {
  dataPlaneUrl: target.url,
  flushAt: Math.min(ticks, 50),
  flushInterval: 600_000, // by size and at the end alone
  retryCount: 10,
  errorHandler: (err) => complain('error:', err.message),
});
let id = 0;
const waiting = [];
const say = (call, message) => {
  const messageId = `rudder-${process.pid}-${id++}`;
  note({ kind: call, name: message.event ?? message.name, id: messageId, user: message.userId, device: message.anonymousId, n: message.properties?.n });
  waiting.push(new Promise((resolve) => client[call]({ ...message, messageId }, resolve)));
};

const context = (path, title, referrer) => ({
  ip: '203.0.113.7',
  userAgent: 'Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36',
  locale: 'de-AT',
  page: { path: path.split('?')[0], search: path.slice(path.indexOf('?')), url: site.origin + path, title, referrer },
});
say('page', { anonymousId: 'device-1', name: site.homeTitle, properties: { url: site.origin + site.home, path: '/', title: site.homeTitle, referrer: site.referrer }, context: context(site.home, site.homeTitle, site.referrer) });
say('page', { anonymousId: 'device-1', name: site.pricingTitle, properties: { url: site.origin + site.pricing, path: '/pricing', title: site.pricingTitle, referrer: `${site.origin}/` }, context: context(site.pricing, site.pricingTitle, `${site.origin}/`) });
say('track', { anonymousId: 'device-1', event: 'signup_started', properties });
say('identify', { userId: 'ada', anonymousId: 'device-1', traits: { email: traits.email, firstName: traits.first, lastName: traits.last, plan: traits.plan, age: traits.age } });
say('alias', { userId: 'ada', previousId: 'ada@example.org' });
say('group', { userId: 'ada', groupId: 'acme', traits: { name: 'Acme', seats: 20 } });
say('track', { userId: 'ada', anonymousId: 'device-1', event: 'Order Completed', properties: { revenue: 49.9, currency: 'EUR', order_id: 'o-1' } });
say('track', { userId: 'ben', event: 'report_viewed' });
say('identify', { userId: 'ben', traits: { email: 'ben@example.org' } });
say('track', { userId: 'ben', event: 'imported', originalTimestamp: new Date(Date.now() - 3 * 86_400_000) });
for (let n = 0; n < ticks; n++) say('track', { userId: 'ben', event: 'tick', properties: { n } });
say('track', { userId: 'ben', event: 'last' });
await client.flush();
await Promise.all(waiting);

await report('rudder-node');
