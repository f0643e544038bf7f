package weir

import "time"

// Alert is a rule that is checked every minute, and where it stands.
type Alert struct {
	ID        string
	ProjectID string
	AlertSpec
	SilencedUntil time.Time // zero is never
	CreatedAt     time.Time
	UpdatedAt     time.Time
	Version       int64 // one more with each change of the spec
	Status        AlertStatus
}

// MaxAlertSilence is as long as an alert may be silenced at once. A silence that lasts
// longer was set while the clock was wrong, and is none.
const MaxAlertSilence = 366 * 24 * time.Hour

// Silenced says whether the alert sends no messages at now.
func (a *Alert) Silenced(now time.Time) bool {
	return now.Before(a.SilencedUntil) && a.SilencedUntil.Sub(now) <= MaxAlertSilence
}

// AlertSpec is what people say of an alert.
type AlertSpec struct {
	Name      string
	Enabled   bool
	Measure   AlertMeasure
	Window    int // minutes that a value is of: the last whole ones
	Condition AlertCondition
	For       int    // checks in a row that the condition must hold
	ClearFor  int    // checks in a row that it must be clear
	MinVolume int64  // below so many events, calls or visits there is nothing to say
	NoData    NoData // what a window without a value says
	Channels  []AlertChannel
}

// MeasureKind names what an alert measures.
type MeasureKind string

// The measures. Rates are of calls with a known status, 0 to 1: those of 400 and
// above, or those below. Visitors are distinct devices in the window; live visitors
// those of the last five minutes, now.
const (
	MeasureEvents       MeasureKind = "events"
	MeasureCalls        MeasureKind = "calls"
	MeasureErrorRate    MeasureKind = "error_rate"
	MeasureSuccessRate  MeasureKind = "success_rate"
	MeasureVisitors     MeasureKind = "visitors"
	MeasureLiveVisitors MeasureKind = "live_visitors"
	MeasureInsight      MeasureKind = "insight" // a value of an insight over the window
)

// AlertMeasure is what an alert measures. Without Filter all but insights come
// from counters.
type AlertMeasure struct {
	Kind     MeasureKind
	Event    string // events, insight of a trend: of this name alone; "" is any
	Route    string // calls, rates: of this route alone; "" is any
	Insight  Kind   // insight: KindCalls or KindPages; "" is a trend
	Value    AlertValue
	Math     Math   // insight, trend
	Property string // insight, trend: for sum, avg, …
	Filter   []Condition
}

// AlertValue names a value of the totals of an insight of calls or pages, as the
// insight's own answer does.
type AlertValue string

// The values of calls: rates and Apdex are 0 to 1, latencies in milliseconds, and
// ValueRate is calls per second.
const (
	ValueApdex        AlertValue = "apdex"
	ValueSuccessRate  AlertValue = "success_rate"
	ValueErrorRate4xx AlertValue = "error_rate_4xx"
	ValueErrorRate5xx AlertValue = "error_rate_5xx"
	ValueRate         AlertValue = "rate"
	ValueLatencyMean  AlertValue = "latency_mean_ms"
	ValueLatencyP50   AlertValue = "latency_p50_ms"
	ValueLatencyP90   AlertValue = "latency_p90_ms"
	ValueLatencyP95   AlertValue = "latency_p95_ms"
	ValueLatencyP99   AlertValue = "latency_p99_ms"
	ValueNewConsumers AlertValue = "new_consumers"
)

// The values of pages. The bounce rate is 0 to 1, the duration the mean in
// milliseconds.
const (
	ValueViews         AlertValue = "views"
	ValueVisitors      AlertValue = "visitors"
	ValueVisits        AlertValue = "visits"
	ValueBounceRate    AlertValue = "bounce_rate"
	ValueVisitDuration AlertValue = "visit_duration_ms"
)

// Against says which earlier window an alert's value is compared with.
type Against string

// The earlier windows: none, so that the value itself counts; the one just before; the
// one that ended when the project's clock showed the same, a day or a week earlier.
const (
	AgainstNone     Against = ""
	AgainstPrevious Against = "previous"
	AgainstDay      Against = "day"
	AgainstWeek     Against = "week"
)

// AlertCondition is a threshold for the value, or with Against for its change in
// percent. A change from 0 is 0 % to 0 and infinite to anything else.
type AlertCondition struct {
	Op      string // above or below
	Value   float64
	Clear   float64 // beyond which, on the other side, it is clear; between the two nothing changes
	Against Against
}

// NoData says what a window without a value means.
type NoData string

// The policies.
const (
	NoDataKeep NoData = "keep" // nothing changes
	NoDataOK   NoData = "ok"   // as a value that is clear
	NoDataFire NoData = "fire" // as a value beyond the threshold
)

// Kinds of channels.
const (
	AlertByWebhook = "webhook"
	AlertByEmail   = "email"
)

// AlertChannel is where an alert's messages go.
type AlertChannel struct {
	ID     string
	Kind   string
	URL    string // webhook
	Secret string // webhook: that its messages are signed with; only where it is needed
	To     string // email: the address
}

// AlertState is where an alert stands.
type AlertState string

// The states.
const (
	AlertOK       AlertState = "ok"
	AlertPending  AlertState = "pending"  // the condition holds, not yet for long enough
	AlertFiring   AlertState = "firing"   // it held
	AlertClearing AlertState = "clearing" // fired and is clear, not yet for long enough
)

// Raised says whether the alert fired and has not recovered.
func (s AlertState) Raised() bool { return s == AlertFiring || s == AlertClearing }

// AlertStatus is what the checks of an alert made of it.
type AlertStatus struct {
	State     AlertState
	Since     time.Time // when it took the state
	Count     int       // pending, clearing: checks in a row so far
	CheckedTo time.Time // the end of the last window looked at; zero before the first
	SettlesAt time.Time // after a gap in the checks: nothing is said of windows that end before
	Incident  int64     // how often it fired
	Told      int64     // the incident with a message that it fires and none yet that it is over; 0 is none
	Reading   AlertReading
	Error     string // why the last check failed, "" when it did not
}

// AlertReading is what a check measured.
type AlertReading struct {
	Value  *float64 `json:"value"`  // nil is no data
	Base   *float64 `json:"base"`   // of the earlier window, nil without a comparison
	Change *float64 `json:"change"` // percent; nil without a comparison, and when it is infinite
	Volume int64    `json:"volume"` // events, calls or visits that it is of; in a comparison the larger of the two windows'
}

// Kinds of entries in an alert's history.
const (
	AlertMoved       = "moved"       // from one state to another
	AlertChanged     = "changed"     // its rule was changed: it begins anew
	AlertUndelivered = "undelivered" // a message was given up
)

// AlertEntry is an entry of an alert's history.
type AlertEntry struct {
	Seq      int64 // the alert's own, from 1; set when it is stored
	Kind     string
	At       time.Time
	From, To AlertState
	Incident int64
	Silenced bool
	Reading  AlertReading
	Detail   string // undelivered: where to, and why
}

// AlertStep is what one check changes, all or nothing. It is of an alert as it was
// read: of its Version, checked up to Was, silenced until Silence.
type AlertStep struct {
	AlertID  string
	Version  int64
	Was      time.Time
	Silence  time.Time
	Status   AlertStatus
	Entries  []AlertEntry
	Messages []AlertMessage
}

// Types of messages.
const (
	AlertFiredMessage     = "alert.fired"
	AlertRecoveredMessage = "alert.recovered"
	AlertTestMessage      = "alert.test"
)

// AlertMessage is a message about an alert. Its JSON is the body of a webhook.
type AlertMessage struct {
	ID       string     `json:"id"` // the same whenever it is sent again
	Type     string     `json:"type"`
	At       time.Time  `json:"at"`
	Incident int64      `json:"incident"`
	Project  NamedID    `json:"project"`
	Alert    NamedID    `json:"alert"`
	URL      string     `json:"url,omitempty"` // of the project's page, where the server's address is known
	State    AlertState `json:"state"`
	Summary  string     `json:"summary"`
	Measure  string     `json:"measure"`
	AlertReading
	Condition struct {
		Op      string  `json:"op"`
		Value   float64 `json:"value"`
		Against Against `json:"against,omitempty"`
	} `json:"condition"`
	Window struct {
		From time.Time `json:"from"`
		To   time.Time `json:"to"`
	} `json:"window"`
}

// NamedID is a thing's id and the name it has for people.
type NamedID struct {
	ID   string `json:"id"`
	Name string `json:"name"`
}

// AlertDelivery is a message on its way to a channel.
type AlertDelivery struct {
	Key       string // of the message and the channel: the same at every attempt
	ProjectID string
	AlertID   string
	Channel   AlertChannel // with its secret
	Message   AlertMessage
	Attempts  int // before this one
	CreatedAt time.Time
}
