// mixpanel (Node): a server that tells of its users. A call is a request, which the SDK does not repeat.
import Mixpanel from 'mixpanel';

import { complain, note, properties, report, site, target, ticks, traits } from '../story.mjs';

// It warns that keys of projects are deprecated; without one it refuses import, and with anything newer it wants https.
const quiet = () => {};
const logger = { trace: quiet, debug: quiet, info: quiet, warn: quiet, error: complain };

const { hostname, port } = new URL(target.url);
const client = Mixpanel.init(target.key, { host: hostname, port, protocol: 'http', key: 'unused', verbose: true, logger });

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

async function send(kind, name, n, call) {
  note({ kind, name, n });
  const err = await new Promise((resolve) => call(resolve));
  for (const e of [err].flat().filter(Boolean)) {
    complain('error:', e.message);
    await reachable();
  }
}

const track = (name, more, n) => send('track', name, n, (done) => client.track(name, more, done));
const people = (name, ...more) => send('people', name, undefined, (done) => client.people[name](...more, done));

const visitor = {
  distinct_id: '$device:device-1', $device_id: 'device-1', ip: '203.0.113.7',
  $user_agent: 'Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36',
};
await track('$mp_web_page_view', { ...visitor, $current_url: site.origin + site.home, $referrer: site.referrer, current_page_title: site.homeTitle });
await track('$mp_web_page_view', { ...visitor, $current_url: site.origin + site.pricing, $referrer: `${site.origin}/`, current_page_title: site.pricingTitle });
await track('signup_started', { ...visitor, ...properties });

await people('set', 'ada', { $email: traits.email, $first_name: traits.first, $last_name: traits.last, plan: traits.plan, age: traits.age });
await people('set_once', 'ada', { first_plan: 'free' });
await people('increment', 'ada', 'visits', 2);
await people('unset', 'ada', ['age']);
await people('append', 'ada', 'colours', 'red'); // Weir has no lists
await people('track_charge', 'ada', 9.5, { order: 'o-0' });
await send('alias', undefined, undefined, (done) => client.alias('ada', 'ada@example.org', done));
await send('group', undefined, undefined, (done) => client.groups.set('company', 'acme', { $name: 'Acme', seats: 20 }, done));
await track('order_completed', { distinct_id: 'ada', revenue: 49.9, currency: 'EUR', order: 'o-1' });

await people('set', 'ben', { $email: 'ben@example.org' });
note({ kind: 'track', name: 'report_viewed' });
await new Promise((resolve) => client.track_batch([{ event: 'report_viewed', properties: { distinct_id: 'ben', time: Date.now(), $insert_id: 'report-1' } }], {}, (errors) => {
  for (const err of errors ?? []) if (err) complain('error:', err.message);
  resolve();
}));
await send('track', 'imported', undefined, (done) => client.import('imported', new Date(Date.now() - 3 * 86_400_000), { distinct_id: 'ben' }, done));
for (let n = 0; n < ticks; n += 50) {
  await Promise.all(Array.from({ length: Math.min(50, ticks - n) }, (_, i) => track('tick', { distinct_id: 'ben', n: n + i }, n + i)));
}
await track('last', { distinct_id: 'ben' });

await report('mixpanel-node');
