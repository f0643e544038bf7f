// Made-up visitors and callers for the mock server.

const pick = (weighted) => {
  let at = Math.random() * weighted.reduce((sum, [, w]) => sum + w, 0)
  for (const [value, weight] of weighted) {
    at -= weight
    if (at <= 0) return value
  }
  return weighted[0][0]
}

export const paths = [
  ['/', 30], ['/pricing', 16], ['/docs', 13], ['/blog/why-we-measure', 9], ['/docs/quickstart', 8],
  ['/changelog', 5], ['/signup', 5], ['/docs/api/events', 4], ['/about', 3], ['/careers/senior-water-engineer', 1],
]
export const countries = [
  ['DE', 26], ['US', 21], ['CN', 13], ['GB', 8], ['FR', 7], ['IN', 6], ['BR', 4], ['JP', 4], ['NL', 3], ['', 2],
]
const cities = { DE: 'Berlin', US: 'Portland', CN: 'Chengdu', GB: 'Leeds', FR: 'Lyon', IN: 'Pune', BR: 'Recife', JP: 'Kyoto', NL: 'Utrecht' }
export const browsers = [['Chrome', 52], ['Safari', 22], ['Firefox', 11], ['Edge', 8], ['Samsung Internet', 3], ['', 4]]
export const systems = [['Windows', 36], ['macOS', 21], ['Android', 20], ['iOS', 16], ['Linux', 7]]
export const devices = [['desktop', 61], ['phone', 34], ['tablet', 5]]
export const channels = [['direct', 40], ['search', 31], ['referral', 12], ['social', 9], ['ai', 5], ['email', 3]]
export const referrers = [['', 40], ['google.com', 31], ['news.ycombinator.com', 12], ['github.com', 9], ['chatgpt.com', 4]]
export const routes = [
  ['GET /api/v1/orders', 28], ['GET /api/v1/orders/{id}', 22], ['POST /api/v1/orders', 14], ['GET /api/v1/customers/{id}', 12],
  ['POST /api/v1/payments', 8], ['GET /api/v1/products', 7], ['PATCH /api/v1/customers/{id}', 4], ['DELETE /api/v1/carts/{id}', 2],
]
export const statuses = [['200', 840], ['201', 92], ['404', 38], ['304', 30], ['429', 9], ['500', 4], ['503', 1]]
export const consumers = [['acme', 41], ['globex', 27], ['initech', 18], ['umbrella', 9], ['hooli', 5]]
export const methods = [['GET', 69], ['POST', 22], ['PATCH', 4], ['DELETE', 2]]
const names = [['screen_view', 55], ['click', 14], ['signup_started', 3], ['signup_completed', 2], ['search', 6]]

let serial = 0
const hex = (n) => Math.floor(Math.random() * 16 ** n).toString(16).padStart(n, '0')

/** One event that happened at the time; only calls when the project is an API. */
export function event(time, callsOnly) {
  const country = pick(countries)
  const base = {
    id: `0193${(serial++).toString(16).padStart(8, '0')}-${hex(8)}`,
    ts: new Date(time).toISOString(),
    received_at: new Date(time).toISOString(),
    country,
    ...(cities[country] ? { city: cities[country] } : {}),
    device_id: `d_${hex(8)}`,
    session_id: `s_${hex(8)}`,
    library: callsOnly ? 'go/1.4.0' : 'js/1.4.0',
  }
  if (callsOnly || Math.random() < 0.2) {
    const [method, route] = pick(routes).split(' ')
    const status = Number(pick(statuses))
    const latency_ms = Math.round(Math.exp(2.5 + Math.random() * 3.2))
    return { ...base, name: 'api_call', path: route, call: { method, route, status, latency_ms, consumer: pick([['acme', 3], ['globex', 2]]) } }
  }
  return {
    ...base,
    name: pick(names),
    path: pick(paths),
    origin: 'https://weir.example',
    browser: pick(browsers),
    browser_version: '131.0',
    os: pick(systems),
    device_type: pick(devices),
    channel: pick(channels),
    referrer: pick(referrers),
    language: 'en-GB',
    ...(Math.random() < 0.3 ? { profile_id: pick([['ada', 1], ['grace', 1], ['linus', 1]]) } : {}),
  }
}

/** The event as the events list has it: with properties and the time on the page. */
export function listed(rest) {
  const properties = rest.name === 'screen_view' ? { title: 'A page', theme: 'dark', scroll: 0.62 } : { plan: 'team', seats: 12, tags: ['beta', 'eu'] }
  if (!rest.call) return { ...rest, properties, ...(rest.name === 'screen_view' ? { duration_ms: 48_000 } : {}) }
  return { ...rest, properties: { request_id: rest.id } }
}
