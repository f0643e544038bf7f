import { RudderAnalytics } from '@rudderstack/analytics-js/bundled';

const { target, ticks, properties, traits, site } = globalThis.story;

const analytics = new RudderAnalytics();
const ids = [];
/** Makes a call, and resolves when the SDK has put it into its queue. */
const said = (call, ...args) => new Promise((resolve) => {
  analytics[call](...args, (message) => {
    ids.push((message.message ?? message).messageId);
    resolve();
  });
});

globalThis.play = async () => {
  await new Promise((resolve) => {
    analytics.load(target.key, target.url, {
      configUrl: target.url, logLevel: 'ERROR', onLoaded: resolve, queueOptions: { maxItems: 1000, minRetryDelay: 100, maxRetryDelay: 1000 },
      sendAdblockPage: false, storage: { encryption: { version: 'v3' } },
    });
  });
  await said('page', site.homeTitle, {}, {});
  document.title = site.pricingTitle;
  history.pushState({}, '', site.pricing);
  await said('page', 'Shop', site.pricingTitle, {}, {});
  await said('track', 'signup_started', properties, {});
  await said('identify', 'ada', { email: traits.email, firstName: traits.first, lastName: traits.last, plan: traits.plan, age: traits.age }, {});
  await said('alias', 'ada', 'ada@example.org', {});
  await said('group', 'acme', { name: 'Acme', seats: 20 }, {});
  await said('track', 'Order Completed', { revenue: 49.9, currency: 'EUR', order_id: 'o-1' }, {});
  analytics.reset(true); // the anonymous id too
  await said('track', 'browsed', {}, {});
  await said('identify', 'ben', { email: 'ben@example.org' }, {});
  for (let n = 0; n < ticks; n++) await said('track', 'tick', { n }, {});
  await said('track', 'last', {}, {});
  return ids;
};
