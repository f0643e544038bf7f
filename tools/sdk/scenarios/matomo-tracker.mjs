// matomo-tracker: a server that tells of a page's visitor, a hit each by GET, and many at once. It sends nothing again.
import { subscribe } from 'node:diagnostics_channel';

import MatomoTracker from 'matomo-tracker';

import { complain, note, report, site, target, ticks } from '../story.mjs';

const tracker = new MatomoTracker(target.key, `${target.url}/matomo.php`);
tracker.on('error', (err) => complain('error:', err));

// The SDK does not say when a hit has an answer; Node does.
let answered = () => {};
subscribe('http.client.response.finish', () => answered());

const visitor = {
  _id: '0123456789abcdef',
  ua: 'Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36',
  lang: 'de-AT', res: '1440x900',
};
const say = async (name, hit, n) => {
  note({ kind: 'hit', name, n });
  await new Promise((resolve) => {
    answered = resolve;
    tracker.track({ ...visitor, ...hit });
  });
};
await say('view', { url: site.origin + site.home, action_name: site.homeTitle, urlref: site.referrer });
await say('view', { url: site.origin + site.pricing, action_name: site.pricingTitle, urlref: `${site.origin}/` });
await say('signup_started', { url: site.origin + site.pricing, e_c: 'signup', e_a: 'signup_started', e_n: 'pro', e_v: 3 });
await say('login', { url: site.origin + site.pricing, uid: 'ada', e_c: 'account', e_a: 'login' });
await say('purchase', { url: site.origin + site.pricing, uid: 'ada', idgoal: 0, ec_id: 'o-1', revenue: 49.9 });
await say('purchase again', { url: site.origin + site.pricing, uid: 'ada', idgoal: 0, ec_id: 'o-1', revenue: 49.9 });
for (let n = 0; n < ticks; n += 50) {
  const many = Array.from({ length: Math.min(50, ticks - n) }, (_, i) => ({ ...visitor, url: site.origin + site.pricing, e_c: 'clock', e_a: 'tick', n: n + i }));
  for (const hit of many) note({ kind: 'bulk', name: 'tick', n: hit.n });
  await new Promise((resolve) => tracker.trackBulk(many, resolve));
}
await say('last', { url: site.origin + site.pricing, e_c: 'story', e_a: 'last' });

await report('matomo-tracker');
