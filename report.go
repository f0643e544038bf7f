package weir

import "time"

// Report is what is known of one day of a project, computed from the cold tier.
// Fractions are 0 to 1, latencies milliseconds; nil is "no value", as in a rate of
// nothing. The doc and nullable tags are for the API's description.
type Report struct {
	ProjectID  string    `json:"project_id"`
	Date       Date      `json:"date" format:"date"`
	Timezone   string    `json:"timezone" doc:"the project's, in which the day is one"`
	From       time.Time `json:"from" doc:"the day's first instant"`
	To         time.Time `json:"to" doc:"the next day's first instant"`
	Revision   int       `json:"revision" doc:"1, and one more each time that the numbers changed"`
	ComputedAt time.Time `json:"computed_at"`
	AsOf       time.Time `json:"as_of" doc:"up to when the events that had come in are in the report"`

	Totals ReportTotals `json:"totals"`
	Calls  ReportCalls  `json:"calls"`
	Growth ReportGrowth `json:"growth"`
	Visits ReportVisits `json:"visits"`

	Counters   *ReportCounters   `json:"counters" doc:"what the counters say of the day; null when they are no longer kept"`
	Difference *ReportDifference `json:"difference" doc:"how the counters and the report differ, and why; null when they agree"`

	// Compare is worked out when a report is read, so that it is with the revision
	// that the other day has then.
	Compare *ReportCompare `json:"compare,omitempty"`
}

// ReportTotals are of all events.
type ReportTotals struct {
	Events   int64 `json:"events"`
	Calls    int64 `json:"calls"`
	Visitors int64 `json:"visitors" doc:"distinct persons with an event"`
}

// ReportCalls are of the calls.
type ReportCalls struct {
	CallFigures
	Consumers ReportConsumers `json:"consumers"`
	ByAPI     []ReportAPI     `json:"by_api" nullable:"false" doc:"most called first, the others as one"`
}

// CallFigures are of a set of calls.
type CallFigures struct {
	Calls        int64         `json:"calls"`
	Rate         float64       `json:"rate" doc:"calls per second of the day"`
	Unknown      int64         `json:"unknown" doc:"calls without a status"`
	SuccessRate  *float64      `json:"success_rate" doc:"status below 400, among calls with a status"`
	ErrorRate4xx *float64      `json:"error_rate_4xx"`
	ErrorRate5xx *float64      `json:"error_rate_5xx"`
	Apdex        *float64      `json:"apdex" doc:"T is 500 ms"`
	Latency      ReportLatency `json:"latency_ms"`
}

// ReportLatency is in milliseconds, over calls with a latency.
type ReportLatency struct {
	Mean *float64 `json:"mean"`
	P50  *float64 `json:"p50"`
	P90  *float64 `json:"p90"`
	P95  *float64 `json:"p95"`
	P99  *float64 `json:"p99"`
}

// ReportConsumers are who called.
type ReportConsumers struct {
	Active    int64 `json:"active"`
	New       int64 `json:"new" doc:"that never called before"`
	Returning int64 `json:"returning"`
}

// ReportAPI is one API, or all that are not listed.
type ReportAPI struct {
	API   *string `json:"api" doc:"the route; null for calls without one, and for the others"`
	Other bool    `json:"other,omitempty" doc:"all APIs that are not listed"`
	CallFigures
}

// ReportGrowth is of persons; bots are left out. Active is the sum of New, Returning
// and Resurrecting.
type ReportGrowth struct {
	New           int64 `json:"new" doc:"first ever event on this day"`
	Active        int64 `json:"active"`
	Returning     int64 `json:"returning" doc:"active on the day before too"`
	Resurrecting  int64 `json:"resurrecting" doc:"active before, but not on the day before"`
	Dormant       int64 `json:"dormant" doc:"active on the day before, not on this one; negative"`
	Cumulative    int64 `json:"cumulative" doc:"persons so far"`
	Net           int64 `json:"net" doc:"new + resurrecting + dormant"`
	WeeklyActive  int64 `json:"weekly_active" doc:"in the 7 days that end with this one"`
	MonthlyActive int64 `json:"monthly_active" doc:"in the 30 days that end with this one"`
	Signups       int64 `json:"signups" doc:"persons who signed up"`
}

// ReportVisits are of visits that began on the day; bots are left out.
type ReportVisits struct {
	Count        int64        `json:"count"`
	Visitors     int64        `json:"visitors" doc:"distinct persons with a screen view"`
	Views        int64        `json:"views" doc:"screen views"`
	BounceRate   *float64     `json:"bounce_rate"`
	MeanDuration *float64     `json:"mean_duration_ms"`
	Pages        []ReportPage `json:"pages" nullable:"false" doc:"most viewed first"`
}

// ReportPage is one path.
type ReportPage struct {
	Path     string `json:"path"`
	Views    int64  `json:"views"`
	Visitors int64  `json:"visitors"`
}

// ReportCounters are what the hot tier counted for the day.
type ReportCounters struct {
	Events int64        `json:"events"`
	Calls  int64        `json:"calls"`
	ByAPI  []APICounter `json:"by_api" nullable:"false" doc:"most called first"`
	Others int64        `json:"others" doc:"calls of all APIs that are not listed"`
	Capped bool         `json:"capped,omitempty" doc:"there were more APIs than counters: the rest was counted as one"`
}

// APICounter is the calls that were counted for an API.
type APICounter struct {
	API   string `json:"api"`
	Calls int64  `json:"calls"`
}

// ReportDifference is counters minus report. Events and Calls are the sums over
// Reasons.
type ReportDifference struct {
	Events  int64           `json:"events"`
	Calls   int64           `json:"calls"`
	APIs    []APIDifference `json:"apis" nullable:"false" doc:"APIs that the two count differently, at most 20"`
	Reasons []ReportReason  `json:"reasons" nullable:"false"`
}

// APIDifference is an API that counters and report count differently.
type APIDifference struct {
	API      string `json:"api"`
	Counters int64  `json:"counters"`
	Report   int64  `json:"report"`
}

// Reasons of a difference.
const (
	ReasonDeadLetters = "dead_letters"     // the cold tier refused them for ever
	ReasonWaiting     = "waiting"          // not in the cold tier yet
	ReasonArriving    = "arriving"         // came in while the report was computed
	ReasonRetention   = "retention"        // the project does not keep the day's events any more
	ReasonExpired     = "counters_expired" // the day's counters are not kept any more
	ReasonCapped      = "counters_capped"  // more APIs than counters
	ReasonNotCounted  = "not_counted"      // stored, but not counted here: copied from elsewhere, too old on arrival, or the counters were begun anew
	ReasonUnknown     = "unknown"          // none of these: something is wrong
)

// ReportReason is a part of a difference.
type ReportReason struct {
	Reason string `json:"reason" enum:"dead_letters,waiting,arriving,retention,counters_expired,counters_capped,not_counted,unknown"`
	Events int64  `json:"events" doc:"counted but not reported; negative the other way round"`
	Calls  int64  `json:"calls"`
}

// ReportCompare sets a day beside others; nil for a day without a report.
type ReportCompare struct {
	DayBefore  *ReportComparison `json:"day_before" doc:"null when that day has no report"`
	WeekBefore *ReportComparison `json:"week_before" doc:"the same day of the week before; null when it has no report"`
}

// ReportComparison is an earlier day, and how much this one is above it.
type ReportComparison struct {
	Date        Date         `json:"date" format:"date"`
	Revision    int          `json:"revision"`
	Totals      ReportTotals `json:"totals"`
	Visits      int64        `json:"visits"`
	SuccessRate *float64     `json:"success_rate"`
	P95         *float64     `json:"latency_p95_ms"`
	Change      ReportChange `json:"change"`
}

// ReportChange is relative: 0.1 is a tenth more, -1 all gone. nil where there was
// nothing before. The success rate's is the difference of the two fractions.
type ReportChange struct {
	Events      *float64 `json:"events"`
	Calls       *float64 `json:"calls"`
	Visitors    *float64 `json:"visitors"`
	Visits      *float64 `json:"visits"`
	P95         *float64 `json:"latency_p95"`
	SuccessRate *float64 `json:"success_rate" doc:"the difference of the two fractions"`
}

// ReportHead is the part of a stored report that shows whether it is up to date.
type ReportHead struct {
	Date     Date
	Revision int
	Events   int64 // in the report
	Counted  int64 // by the counters when it was computed; -1 when they were no longer kept; CountedElsewhere
	// ComputedAt may lie ahead: then the clock was, and perhaps the day was not over.
	ComputedAt time.Time
}

// CountedElsewhere stands in ReportHead.Counted when the project's timezone changed since: the
// report is of a day in the former one.
const CountedElsewhere = -2

// Head is r's.
func (r *Report) Head() ReportHead {
	h := ReportHead{Date: r.Date, Revision: r.Revision, Events: r.Totals.Events, Counted: -1, ComputedAt: r.ComputedAt}
	if r.Counters != nil {
		h.Counted = r.Counters.Events
	}
	return h
}
