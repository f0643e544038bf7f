const { ticks, properties, traits, site } = globalThis.story;

globalThis.ids = [];

// The snippet keeps calls until its script is there.
const { analytics } = globalThis;
analytics.on('error', (err) => console.error('error', err.code, String(err.reason)));
analytics.on('dispatch_start', ({ event }) => {
  globalThis.ids.push(event.messageId);
  globalThis.note({ kind: event.type, name: event.event ?? event.name, id: event.messageId, user: event.userId, device: event.anonymousId, n: event.properties?.n });
});

globalThis.play = async () => {
  while (!globalThis.analytics.initialized) await new Promise((resolve) => setTimeout(resolve, 10)); // the script is there
  const out = document.getElementById('out');
  out.addEventListener('click', (e) => e.preventDefault());
  await globalThis.analytics.trackLink(out, 'partner_clicked', { to: 'partner' });
  const clicked = new Promise((resolve) => globalThis.analytics.once('track', resolve));
  out.dispatchEvent(new MouseEvent('click', { bubbles: true, cancelable: true, ctrlKey: true })); // into another tab: this page stays
  await clicked;
  document.title = site.pricingTitle;
  history.pushState({}, '', site.pricing);
  await globalThis.analytics.page('Shop', site.pricingTitle);
  await globalThis.analytics.track('signup_started', properties);
  await globalThis.analytics.identify('ada', { email: traits.email, plan: traits.plan, age: traits.age });
  await globalThis.analytics.track('Order Completed', { revenue: 49.9, currency: 'EUR', order_id: 'o-1' });
  for (let n = 0; n < ticks; n++) globalThis.analytics.track('tick', { n });
  await globalThis.analytics.track('last');
};
