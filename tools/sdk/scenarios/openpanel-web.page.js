import { OpenPanel } from '@openpanel/web';

const { target, ticks, properties, site, device } = globalThis.story;

globalThis.sent = [];
const waiting = [];
const seen = (name) => new Promise((resolve) => waiting.push({ name, resolve }));

const start = (more) =>
  new OpenPanel({
    apiUrl: target.url,
    clientId: target.key,
    trackScreenViews: true,
    trackOutgoingLinks: true,
    trackAttributes: true,
    filter: ({ type, payload }) => {
      if (payload.name === 'never_sent') return false; // the SDK's way to opt out
      const event = { kind: type, name: payload.name, user: payload.profileId, n: payload.properties?.n };
      globalThis.note(event);
      for (const w of waiting.filter((w) => w.name === (payload.name ?? type))) w.resolve();
      return true;
    },
    ...more,
  });

// What the SDK cannot deliver it answers with null.
const told = async (promise) => {
  const answer = await promise;
  if (answer === null) console.error('null is the answer');
  return answer;
};

const stories = {
  async first() {
    const first = seen('screen_view');
    const op = start();
    await first;
    const second = seen('screen_view');
    document.title = site.pricingTitle;
    history.pushState({}, '', site.pricing);
    await second;
    const ids = await told(op.track('signup_started', properties));
    const click = seen('buy_clicked');
    document.getElementById('buy').click();
    await click;
    const out = seen('link_out');
    const link = document.getElementById('out');
    link.addEventListener('click', (e) => e.preventDefault());
    link.click();
    await out;

    await told(op.identify({ profileId: 'ada', firstName: 'Ada', lastName: 'Lovelace', email: 'ada@example.org', properties: { plan: 'pro', age: 36 } }));
    await told(op.upsertGroup({ id: 'acme', type: 'company', name: 'Acme', properties: { seats: 20 } }));
    await told(op.setGroup('acme'));
    await told(op.revenue(4990, { currency: 'EUR', order: 'o-1' }));
    op.pendingRevenue(100, { order: 'o-2' });
    await op.flushRevenue();
    await told(op.increment({ profileId: 'ada', property: 'visits', value: 3 }));
    await told(op.decrement({ profileId: 'ada', property: 'visits', value: 1 }));

    op.clear();
    await told(op.track('browsed'));
    await told(op.identify({ profileId: 'ben', email: 'ben@example.org' }));
    await op.track('never_sent');
    for (let n = 0; n < ticks; n += 50) {
      await Promise.all(Array.from({ length: Math.min(50, ticks - n) }, (_, i) => told(op.track('tick', { n: n + i }))));
    }
    await told(op.track('last'));
    return { ids };
  },
  // A recorded visit of the same user.
  async second() {
    const first = seen('screen_view');
    const replay = seen('replay');
    const op = start({ sessionReplay: { enabled: true, flushIntervalMs: 100 } });
    await first;
    await told(op.identify({ profileId: 'ada', email: 'ada@example.org' }));
    await told(op.track('app_opened'));
    await replay;
    return {};
  },
};

globalThis.play = stories[device];
