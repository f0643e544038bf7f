// Answers of the API. Times are RFC 3339 in the project's timezone.

export interface User {
  id: string
  email: string
  name: string
}

export interface Session {
  user: User | null
  setup_required: boolean
}

export interface Project {
  id: string
  name: string
  timezone: string
  role: string
}

export interface HotApi {
  api: string
  calls: number
}

export interface ErrorApi {
  api: string
  calls: number
  errors: number
  /** Errors over calls, 0 to 1. */
  error_rate: number
}

export interface TopConsumer {
  consumer: string
  calls: number
}

/** An earlier day up to the time of day that it is now. */
export interface Earlier {
  date: string
  calls: number
  events: number
}

export interface Overview {
  today: { calls: number; events: number; visitors: number; date: string }
  current_hour: { calls: number; events: number; hour: number }
  hot_apis: HotApi[] | null
  error_apis: ErrorApi[] | null
  top_consumers: TopConsumer[] | null
  yesterday: Earlier
  last_week: Earlier
  /** 0 to 1; null when there were no calls. */
  success_rate: number | null
  live_visitors: number
  as_of: string
}

export type Range = 'minute' | 'hour' | 'day'

export interface Count {
  time: string
  count: number
}

export interface RangeTrend {
  range: Range
  data: Count[]
  as_of: string
}

export interface Call {
  method?: string
  route?: string
  status?: number
  latency_ms?: number
  consumer?: string
}

/** An event, from the events list or the live stream; unknown fields are left out. */
export interface EventRow {
  id: string
  name: string
  ts: string
  path?: string
  origin?: string
  title?: string
  referrer?: string
  channel?: string
  country?: string
  region?: string
  city?: string
  browser?: string
  browser_version?: string
  os?: string
  os_version?: string
  device_type?: string
  language?: string
  library?: string
  bot?: boolean
  device_id?: string
  profile_id?: string
  session_id?: string
  duration_ms?: number
  properties?: Record<string, unknown> | null
  call?: Call
}

export interface EventsPage {
  events: EventRow[] | null
  next_cursor?: string
}

export interface Condition {
  column: string
  op: '=' | '!=' | 'in' | 'contains' | '>' | '<'
  value: string | string[]
}

export interface Point {
  time: string
  value: number | null
}

export interface TrendSeries {
  event?: string
  math: string
  /** The group's value; null for events without one. */
  breakdown?: string | null
  /** Set on the line of all groups beyond the limit. */
  other?: boolean
  points: Point[]
  /** null when there is no value. */
  total: number | null
  compare?: { points: Point[]; total: number | null }
}

export interface Trend {
  series: TrendSeries[] | null
  as_of: string
  cached?: boolean
  elapsed_ms?: number
}

export interface PageRow {
  path: string
  views: number
  visitors: number
  /** Mean time on the page in milliseconds; null when no view was closed. */
  page_time_ms: number | null
  entries: number
  exits: number
  /** 0 to 1; null when no visit began here. */
  bounce_rate: number | null
}

export interface Pages {
  pages: PageRow[] | null
  as_of: string
}

/** What is known of some calls. Rates are 0 to 1, times in milliseconds; null when nothing is known. */
export interface CallValues {
  calls: number
  success_rate: number | null
  error_rate_4xx: number | null
  error_rate_5xx: number | null
  latency_p50_ms: number | null
  latency_p95_ms: number | null
  apdex: number | null
}

export interface CallGroup extends CallValues {
  /** The group's value; null for calls without one. */
  breakdown: string | null
  /** Set on the row of all groups beyond the limit. */
  other?: boolean
}

export interface Calls {
  groups: CallGroup[] | null
  totals: CallValues
  as_of: string
}
