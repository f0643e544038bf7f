// @amplitude/analytics-node: a server that knows its users, and one visitor before sign-up.
import * as amplitude from '@amplitude/analytics-node';

import { complain, note, properties, report, site, target, ticks, traits } from '../story.mjs';

const quiet = () => {};
const client = amplitude.createInstance();
await client.init(target.key, {
  serverUrl: `${target.url}/2/httpapi`,
  flushIntervalMillis: 100,
  flushQueueSize: Math.min(ticks, 50),
  flushMaxRetries: 20,
  loggerProvider: { enable: quiet, disable: quiet, debug: quiet, log: quiet, warn: quiet, error: quiet },
}).promise;
await client.add({
  name: 'notes',
  type: 'enrichment',
  setup: async () => {},
  execute: async (event) => {
    note({ kind: event.user_properties?.$append ? 'lists' : 'event', name: event.event_type, id: event.user_properties?.$append ? undefined : event.insert_id, user: event.user_id, device: event.device_id, n: event.event_properties?.n });
    return event;
  },
}).promise;

// An event is through when the SDK has its answer, or gives it up.
const sent = [];
const told = (result) => sent.push(result.promise.then(({ code, message }) => code === 200 || complain('error:', `[${code}]`, message)));

const visitor = {
  device_id: 'device-1', session_id: Date.now(), ip: '203.0.113.7', language: 'de-AT',
  user_agent: 'Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36',
};
const page = (path, title, referrer) => ({ '[Amplitude] Page Location': site.origin + path, '[Amplitude] Page Path': path.split('?')[0], '[Amplitude] Page Title': title, referrer });
told(client.track('[Amplitude] Page Viewed', page(site.home, site.homeTitle, site.referrer), visitor));
told(client.track('[Amplitude] Page Viewed', page(site.pricing, site.pricingTitle, `${site.origin}/`), visitor));
told(client.track('signup_started', properties, visitor));

const who = new amplitude.Identify().set('email', traits.email).set('plan', traits.plan).set('age', traits.age).setOnce('first_plan', 'free').add('visits', 2);
told(client.identify(who, { user_id: 'ada', device_id: 'device-1' }));
told(client.identify(new amplitude.Identify().unset('age'), { user_id: 'ada' }));
told(client.identify(new amplitude.Identify().append('colours', 'red'), { user_id: 'ada' })); // Weir has no lists
told(client.groupIdentify('company', 'acme', new amplitude.Identify().set('name', 'Acme').set('seats', 20), { user_id: 'ada' }));
const paid = new amplitude.Revenue().setProductId('A-1').setPrice(9.5).setQuantity(2).setCurrency('EUR').setEventProperties({ order: 'o-1' });
told(client.revenue(paid, { user_id: 'ada', device_id: 'device-1' }));
told(client.track('app_opened', undefined, { user_id: 'ada', device_id: 'device-2', groups: { company: 'acme' } }));

told(client.identify(new amplitude.Identify().set('email', 'ben@example.org'), { user_id: 'ben' }));
told(client.track('report_viewed', undefined, { user_id: 'ben' }));
told(client.track('imported', undefined, { user_id: 'ben', time: Date.now() - 3 * 86_400_000 }));
for (let n = 0; n < ticks; n++) told(client.track('tick', { n }, { user_id: 'ben' }));
told(client.track('last', undefined, { user_id: 'ben' }));
await Promise.all(sent);

await report('amplitude-node');
