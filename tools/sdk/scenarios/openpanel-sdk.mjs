// @openpanel/sdk: a server that tells of its users. An event is a request.
import { OpenPanel } from '@openpanel/sdk';

import { complain, note, properties, report, site, target, ticks } from '../story.mjs';

const client = new OpenPanel({
  apiUrl: target.url,
  clientId: target.key,
  clientSecret: 'sec_0123456789',
  filter: ({ type, payload }) => {
    if (payload.name === 'never_sent') return false; // the SDK's way to opt out
    if (payload.name === 'queued' && !payload.properties?.__timestamp) return true; // it comes again when it is sent
    note({ kind: type, name: payload.name, user: payload.profileId, n: payload.properties?.n });
    return true;
  },
});

// What the SDK cannot deliver it answers with null.
const told = async (promise) => {
  if ((await promise) === null) complain('null is the answer');
};

client.setGlobalProperties({ app: 'shop' });
await told(client.track('screen_view', { __path: site.origin + site.home, __title: site.homeTitle, __referrer: site.referrer }));
await told(client.track('screen_view', { __path: site.origin + site.pricing, __title: site.pricingTitle, __referrer: site.origin + '/' }));
await told(client.track('signup_started', properties));
const device = client.getDeviceId();
const session = client.getSessionId();

await told(client.identify({ profileId: 'ada', firstName: 'Ada', lastName: 'Lovelace', email: 'ada@example.org', avatar: 'https://shop.example/ada.png', properties: { plan: 'pro', age: 36 } }));
await told(client.upsertGroup({ id: 'acme', type: 'company', name: 'Acme', properties: { seats: 20 } }));
await told(client.setGroup('acme'));
await told(client.revenue(4990, { currency: 'EUR', order: 'o-1' }));
await told(client.revenue(100, { order: 'o-2', deviceId: 'device-2' }));
await told(client.increment({ profileId: 'ada', property: 'visits', value: 3 }));
await told(client.decrement({ profileId: 'ada', property: 'visits', value: 1 }));
client.alias({ profileId: 'ada', alias: 'ada@example.org' }); // deprecated: sends nothing

client.clear();
await told(client.identify({ profileId: 'ben', email: 'ben@example.org' }));
await told(client.track('report_viewed'));
await told(client.track('never_sent') ?? Promise.resolve());

// Queued until ready: these carry __timestamp.
const late = new OpenPanel({ ...client.options, disabled: true });
late.identify({ profileId: 'ben' });
late.track('queued');
late.ready();

// A sitting of a hundred requests at a time.
for (let n = 0; n < ticks; n += 50) {
  await Promise.all(Array.from({ length: Math.min(50, ticks - n) }, (_, i) => told(client.track('tick', { n: n + i }))));
}
await told(client.track('last'));

await report('openpanel-sdk', { device, session });
