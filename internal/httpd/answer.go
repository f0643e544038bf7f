package httpd

import (
	"encoding/json"
	"time"

	weir "github.com/weir-analytics/weir"
)

// The types here describe bodies in the OpenAPI document that the server passes
// on without reading: answers of Stats and Insights, and what Ingester decodes.

// SentEvent is an event as POST /v1/events takes it.
type SentEvent struct {
	ID         string          `json:"id,omitempty" doc:"sending it again under the same id adds nothing"`
	Name       string          `json:"name" minLength:"1" maxLength:"255"`
	TS         any             `json:"ts,omitempty" doc:"RFC 3339, or seconds or milliseconds since 1970; the time of arrival when missing"`
	ProfileID  string          `json:"profile_id,omitempty"`
	DeviceID   string          `json:"device_id,omitempty"`
	SessionID  string          `json:"session_id,omitempty"`
	URL        string          `json:"url,omitempty"`
	Path       string          `json:"path,omitempty"`
	Referrer   string          `json:"referrer,omitempty"`
	IP         string          `json:"ip,omitempty" doc:"the visitor's; the sender's when missing"`
	UserAgent  string          `json:"user_agent,omitempty" doc:"the visitor's; the sender's when missing"`
	Properties json.RawMessage `json:"properties,omitempty" doc:"a JSON object"`
	Call       *SentCall       `json:"call,omitempty" doc:"of an api_call"`
}

// SentCall is what an api_call says of the request.
type SentCall struct {
	Method    string  `json:"method,omitempty"`
	Route     string  `json:"route,omitempty"`
	Status    int     `json:"status,omitempty"`
	LatencyMS float64 `json:"latency_ms,omitempty"`
	Consumer  string  `json:"consumer,omitempty"`
}

// IngestAnswer is what became of the events of a request.
type IngestAnswer struct {
	Accepted   int              `json:"accepted"`
	Duplicates int              `json:"duplicates" doc:"of events seen before, which were not added again"`
	Rejected   []weir.Rejection `json:"rejected"`
}

// OverviewAnswer is Stats.Overview's.
type OverviewAnswer struct {
	Today        TodayAnswer `json:"today"`
	CurrentHour  HourAnswer  `json:"current_hour"`
	HotAPIs      []HotAPI    `json:"hot_apis" nullable:"false" doc:"today's, most called first"`
	SuccessRate  *float64    `json:"success_rate" nullable:"true" doc:"share of today's calls with a status below 400; null without calls"`
	LiveVisitors int         `json:"live_visitors" doc:"devices with an event in the last 5 minutes"`
	AsOf         time.Time   `json:"as_of"`
}

// TodayAnswer is the numbers since midnight in the project's timezone.
type TodayAnswer struct {
	Calls    int64  `json:"calls"`
	Events   int64  `json:"events"`
	Visitors int64  `json:"visitors" doc:"distinct devices, estimated"`
	Date     string `json:"date"`
}

// HourAnswer is the numbers since the hour began.
type HourAnswer struct {
	Calls  int64 `json:"calls"`
	Events int64 `json:"events"`
	Hour   int   `json:"hour" doc:"0 to 23"`
}

// HotAPI is a much called API.
type HotAPI struct {
	API   string `json:"api"`
	Calls int64  `json:"calls"`
}

// TrendStatsAnswer is Stats.Trend's.
type TrendStatsAnswer struct {
	Range string        `json:"range" enum:"minute,hour,day"`
	Data  []CountAtTime `json:"data" nullable:"false"`
	AsOf  time.Time     `json:"as_of"`
}

// CountAtTime is one bucket's count.
type CountAtTime struct {
	Time  time.Time `json:"time"`
	Count int64     `json:"count"`
}

// QueryAnswer is Insights.Query's: series for the kind trend, pages and totals
// for the kind pages.
type QueryAnswer struct {
	Series    []TrendSeries   `json:"series,omitempty"`
	Pages     []PageAnswer    `json:"pages,omitempty"`
	Totals    json.RawMessage `json:"totals,omitempty" doc:"of pages: over all of them"`
	AsOf      time.Time       `json:"as_of" doc:"up to when the answer is complete"`
	Cached    bool            `json:"cached"`
	ElapsedMS int64           `json:"elapsed_ms"`
}

// TrendSeries is one line of a trend.
type TrendSeries struct {
	Event     string          `json:"event" doc:"empty is any"`
	Math      string          `json:"math"`
	Property  string          `json:"property,omitempty"`
	Breakdown *string         `json:"breakdown,omitempty" nullable:"true" doc:"the group's value; null is none"`
	Other     bool            `json:"other,omitempty" doc:"all groups beyond the limit"`
	Points    []ValueAtTime   `json:"points" nullable:"false"`
	Total     *float64        `json:"total" nullable:"true"`
	Compare   json.RawMessage `json:"compare,omitempty" doc:"from, to, points and total of the earlier stretch"`
}

// ValueAtTime is one bucket's value.
type ValueAtTime struct {
	Time  time.Time `json:"time"`
	Value *float64  `json:"value" nullable:"true"`
}

// PageAnswer is one page's numbers.
type PageAnswer struct {
	Path       string   `json:"path"`
	Views      int64    `json:"views"`
	Visitors   int64    `json:"visitors"`
	PageTime   *float64 `json:"page_time_ms" nullable:"true" doc:"mean"`
	Entries    int64    `json:"entries" doc:"visits that began here"`
	Exits      int64    `json:"exits" doc:"visits that ended here"`
	BounceRate *float64 `json:"bounce_rate" nullable:"true"`
}

// EventsAnswer is Insights.Events'.
type EventsAnswer struct {
	Events     []json.RawMessage `json:"events" nullable:"false"`
	NextCursor string            `json:"next_cursor,omitempty"`
	AsOf       time.Time         `json:"as_of"`
	Cached     bool              `json:"cached"`
	ElapsedMS  int64             `json:"elapsed_ms"`
}
