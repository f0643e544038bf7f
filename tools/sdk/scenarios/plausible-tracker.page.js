import Plausible from 'plausible-tracker';

const { target, ticks, strings, site } = globalThis.story;

globalThis.play = async () => {
  const { trackPageview, trackEvent } = Plausible({ domain: target.key, apiHost: target.url });
  const said = (track) => new Promise((resolve) => track({ callback: resolve }));
  await said((options) => trackPageview({}, options));
  document.title = site.pricingTitle;
  history.pushState({}, '', site.pricing);
  await said((options) => trackPageview({}, options));
  await said((options) => trackEvent('signup_started', { ...options, props: strings }));
  await said((options) => trackEvent('elsewhere', options, { url: `${site.origin}/elsewhere?utm_source=print` }));
  for (let n = 0; n < ticks; n += 50) {
    await Promise.all(Array.from({ length: Math.min(50, ticks - n) }, (_, i) => said((options) => trackEvent('tick', { ...options, props: { n: String(n + i) } }))));
  }
  await said((options) => trackEvent('last', options));
};
