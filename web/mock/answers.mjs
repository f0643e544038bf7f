// The mock server's numbers: plausible, and the same in each run.

import * as people from './people.mjs'

const MINUTE = 60_000
const HOUR = 60 * MINUTE
const DAY = 24 * HOUR

/** Between 0 and 1, the same for the same number. */
const noise = (n) => {
  const x = Math.sin(n * 12.9898) * 43758.5453
  return x - Math.floor(x)
}

/** How busy it is at a time: more by day, less at weekends. */
function busyness(t) {
  const hour = new Date(t).getUTCHours() + new Date(t).getUTCMinutes() / 60
  const weekend = [0, 6].includes(new Date(t).getUTCDay()) ? 0.6 : 1
  return weekend * (0.55 + 0.45 * Math.sin(((hour - 8) / 24) * 2 * Math.PI)) + 0.08
}

const counted = (t, width, scale) => Math.round(busyness(t) * scale * (width / MINUTE) * (0.75 + 0.5 * noise(t / width)))

const PER_MINUTE = 160

const dateOf = (t) => new Date(t).toISOString().slice(0, 10)

/** How an answer of the cold tier came about. */
export const about = (now = Date.now()) => ({ as_of: new Date(now).toISOString(), cached: false, elapsed_ms: 12 })

/** The counts of a range; the minutes that `live` has are as it says, the others go with the rate. */
export function rangeTrend(range, live, rate, now = Date.now()) {
  const [width, points] = { minute: [MINUTE, 60], hour: [HOUR, 24], day: [DAY, 30] }[range] ?? [MINUTE, 60]
  const current = now - (now % width)
  const data = Array.from({ length: points }, (_, i) => {
    const start = current - (points - 1 - i) * width
    const whole = width === MINUTE ? Math.round(rate * 60 * (0.8 + 0.4 * noise(start / width))) : counted(start, width, PER_MINUTE)
    const past = start === current ? Math.round((whole * (now - start)) / width) : whole
    return { time: new Date(start).toISOString(), count: (width === MINUTE && live.get(start)) || past }
  })
  return { range, data, as_of: new Date(now).toISOString() }
}

/** A day before, up to the time of day that it is now. */
const past = (days, now, calls, events) => ({
  date: dateOf(now - days * DAY),
  until: new Date(now - days * DAY).toISOString(),
  calls,
  events,
  success_rate: calls ? 0.991 : null,
  calls_change: calls ? 0.12 : null,
  events_change: events ? 0.09 : null,
})

export function overview(visitors, calls, now = Date.now()) {
  const events = rangeTrend('day', new Map(), 0, now).data.at(-1).count
  const thisHour = rangeTrend('hour', new Map(), 0, now).data.at(-1).count
  const share = calls ? 1 : 0.2
  const today = Math.round(events * share)
  return {
    today: { events, calls: today, visitors: Math.round(events / 9), bots: Math.round(events / 90), date: dateOf(now) },
    current_hour: { events: thisHour, calls: Math.round(thisHour * share), hour: new Date(now).getUTCHours() },
    hot_apis: people.routes.map(([api, weight]) => ({ api, calls: Math.round((today * weight) / 97) })),
    error_apis: people.routes.slice(2, 6).map(([api, weight], i) => {
      const of = Math.round((today * weight) / 97)
      const errors = Math.round(of * (0.08 - i * 0.017))
      return { api, calls: of, errors, error_rate: of ? errors / of : 0 }
    }),
    top_consumers: people.consumers.map(([consumer, weight]) => ({ consumer, calls: Math.round((today * weight) / 100) })),
    yesterday: past(1, now, Math.round(today * 0.89), Math.round(events * 0.92)),
    last_week: past(7, now, Math.round(today * 1.02), Math.round(events * 1.04)),
    success_rate: 0.9934,
    live_visitors: visitors,
    live_bots: Math.round(visitors / 7),
    as_of: new Date(now).toISOString(),
  }
}

export const nothing = (now = Date.now()) => ({
  today: { events: 0, calls: 0, visitors: 0, bots: 0, date: dateOf(now) },
  current_hour: { events: 0, calls: 0, hour: new Date(now).getUTCHours() },
  hot_apis: [],
  error_apis: [],
  top_consumers: [],
  yesterday: past(1, now, 0, 0),
  last_week: past(7, now, 0, 0),
  success_rate: null,
  live_visitors: 0,
  live_bots: 0,
  as_of: new Date(now).toISOString(),
})

function series(math, from, to, width, shift, now) {
  const scale = math === 'unique' ? PER_MINUTE / 7 : PER_MINUTE
  const points = []
  for (let t = from; t < to; t += width) {
    const whole = counted(t - shift, width, shift ? scale * 0.88 : scale)
    const grown = shift ? 1 : Math.min(1, Math.max(0, (now - t) / width))
    points.push({ time: new Date(t - shift).toISOString(), value: Math.round(whole * grown) })
  }
  const sum = points.reduce((all, p) => all + p.value, 0)
  return { points, total: math === 'unique' ? Math.round(sum * 0.7) : sum }
}

const groups = {
  country: people.countries,
  city: [['Berlin', 12], ['Portland', 9], ['Chengdu', 8], ['Leeds', 4], ['', 40]],
  browser: people.browsers,
  os: people.systems,
  device_type: people.devices,
  channel: people.channels,
  referrer: people.referrers,
  status: people.statuses,
  method: people.methods,
  consumer: people.consumers,
  path: people.routes.map(([r, w]) => [r.split(' ')[1], w]),
}

function routes(query, factor) {
  const values = (weight, i) => {
    const p50 = 12 + noise(i + 7) * 90
    const failing = noise(i + 1) * 0.06
    return {
      calls: Math.round(weight * factor), rate: (weight * factor) / 86_400, unknown: 0,
      success_rate: 1 - failing, error_rate_4xx: failing * 0.8, error_rate_5xx: failing * 0.2,
      latency_mean_ms: p50 * 1.4, latency_p50_ms: p50, latency_p90_ms: p50 * 2.6,
      latency_p95_ms: p50 * (3 + noise(i) * 12), latency_p99_ms: p50 * 18, apdex: 0.99 - noise(i) * 0.2,
    }
  }
  const by = { calls: (g) => g.calls, errors: (g) => g.calls * (1 - g.success_rate), latency: (g) => g.latency_p95_ms }[query.sort]
  const found = people.routes.map(([route, weight], i) => Object.assign({ breakdown: route }, values(weight, i)))
  return { groups: found.toSorted((a, b) => by(b) - by(a)), totals: values(97, 3), consumers: { active: 61, new: 4, returning: 57 } }
}

/** The answer to a query of kind trend, pages or calls. */
export function insight(query, callsOnly, now = Date.now()) {
  return { kind: query.kind, ...about(now), ...answer(query, callsOnly, now) }
}

function answer(query, callsOnly, now) {
  const midnight = Math.floor(now / DAY) * DAY
  const [from, to] =
    query.from === 'today' ? [midnight, midnight + DAY] : [now + Number.parseInt(query.from) * DAY, now] // -7d
  const days = (to - from) / DAY
  const factor = days * 40 * (query.filter?.length ? 0.86 : 1)
  if (query.kind === 'pages') {
    const pages = people.paths.slice(0, query.limit).map(([path, weight], i) => ({
      path,
      views: Math.round(weight * factor * 1.6),
      visitors: Math.round(weight * factor),
      page_time_ms: i === 9 ? null : 9000 + Math.round(noise(i) * 180_000),
      entries: Math.round(weight * factor * 0.4),
      exits: Math.round(weight * factor * 0.3),
      bounce_rate: 0.2 + noise(i + 3) * 0.5,
    }))
    return { pages: callsOnly ? [] : pages, totals: { views: Math.round(160 * factor), visitors: Math.round(70 * factor), visits: Math.round(90 * factor), bounce_rate: 0.41, visit_duration_ms: 94_000 } }
  }
  if (query.kind === 'calls') return routes(query, factor)
  if (query.breakdown) {
    const found = groups[query.breakdown].map(([breakdown, weight]) => ({
      event: '', math: 'total', breakdown: breakdown || null, points: [], total: Math.round(weight * factor),
    }))
    const rest = found.slice(query.limit).reduce((sum, s) => sum + s.total, 0)
    const shown = found.slice(0, query.limit)
    return { series: rest ? [...shown, { event: '', math: 'total', breakdown: 'other', other: true, points: [], total: rest }] : shown }
  }
  const width = query.interval === 'hour' ? HOUR : DAY
  return {
    series: query.series.map(({ math }) => ({
      event: '',
      math,
      ...series(math, from, to, width, 0, now),
      compare: {
        from: new Date(from - (to - from)).toISOString(),
        to: new Date(from).toISOString(),
        ...series(math, from, to, width, to - from, now),
      },
    })),
  }
}
