import { jitsuAnalytics } from '@jitsu/js';

const { target, ticks, properties, traits, site } = globalThis.story;

globalThis.play = async () => {
  const analytics = jitsuAnalytics({ host: target.url, writeKey: `${target.key}:unused`, fetchTimeoutMs: 60_000 });
  const say = async (call, ...args) => {
    try {
      await analytics[call](...args);
    } catch (err) {
      console.error(String(err));
    }
  };
  await say('page', site.homeTitle);
  document.title = site.pricingTitle;
  history.pushState({}, '', site.pricing);
  await say('page', site.pricingTitle);
  await say('track', 'signup_started', properties);
  await say('identify', 'ada', { email: traits.email, firstName: traits.first, lastName: traits.last, plan: traits.plan, age: traits.age });
  await say('group', 'acme', { name: 'Acme', seats: 20 });
  await say('track', 'Order Completed', { revenue: 49.9, currency: 'EUR', order_id: 'o-1' });
  await analytics.reset();
  await say('track', 'browsed');
  await say('identify', 'ben', { email: 'ben@example.org' });
  for (let n = 0; n < ticks; n += 50) {
    await Promise.all(Array.from({ length: Math.min(50, ticks - n) }, (_, i) => say('track', 'tick', { n: n + i })));
  }
  await say('track', 'last');
};
