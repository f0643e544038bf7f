package weir

import "cmp"

// Calls asks how an API does: rates, errors and latencies by group, and who calls. The
// filter chooses calls. Without an interval the answer has no points.
type Calls struct {
	Common
	Breakdown string   `json:"breakdown,omitempty" doc:"a column, properties.NAME, traits.NAME or status_class; route when missing"`
	Sort      CallSort `json:"sort,omitempty" enum:"calls,errors,error_rate,latency" doc:"what the groups are ranked by, most first; by calls when missing, latency is the 95th percentile"`
	Compare   Compare  `json:"compare,omitempty" enum:"previous,year" doc:"answer for the range before too, or for the same a year ago"`
	Limit     int      `json:"limit,omitempty" minimum:"0" maximum:"10000" doc:"groups; 10 when missing, at most 100"`
}

// CallSort says what the groups of calls are ranked by, most first.
type CallSort string

// What they may be ranked by.
const (
	SortCalls     CallSort = "calls"
	SortErrors    CallSort = "errors"     // calls with a status of 400 or more
	SortErrorRate CallSort = "error_rate" // those among the calls with a known status
	SortLatency   CallSort = "latency"    // the 95th percentile
)

// DefaultCallGroups is what calls are grouped by when the question names no breakdown.
const DefaultCallGroups = "route"

// Kind implements Question.
func (Calls) Kind() Kind { return KindCalls }

// WithBase implements Question.
func (q Calls) WithBase(c Common) Question { q.Common = c; return q }

// Validate implements Question.
func (q Calls) Validate() error {
	switch q.Sort {
	case "", SortCalls, SortErrors, SortErrorRate, SortLatency:
	default:
		return Errorf(EINVALID, "unknown sort %q: use calls, errors, error_rate or latency", q.Sort)
	}
	if q.Interval != "" {
		if err := q.Interval.validate(); err != nil {
			return err
		}
	}
	return cmp.Or(q.Common.validate(), q.Compare.validate(), validateGroups(q.Limit))
}

// Canonical implements Question.
func (q Calls) Canonical() Question {
	q.Common = q.Common.canonical()
	q.Bots = q.Bots.OfEvents()
	q.Breakdown, q.Sort, q.Limit = cmp.Or(q.Breakdown, DefaultCallGroups), cmp.Or(q.Sort, SortCalls), cmp.Or(q.Limit, DefaultGroups)
	return q
}
