import PostHog from 'posthog-js-lite';

const { target, ticks, properties, traits, site } = globalThis.story;

globalThis.play = async () => {
  const client = new PostHog(target.key, {
    host: target.url, flushAt: Math.min(ticks, 50), flushInterval: 60_000, fetchRetryCount: 10, fetchRetryDelay: 100, captureHistoryEvents: false, disableCompression: true,
  });
  const view = (referrer) => client.capture('$pageview', { $current_url: location.href, $pathname: location.pathname, $referrer: referrer, title: document.title });
  view(document.referrer);
  document.title = site.pricingTitle;
  history.pushState({}, '', site.pricing);
  view(`${site.origin}/`);
  client.capture('signup_started', properties);
  client.identify('ada', { email: traits.email, plan: traits.plan, age: traits.age });
  client.group('company', 'acme', { name: 'Acme', seats: 20 });
  client.capture('order_completed', { revenue: 49.9, currency: 'EUR', order: 'o-1' });
  await client.flush();
  client.reset();
  client.capture('browsed');
  client.identify('ben', { email: 'ben@example.org' });
  client.optOut();
  client.capture('never_sent');
  client.optIn();
  for (let n = 0; n < ticks; n++) client.capture('tick', { n });
  client.capture('last');
  await client.flush();
  await client.shutdown(60_000); // it waits until all is sent
};
