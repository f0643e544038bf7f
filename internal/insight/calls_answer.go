package insight

import "time"

// Calls is the answer of kind calls.
type Calls struct {
	CallsOfRange
	Compare *CallsComparison `json:"compare,omitempty"`
	About
}

// CallsOfRange is the answer over one range.
type CallsOfRange struct {
	Groups    []CallGroup   `json:"groups" nullable:"false" doc:"in the order asked for, then other"`
	Totals    CallValues    `json:"totals" doc:"over all calls, also those of other"`
	Points    []CallPoint   `json:"points,omitempty" nullable:"false" doc:"all calls by bucket, oldest first; only where an interval is asked for"`
	Consumers CallConsumers `json:"consumers"`
}

// CallGroup is the calls with one value of the breakdown's column, without one, or
// with none of those that are listed.
type CallGroup struct {
	Breakdown Group `json:"breakdown" doc:"the group's value; null is the group of calls without one"`
	Other     bool  `json:"other,omitempty" doc:"all groups that are not among the first"`
	CallValues
}

// CallPoint is the calls of the bucket that starts at Time.
type CallPoint struct {
	Time time.Time `json:"time"`
	CallValues
}

// CallValues are the measures of some calls. Rates are 0 to 1, over the calls with
// a known status; latencies are in milliseconds, over those with a known latency.
// What there is nothing to measure of is null.
type CallValues struct {
	Calls        int64    `json:"calls"`
	Rate         float64  `json:"rate" doc:"calls per second of the range, or of as much of it as has passed"`
	SuccessRate  *float64 `json:"success_rate" doc:"status below 400, among calls with a known status, 0 to 1; null without any"`
	ErrorRate4xx *float64 `json:"error_rate_4xx" doc:"status 400 to 499, among the same"`
	ErrorRate5xx *float64 `json:"error_rate_5xx" doc:"status 500 and more, among the same"`
	LatencyMean  *float64 `json:"latency_mean_ms" doc:"null without a known latency"`
	P50          *float64 `json:"latency_p50_ms" doc:"exact, interpolated between the two nearest"`
	P90          *float64 `json:"latency_p90_ms"`
	P95          *float64 `json:"latency_p95_ms"`
	P99          *float64 `json:"latency_p99_ms"`
	Apdex        *float64 `json:"apdex" doc:"T = 500 ms, 0 to 1; a status of 500 and more is frustrated however fast; null without a known latency"`
	Unknown      int64    `json:"unknown" doc:"calls without a status"`
}

// CallConsumers are distinct consumers.
type CallConsumers struct {
	Active    int64 `json:"active" doc:"with a call in the range"`
	New       int64 `json:"new" doc:"whose first ever call is in the range"`
	Returning int64 `json:"returning" doc:"who had called before"`
}

// CallsComparison is the same over an earlier range. Its groups and points stand beside those
// of the answer with the same index.
type CallsComparison struct {
	From time.Time `json:"from"`
	To   time.Time `json:"to"`
	CallsOfRange
}
