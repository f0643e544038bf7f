import mixpanel from 'mixpanel-browser';

const { target, ticks, properties, traits, site, device } = globalThis.story;

const noted = new Set();

// What it sends again is noted once.
function sending(id, event) {
  if (noted.has(id)) return;
  noted.add(id);
  globalThis.note(event);
}

function start() {
  mixpanel.init(target.key, {
    api_host: target.url,
    track_pageview: 'url-with-path',
    persistence: 'localStorage',
    batch_flush_interval_ms: 200,
    error_reporter: (message) => console.error('error_reporter', message),
    hooks: {
      before_send_events: (item) => {
        const { $insert_id: id, distinct_id: user, $device_id: on, n } = item.properties;
        globalThis.sentLast ||= item.event === 'last';
        sending(id, { kind: 'track', name: item.event, id, user, device: on, n });
        return item;
      },
      before_send_people: (item) => {
        sending(JSON.stringify(item), { kind: 'people', name: Object.keys(item).find((key) => !['$token', '$distinct_id', '$device_id', '$user_id'].includes(key)) });
        return item;
      },
      before_send_groups: (item) => {
        sending(JSON.stringify(item), { kind: 'group' });
        return item;
      },
    },
  });
}

const stories = {
  async first() {
    start();
    document.title = site.pricingTitle;
    history.pushState({}, '', site.pricing);
    mixpanel.track('signup_started', properties);
    const devices = [mixpanel.get_property('$device_id')];
    mixpanel.identify('ada');
    mixpanel.people.set({ $email: traits.email, $first_name: traits.first, $last_name: traits.last, plan: traits.plan, age: traits.age });
    mixpanel.people.set_once({ first_plan: 'free' });
    mixpanel.people.increment('visits', 2);
    mixpanel.people.unset('age');
    mixpanel.people.append('colours', 'red'); // Weir has no lists
    mixpanel.set_group('company', 'acme');
    mixpanel.get_group('company', 'acme').set({ $name: 'Acme', seats: 20 });
    mixpanel.track('order_completed', { revenue: 49.9, currency: 'EUR', order: 'o-1' });
    mixpanel.reset();
    mixpanel.track('browsed');
    mixpanel.identify('ben');
    mixpanel.people.set({ $email: 'ben@example.org' });
    for (let n = 0; n < ticks / 2; n++) mixpanel.track('tick', { n });
    mixpanel.track('last');
    devices.push(mixpanel.get_property('$device_id'));
    return { devices };
  },
  // The same user elsewhere.
  async second() {
    start();
    mixpanel.identify('ada');
    mixpanel.track('app_opened');
    for (let n = Math.ceil(ticks / 2); n < ticks; n++) mixpanel.track('tick', { n });
    mixpanel.track('last');
    return { devices: [mixpanel.get_property('$device_id')] };
  },
};

globalThis.play = stories[device];
