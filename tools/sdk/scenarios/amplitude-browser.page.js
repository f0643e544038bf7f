import * as amplitude from '@amplitude/analytics-browser';

const { target, ticks, properties, traits, site, device } = globalThis.story;

const sent = [];
const quiet = () => {};

// An event is through when the SDK has its answer, or gives it up.
const told = (result) => sent.push(result.promise.then(({ code, message }) => code === 200 || console.error('error', code, message)));

// An event is of the user who is set when the SDK comes to it.
const through = () => Promise.all(sent);

async function start() {
  amplitude.add({
    name: 'notes',
    type: 'enrichment',
    setup: async () => {},
    execute: async (event) => {
      // What the SDK sends of its own accord has no promise here.
      const anonymous = event.event_type === '$identify' && !event.user_id;
      globalThis.note({ kind: anonymous ? 'campaign' : 'event', name: event.event_type, id: anonymous ? undefined : event.insert_id, user: event.user_id, device: event.device_id, n: event.event_properties?.n });
      return event;
    },
  });
  await amplitude.init(target.key, {
    serverUrl: `${target.url}/2/httpapi`,
    flushIntervalMillis: 100,
    flushQueueSize: Math.min(ticks, 50),
    flushMaxRetries: 20,
    fetchRemoteConfig: false,
    enableDiagnostics: false,
    autocapture: { attribution: true, pageViews: { trackHistoryChanges: 'all' }, sessions: false, formInteractions: false, fileDownloads: false, elementInteractions: false },
    loggerProvider: { enable: quiet, disable: quiet, debug: quiet, log: quiet, warn: quiet, error: quiet },
  }).promise;
}

const stories = {
  async first() {
    await start();
    document.title = site.pricingTitle;
    history.pushState({}, '', site.pricing);
    await new Promise((resolve) => setTimeout(resolve, 50)); // the SDK reads the title a moment later
    told(amplitude.track('signup_started', properties));
    const devices = [amplitude.getDeviceId()];
    await through();
    amplitude.setUserId('ada');
    told(amplitude.identify(new amplitude.Identify().set('email', traits.email).set('plan', traits.plan).set('age', traits.age).setOnce('first_plan', 'free').add('visits', 2)));
    told(amplitude.identify(new amplitude.Identify().unset('age')));
    told(amplitude.groupIdentify('company', 'acme', new amplitude.Identify().set('name', 'Acme').set('seats', 20)));
    const paid = new amplitude.Revenue().setProductId('A-1').setPrice(9.5).setQuantity(2).setCurrency('EUR').setEventProperties({ order: 'o-1' });
    told(amplitude.revenue(paid));
    await through();
    amplitude.reset();
    told(amplitude.track('browsed'));
    await through();
    amplitude.setUserId('ben');
    told(amplitude.identify(new amplitude.Identify().set('email', 'ben@example.org')));
    for (let n = 0; n < ticks / 2; n++) told(amplitude.track('tick', { n }));
    told(amplitude.track('last'));
    devices.push(amplitude.getDeviceId());
    await through();
    return { devices };
  },
  // The same user elsewhere.
  async second() {
    await start();
    told(amplitude.track('arrived'));
    await through();
    amplitude.setUserId('ada');
    told(amplitude.track('app_opened'));
    for (let n = Math.ceil(ticks / 2); n < ticks; n++) told(amplitude.track('tick', { n }));
    told(amplitude.track('last'));
    await through();
    return { devices: [amplitude.getDeviceId()] };
  },
};

globalThis.play = stories[device];
