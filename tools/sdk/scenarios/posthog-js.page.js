import posthog from 'posthog-js';

const { target, ticks, properties, traits, site, device } = globalThis.story;

globalThis.uuids = [];
const waiting = [];

const seen = (name) => new Promise((resolve) => waiting.push({ name, resolve }));

function start(more) {
  const first = seen('$pageview');
  posthog.init(target.key, {
    api_host: target.url,
    defaults: '2025-05-24',
    request_queue_config: { flush_interval_ms: 250 },
    rate_limiting: { events_per_second: 1000, events_burst_limit: 1000 },
    on_request_error: ({ statusCode, text }) => console.error('on_request_error', statusCode, text ?? ''),
    before_send: (event) => {
      globalThis.uuids.push(event.uuid);
      globalThis.note({ name: event.event, id: event.uuid, user: event.properties.distinct_id, device: event.properties.$device_id, session: event.properties.$session_id, n: event.properties.n });
      for (const w of waiting.filter((w) => w.name === event.event)) w.resolve();
      return event;
    },
    ...more,
  });
  return first;
}

const stories = {
  async first() {
    await start();
    const second = seen('$pageview');
    document.title = site.pricingTitle;
    history.pushState({}, '', site.pricing);
    await second;
    posthog.capture('signup_started', properties);
    // Clicks count from when the remote configuration has come.
    let clicked = false;
    seen('$autocapture').then(() => { clicked = true; });
    for (let tries = 0; !clicked && tries < 500; tries++) {
      document.getElementById('buy').click();
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    if (!clicked) console.error('a click is no $autocapture');

    posthog.identify('ada', { email: traits.email, plan: traits.plan, age: traits.age }, { first_plan: 'free' });
    posthog.alias('ada@example.org', 'ada');
    posthog.group('company', 'acme', { name: 'Acme', seats: 20 });
    posthog.capture('order_completed', { revenue: 49.9, currency: 'EUR', order: 'o-1' });
    posthog.setPersonProperties({ team: 'red' }, { first_team: 'red' });
    let features;
    posthog.getEarlyAccessFeatures((list) => { features = list; }, true); // nothing comes when the server is down
    const flag = posthog.isFeatureEnabled('beta') ?? null;

    posthog.reset();
    posthog.capture('browsed');
    posthog.identify('ben', { email: 'ben@example.org' });
    posthog.opt_out_capturing();
    posthog.capture('never_sent');
    posthog.opt_in_capturing();
    for (let n = 0; n < ticks; n++) posthog.capture('tick', { n });
    posthog.capture('last');
    return { features, flag };
  },
  async second() {
    await start();
    posthog.identify('ada');
    posthog.capture('app_opened');
    return {};
  },
};

globalThis.play = stories[device];
/** The last thing before the page is left: it goes by sendBeacon. */
globalThis.leave = () => posthog.capture('left');
