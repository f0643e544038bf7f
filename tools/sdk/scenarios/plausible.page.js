import { init, track } from '@plausible-analytics/tracker';

const { target, ticks, strings, site } = globalThis.story;

const waiting = [];
const seen = (name) => new Promise((resolve) => waiting.push({ name, resolve }));

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

// The SDK does not retry: what became of an event is said to its callback.
const send = (name, options = {}) =>
  new Promise((resolve) => {
    track(name, {
      ...options,
      callback: (result) => {
        globalThis.note({ kind: 'answer', name, n: options.props?.n, status: result?.status, failed: result?.error ? String(result.error.name) : undefined });
        (result?.error ? reachable() : Promise.resolve()).then(() => resolve(result));
      },
    });
  });

globalThis.play = async () => {
  const first = seen('pageview');
  init({
    domain: target.key,
    endpoint: `${target.url}/api/event`,
    outboundLinks: true,
    logging: false, // it says which events the page itself held back
    customProperties: { app: 'shop' },
    transformRequest: (event) => {
      if (event.n === 'never_sent') return null;
      globalThis.note({ kind: 'event', name: event.n, n: event.p?.n });
      for (const w of waiting.filter((w) => w.name === event.n)) w.resolve();
      return event;
    },
  });
  await first;
  const second = seen('pageview');
  document.title = site.pricingTitle;
  history.pushState({}, '', site.pricing);
  await second;
  await send('signup_started', { props: strings });
  await send('Purchase', { revenue: { amount: 49.9, currency: 'EUR' }, props: { order: 'o-1' } });
  await send('autoplay', { interactive: false });
  await send('elsewhere', { url: `${site.origin}/elsewhere?utm_source=print` });
  const out = seen('Outbound Link: Click');
  const link = document.getElementById('out');
  link.addEventListener('click', (e) => e.preventDefault());
  link.dispatchEvent(new MouseEvent('click', { bubbles: true, cancelable: true, ctrlKey: true }));
  await out;
  await send('never_sent');
  for (let n = 0; n < ticks; n += 50) {
    await Promise.all(Array.from({ length: Math.min(50, ticks - n) }, (_, i) => send('tick', { props: { n: String(n + i) } })));
  }
  await send('last');
};
