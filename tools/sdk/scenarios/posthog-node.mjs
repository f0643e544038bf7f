// posthog-node: a server that knows its users, and one visitor before sign-up. POSTHOG_CAPTURE_MODE=v1 makes the SDK speak
// its newer protocol.
import { PostHog } from 'posthog-node';

import { complain, note, properties, report, site, target, ticks, traits } from '../story.mjs';

const client = new PostHog(target.key, {
  host: target.url,
  flushAt: Math.min(ticks, 50),
  flushInterval: 60_000, // by size and at the end alone
  fetchRetryCount: 10,
  fetchRetryDelay: 100,
});
client.on('flush', (events) => {
  for (const event of events) note({ name: event.event, id: event.uuid, user: event.distinct_id, n: event.properties?.n });
});
client.on('error', (err) => complain('error:', err));

const session = '0190b2f0-0000-7000-8000-000000000001';

// Before sign-up: a device.
const page = (path, title) => ({ $current_url: site.origin + path, $pathname: path.split('?')[0], $host: 'shop.example', title, $session_id: session });
client.capture({ distinctId: 'device-1', event: '$pageview', properties: { ...page(site.home, site.homeTitle), $referrer: site.referrer, $referring_domain: 'www.google.com', utm_source: 'newsletter', utm_medium: 'email', utm_campaign: 'spring' } });
client.capture({ distinctId: 'device-1', event: '$pageview', properties: { ...page(site.pricing, site.pricingTitle), $referrer: site.origin + '/' } });
client.capture({ distinctId: 'device-1', event: 'signup_started', properties: { ...properties, $session_id: session } });

// Sign-up.
client.alias({ distinctId: 'ada', alias: 'device-1' });
client.identify({ distinctId: 'ada', properties: { ...traits, $set_once: { first_plan: 'free' } } });
client.groupIdentify({ groupType: 'company', groupKey: 'acme', properties: { name: 'Acme', seats: 20 } });
client.capture({ distinctId: 'ada', event: 'order_completed', groups: { company: 'acme' }, properties: { revenue: 49.9, currency: 'EUR', order: 'o-1' } });
client.setPersonProperties({ distinctId: 'ada', properties: { plan: 'team' }, propertiesOnce: { first_plan: 'never' } });
client.unsetPersonProperties({ distinctId: 'ada', properties: ['age'] });

// The same user on another device.
client.capture({ distinctId: 'device-2', event: 'app_opened', properties: { $lib_custom: true } });
client.alias({ distinctId: 'ada', alias: 'device-2' });

// Another user; one event of three days ago.
client.identify({ distinctId: 'ben', properties: { email: 'ben@example.org' } });
client.capture({ distinctId: 'ben', event: 'report_viewed' });
client.capture({ distinctId: 'ben', event: 'imported', timestamp: new Date(Date.now() - 3 * 86_400_000) });

// Opted out, then in again. What waits to be sent would be dropped.
await client.flush();
await client.disable();
client.capture({ distinctId: 'ben', event: 'never_sent' });
await client.flush(); // what is captured is looked at a moment later
await client.enable();

const flags = await client.getAllFlags('ada');
for (let n = 0; n < ticks; n++) client.capture({ distinctId: 'ben', event: 'tick', properties: { n } });
client.capture({ distinctId: 'ben', event: 'last' });
await client.shutdown(60_000);

await report('posthog-node', { flags });
