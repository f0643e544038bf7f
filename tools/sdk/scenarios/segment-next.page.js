import { AnalyticsBrowser } from '@segment/analytics-next';

const { target, ticks, properties, traits, site, device } = globalThis.story;

globalThis.ids = [];

// The settings stand here, as Segment's CDN would give them, so nothing is fetched from it.
async function start(more) {
  const [analytics] = await AnalyticsBrowser.load({
    writeKey: target.key,
    cdnURL: target.url,
    cdnSettings: { integrations: { 'Segment.io': { apiKey: target.key, apiHost: `${new URL(target.url).host}/v1`, protocol: 'http', ...more } } },
  });
  analytics.on('error', (err) => console.error('error', err.code, String(err.reason)));
  analytics.on('dispatch_start', ({ event }) => {
    globalThis.ids.push(event.messageId);
    globalThis.note({ kind: event.type, name: event.event ?? event.name, id: event.messageId, user: event.userId, device: event.anonymousId, n: event.properties?.n });
  });
  return analytics;
}

const stories = {
  async first() {
    const analytics = await start();
    await analytics.page(site.homeTitle);
    document.title = site.pricingTitle;
    history.pushState({}, '', site.pricing);
    await analytics.page('Shop', site.pricingTitle);
    await analytics.screen('Welcome', { tab: 1 });
    await analytics.track('signup_started', properties);
    await analytics.identify('ada', { email: traits.email, firstName: traits.first, lastName: traits.last, plan: traits.plan, age: traits.age });
    await analytics.alias('ada', 'ada@example.org');
    await analytics.group('acme', { name: 'Acme', seats: 20 });
    await analytics.track('Order Completed', { revenue: 49.9, currency: 'EUR', order_id: 'o-1' });
    const devices = [analytics.user().anonymousId()];
    analytics.reset();
    await analytics.track('browsed');
    await analytics.identify('ben', { email: 'ben@example.org' });
    devices.push(analytics.user().anonymousId());
    for (let n = 0; n < ticks / 2; n++) analytics.track('tick', { n });
    await analytics.track('last');
    return { devices };
  },
  // The same user elsewhere, in batches.
  async second() {
    const analytics = await start({ deliveryStrategy: { strategy: 'batching', config: { size: Math.min(ticks, 50), timeout: 200 } } });
    await analytics.page(site.homeTitle);
    await analytics.identify('ada');
    await analytics.track('app_opened');
    for (let n = Math.ceil(ticks / 2); n < ticks; n++) analytics.track('tick', { n });
    await analytics.track('last');
    return { devices: [analytics.user().anonymousId()] };
  },
};

globalThis.play = stories[device];
