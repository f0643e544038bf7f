import { track } from '@minimal-analytics/ga4';

const { target, strings, site } = globalThis.story;

globalThis.minimalAnalytics = { trackingId: target.key, analyticsEndpoint: `${target.url}/g/collect` };

// What the SDK hands to the browser, in its own words.
const send = navigator.sendBeacon.bind(navigator);
navigator.sendBeacon = (address, body) => {
  const sent = new URL(address).searchParams;
  globalThis.note({ kind: 'event', name: sent.get('en'), user: sent.get('uid') ?? undefined, device: sent.get('cid'), n: sent.get('epn.n') ?? undefined });
  return send(address, body);
};

// The application goes on when the server is there again.
async function reachable() {
  for (;;) {
    try {
      return await fetch(`${target.url}/healthz`, { mode: 'no-cors' });
    } catch {
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }
}

const parts = {
  home: () => track(),
  pricing() {
    document.title = site.pricingTitle;
    history.pushState({}, '', site.pricing);
    track();
  },
  signup: () => track({ type: 'signup_started', event: { 'ep.plan': strings.plan, 'epn.seats': 3, 'ep.text': strings.text } }),
  out() {
    const link = document.getElementById('out');
    link.addEventListener('click', (e) => e.preventDefault());
    link.click();
  },
  purchase: () => track({ type: 'purchase', event: { 'ep.transaction_id': 'o-1', 'epn.value': 49.9, cu: 'EUR', pr1: 'idSKU_1~nmShoe~pr49.9~qt1' } }),
  identify: () => track({ type: 'login', event: { uid: 'ada', 'up.email': 'ada@example.org', 'upn.age': 36 } }),
  tick(from, many) {
    for (let n = from; n < from + many; n++) track({ type: 'tick', event: { 'epn.n': n } });
    return many;
  },
  last: () => track({ type: 'last' }),
};

// Each part returns how many events it sent.
globalThis.play = Object.fromEntries(
  Object.entries(parts).map(([name, part]) => [name, async (...args) => {
    await reachable();
    return part(...args) ?? 1;
  }]),
);
