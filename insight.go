package weir

import "time"

// Kind names a sort of insight.
type Kind string

// The kinds of insight that Weir answers.
const (
	KindTrend  Kind = "trend"
	KindPages  Kind = "pages"
	KindCalls  Kind = "calls"
	KindGrowth Kind = "growth"
)

// Math says what a series measures.
type Math string

// Total counts events, unique counts persons; the others are over the numeric
// values of Series.Property.
const (
	MathTotal  Math = "total"
	MathUnique Math = "unique"
	MathSum    Math = "sum"
	MathAvg    Math = "avg"
	MathMin    Math = "min"
	MathMax    Math = "max"
	MathMedian Math = "median"
	MathP90    Math = "p90"
	MathP95    Math = "p95"
	MathP99    Math = "p99"
)

// Interval is the width of a bucket, in the project's timezone. Weeks begin on
// Monday.
type Interval string

// The intervals.
const (
	Minute Interval = "minute"
	Hour   Interval = "hour"
	Day    Interval = "day"
	Week   Interval = "week"
	Month  Interval = "month"
)

// Query is an insight asked for. From is inclusive, To exclusive.
type Query struct {
	Kind      Kind
	From, To  time.Time
	Interval  Interval
	Series    []Series
	Breakdown string // a column, properties.NAME, or ""
	Filter    []Condition
	Compare   Compare
	Limit     int    // breakdown groups or pages; 0 is the default
	Bots      bool   // pages, growth: count bots too
	Sort      string // calls: what the groups are ranked by, one of the Sort constants; "" is by calls
}

// What the groups of calls may be ranked by, most first.
const (
	SortCalls     = "calls"
	SortErrors    = "errors"     // calls with a status of 400 or more
	SortErrorRate = "error_rate" // those among the calls with a known status
	SortLatency   = "latency"    // the 95th percentile
)

// Series is one line of a trend.
type Series struct {
	Event    string // an event's name; "" is any
	Math     Math
	Property string // for sum, avg, …: a numeric column or properties.NAME
}

// Condition is one test of a filter; all must hold. Values has one element but
// for "in".
type Condition struct {
	Column string
	Op     string // = != in contains > <
	Values []string
}

// Compare asks for an earlier stretch of the same length beside the answer.
type Compare string

// What an answer may be compared with.
const (
	CompareNone     Compare = ""
	ComparePrevious Compare = "previous"
	CompareYear     Compare = "year"
)
