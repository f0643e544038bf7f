package weir

import (
	"cmp"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Funnel asks how many persons take some steps one after the other, and where the others stop.
// The filter chooses events, and all of the answer is about these.
type Funnel struct {
	Common
	Steps       []Step         `json:"steps,omitempty" maxItems:"20" doc:"2 to 20"`
	Order       FunnelOrder    `json:"order,omitempty" enum:"ordered,strict,any" doc:"ordered when missing: other events may lie between two steps; strict: none; any: the steps in any order"`
	Window      string         `json:"window,omitempty" doc:"how long after step 1 the last step may come, its end included: 14d when missing, from 1s to 90d (s, m, h or d)"`
	Exclude     []Exclusion    `json:"exclude,omitempty" maxItems:"10" doc:"events that make an attempt void"`
	Breakdown   string         `json:"breakdown,omitempty" doc:"a column, properties.NAME or traits.NAME"`
	Attribution string         `json:"attribution,omitempty" doc:"whose value of the breakdown counts: first (of step 1, when missing), last (of the furthest step) or step:N"`
	Limit       int            `json:"limit,omitempty" minimum:"0" maximum:"10000" doc:"groups of the breakdown; 10 when missing, at most 100"`
	Over        Interval       `json:"over,omitempty" enum:"minute,hour,day,week,month" doc:"answer with points too: entries and conversions by the bucket of step 1"`
	Count       FunnelCounting `json:"count,omitempty" enum:"persons,visits" doc:"persons when missing; visits: all steps lie in one visit"`
}

// Step is one step of a funnel.
type Step struct {
	Event    string `json:"event,omitempty" doc:"an event's name; any when missing"`
	Action   string `json:"action,omitempty" doc:"in place of event: the id of an action"`
	Filter   Filter `json:"filter,omitempty" doc:"conditions on the events of this step"`
	Label    string `json:"label,omitempty" doc:"a name for the step; the event's when missing"`
	Optional bool   `json:"optional,omitempty" doc:"may be skipped: not the first step, and not with order any"`
}

// Selector says which events the step is about.
func (s Step) Selector() Selector {
	return Selector{Event: s.Event, Action: s.Action, Filter: s.Filter}
}

// Exclusion is an event that makes an attempt void if it lies after step From and before step
// To. In any order it is one between the first and the last step that the attempt takes.
type Exclusion struct {
	Event  string `json:"event,omitempty" doc:"an event's name; any when missing"`
	Action string `json:"action,omitempty" doc:"in place of event: the id of an action"`
	Filter Filter `json:"filter,omitempty" doc:"conditions on the events that are meant"`
	From   int    `json:"from_step,omitempty" minimum:"0" doc:"1 when missing; ignored with order any"`
	To     int    `json:"to_step,omitempty" minimum:"0" doc:"the last step when missing; ignored with order any"`
}

// Selector says which events are meant.
func (x Exclusion) Selector() Selector {
	return Selector{Event: x.Event, Action: x.Action, Filter: x.Filter}
}

// FunnelOrder says in which order steps are taken.
type FunnelOrder string

// The orders.
const (
	OrderOrdered FunnelOrder = "ordered"
	OrderStrict  FunnelOrder = "strict"
	OrderAny     FunnelOrder = "any"
)

// FunnelCounting says what a funnel counts.
type FunnelCounting string

// What a funnel can count.
const (
	CountPersons FunnelCounting = "persons"
	CountVisits  FunnelCounting = "visits"
)

// Limits of a funnel.
const (
	maxSteps      = 20
	maxExclusions = 10
	maxWindow     = 90 * 24 * time.Hour
	defaultWindow = 14 * 24 * time.Hour
)

// Kind implements Question.
func (Funnel) Kind() Kind { return KindFunnel }

// WithBase implements Question.
func (q Funnel) WithBase(c Common) Question { q.Common = c; return q }

// Actions implements Question.
func (q Funnel) Actions() []string {
	ids := q.Common.Actions()
	for _, s := range q.Steps {
		ids = append(ids, s.Selector().Actions()...)
	}
	for _, x := range q.Exclude {
		ids = append(ids, x.Selector().Actions()...)
	}
	return ids
}

// Validate implements Question.
func (q Funnel) Validate() error {
	if n := len(q.Steps); n < 2 || n > maxSteps {
		return Within("steps", Errorf(EINVALID, "a funnel needs 2 to %d steps, there are %d", maxSteps, n))
	}
	orders := []FunnelOrder{"", OrderOrdered, OrderStrict, OrderAny}
	if !slices.Contains(orders, q.Order) {
		return Within("order", Errorf(EINVALID, "unknown order %.40q: use ordered, strict or any", string(q.Order)).Allowed("ordered", "strict", "any"))
	}
	if !slices.Contains([]FunnelCounting{"", CountPersons, CountVisits}, q.Count) {
		return Within("count", Errorf(EINVALID, "unknown count %.40q: use persons or visits", string(q.Count)).Allowed("persons", "visits"))
	}
	for i, s := range q.Steps {
		if err := q.validateStep(i, s); err != nil {
			return Within("steps"+place(i), err)
		}
	}
	if n := len(q.Exclude); n > maxExclusions {
		return Within("exclude", Errorf(EINVALID, "at most %d, there are %d", maxExclusions, n))
	}
	for i, x := range q.Exclude {
		if err := q.validateExclusion(x); err != nil {
			return Within("exclude"+place(i), err)
		}
	}
	if _, err := q.WindowTime(); err != nil {
		return Within("window", err)
	}
	if _, err := q.AttributedStep(); err != nil {
		return Within("attribution", err)
	}
	if q.Over != "" {
		if err := q.Over.validate(); err != nil {
			return Within("over", err)
		}
	}
	return cmp.Or(q.Common.validate(), Within("limit", validateGroups(q.Limit)))
}

func (q Funnel) validateStep(i int, s Step) error {
	switch {
	case s.Optional && i == 0:
		return Within("optional", Errorf(EINVALID, "the first step cannot be optional: an attempt begins with it"))
	case s.Optional && q.Order == OrderAny:
		return Within("optional", Errorf(EINVALID, "with order any no step is optional: step k counts who took any k steps"))
	}
	if err := CheckText("label", s.Label); err != nil {
		return Within("label", err)
	}
	return s.Selector().Validate()
}

func (q Funnel) validateExclusion(x Exclusion) error {
	if x.Event == "" && x.Action == "" && len(x.Filter) == 0 {
		return Within("event", Errorf(EINVALID, "give event, action or filter"))
	}
	if err := x.Selector().Validate(); err != nil {
		return err
	}
	if q.Order == OrderAny {
		return nil
	}
	last := len(q.Steps)
	from, to := cmp.Or(x.From, 1), cmp.Or(x.To, last)
	if from < 1 || from >= last {
		return Within("from_step", Errorf(EINVALID, "must be 1 to %d", last-1))
	}
	if to <= from || to > last {
		return Within("to_step", Errorf(EINVALID, "must be %d to %d: after from_step", from+1, last))
	}
	return nil
}

// WindowTime returns the window as a time. Error: EINVALID.
func (q Funnel) WindowTime() (time.Duration, error) {
	if q.Window == "" {
		return defaultWindow, nil
	}
	unit := map[byte]time.Duration{'s': time.Second, 'm': time.Minute, 'h': time.Hour, 'd': 24 * time.Hour}[q.Window[len(q.Window)-1]]
	n, err := strconv.ParseUint(q.Window[:len(q.Window)-1], 10, 32)
	if err != nil || unit == 0 {
		return 0, Errorf(EINVALID, "%.40q is no time: use a whole number with s, m, h or d, such as 30m or 14d", q.Window)
	}
	if n < 1 || n > uint64(maxWindow/unit) {
		return 0, Errorf(EINVALID, "must be 1s to 90d")
	}
	return time.Duration(n) * unit, nil
}

// AttributedStep returns the number of the step whose value of the breakdown counts, from 1; 0 is
// the furthest step that was taken. Error: EINVALID.
func (q Funnel) AttributedStep() (int, error) {
	switch q.Attribution {
	case "", "first":
		return 1, nil
	case "last":
		return 0, nil
	}
	number, ok := strings.CutPrefix(q.Attribution, "step:")
	n, err := strconv.Atoi(number)
	if !ok || err != nil || n < 1 || n > len(q.Steps) {
		return 0, Errorf(EINVALID, "unknown attribution %.40q: use first, last or step:N with N from 1 to %d", q.Attribution, len(q.Steps)).Allowed("first", "last", "step:N")
	}
	return n, nil
}

// Canonical implements Question.
func (q Funnel) Canonical() Question {
	q.Common = q.Common.canonical()
	q.Bots, q.Interval = q.Bots.OfPeople(), ""
	q.Order, q.Count = cmp.Or(q.Order, OrderOrdered), cmp.Or(q.Count, CountPersons)
	if w, err := q.WindowTime(); err == nil {
		q.Window = strconv.FormatInt(int64(w/time.Second), 10) + "s"
	}
	q.Steps, q.Exclude = slices.Clone(q.Steps), slices.Clone(q.Exclude)
	for i := range q.Steps {
		q.Steps[i].Filter = q.Steps[i].Filter.canonical()
	}
	for i := range q.Exclude {
		x := &q.Exclude[i]
		x.Filter = x.Filter.canonical()
		if x.From, x.To = cmp.Or(x.From, 1), cmp.Or(x.To, len(q.Steps)); q.Order == OrderAny {
			x.From, x.To = 0, 0
		}
	}
	if q.Breakdown == "" {
		q.Attribution, q.Limit = "", 0
		return q
	}
	q.Limit = cmp.Or(q.Limit, DefaultGroups)
	if n, err := q.AttributedStep(); err == nil && n > 0 {
		q.Attribution = "step:" + strconv.Itoa(n)
	}
	return q
}
