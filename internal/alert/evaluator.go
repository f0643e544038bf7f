package alert

import (
	"cmp"
	"context"
	"errors"
	"log/slog"
	"slices"
	"sync"
	"time"

	weir "github.com/weir-analytics/weir"
	"golang.org/x/sync/errgroup"
)

const (
	every     = time.Minute
	grace     = 15 * time.Second // after a minute's end, for events that are sent a little late
	passTime  = 45 * time.Second // for all alerts
	checkTime = 10 * time.Second // for one
	lockFor   = 90 * time.Second
	kept      = 90 * 24 * time.Hour
	trimEvery = 60 // passes
	attempts  = 3  // to check an alert that changes meanwhile
)

// Locks of the passes: over alerts that counters answer, and over those that need
// the cold tier, which not every node has.
const (
	lockCounters = "alerts"
	lockInsights = "alerts-insights"
)

// Store keeps alerts, their states, history and messages. *meta.Store is one.
type Store interface {
	Project(ctx context.Context, id string) (*weir.Project, error)
	ActiveAlerts(ctx context.Context) ([]*weir.Alert, error)
	Alert(ctx context.Context, projectID, id string) (*weir.Alert, error)
	StepAlert(ctx context.Context, s *weir.AlertStep) (ok bool, err error)
	TrimAlertHistory(ctx context.Context, before time.Time) error
}

// Config is what an Evaluator works with.
type Config struct {
	Store    Store
	Counters Counters
	Insights Insights // nil on a node that does not answer questions: alerts that need it are others' to check
	// Once lets one of several nodes do what has the name, for a while.
	Once func(ctx context.Context, name string, ttl time.Duration) (bool, error)
	// Behind says whether events that were taken wait somewhere, so that the newest
	// minutes lack them; nil is never.
	Behind func() bool
	// Today is the time that old history is deleted by; nil is the clock's.
	Today   func(ctx context.Context) (time.Time, error)
	Clock   weir.Clock
	Log     *slog.Logger
	Metrics *Metrics
	Texts   Texts
	Wake    func() // messages are on their way; may be nil
}

// Evaluator checks all alerts once a minute, however many nodes do.
type Evaluator struct {
	Config
	meter  meter
	passes int
	began  time.Time // of the process
}

// NewEvaluator makes one. It takes no part in anything until Run.
func NewEvaluator(c Config) *Evaluator {
	return &Evaluator{Config: c, meter: meter{c.Counters, c.Insights}, began: c.Clock.Now()}
}

// Run checks a little after the end of each minute, until ctx is done. It returns
// nil.
func (e *Evaluator) Run(ctx context.Context) error {
	t := time.NewTimer(e.untilNext())
	defer t.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-t.C:
			e.Pass(ctx)
			t.Reset(e.untilNext())
		}
	}
}

func (e *Evaluator) untilNext() time.Duration {
	now := e.Clock.Now()
	return now.Add(-grace).Truncate(every).Add(every + grace).Sub(now)
}

// Pass checks each alert once, for the last whole minute, unless that was done. It skips the
// minutes before: after a long stop there is no flood of messages.
func (e *Evaluator) Pass(ctx context.Context) {
	counters, err := e.Once(ctx, lockCounters, lockFor)
	insights := false
	if err == nil && e.Insights != nil {
		insights, err = e.Once(ctx, lockInsights, lockFor)
	}
	if err != nil {
		e.failed(ctx, "choose the node that checks alerts", err)
	}
	if !counters && !insights {
		e.Metrics.firing.Set(0)
		return
	}
	all, err := e.Store.ActiveAlerts(ctx)
	if err != nil {
		e.failed(ctx, "look up the alerts", err)
		return
	}
	missed := e.missed(all)
	mine := slices.DeleteFunc(all, func(a *weir.Alert) bool {
		if cold(&a.AlertSpec) {
			return !insights
		}
		return !counters
	})
	// Counters answer at once. Of the others, those come first that were checked
	// the longest ago, so that none is passed over every time.
	slices.SortStableFunc(mine, func(a, b *weir.Alert) int {
		return cmp.Or(cmp.Compare(order(a), order(b)), a.Status.CheckedTo.Compare(b.Status.CheckedTo))
	})
	limited, cancel := context.WithTimeout(ctx, passTime)
	defer cancel()
	var firing firing
	var g errgroup.Group
	g.SetLimit(2)
	for i, a := range mine {
		if limited.Err() != nil {
			// They come first in the next pass.
			e.failed(ctx, "check them all in time", limited.Err(), "left", len(mine)-i)
			for _, left := range mine[i:] {
				firing.add(left.Status.State.Raised())
			}
			break
		}
		g.Go(func() error {
			firing.add(e.check(limited, a, missed))
			return nil
		})
	}
	_ = g.Wait() // they return no errors
	e.Metrics.firing.Set(float64(firing.n))
	e.trim(ctx)
}

func order(a *weir.Alert) int {
	if cold(&a.AlertSpec) {
		return 1
	}
	return 0
}

type firing struct {
	mu sync.Mutex
	n  int
}

func (f *firing) add(raised bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if raised {
		f.n++
	}
}

func (e *Evaluator) trim(ctx context.Context) {
	if e.passes++; e.passes%trimEvery != 1 {
		return
	}
	today, err := e.Clock.Now(), error(nil)
	if e.Today != nil {
		today, err = e.Today(ctx)
	}
	if err == nil {
		err = e.Store.TrimAlertHistory(ctx, today.Add(-kept))
	}
	if err != nil {
		e.failed(ctx, "forget old history", err)
	}
}

// last is the end of the newest window that may be looked at.
func (e *Evaluator) last(now time.Time) time.Time { return now.Add(-grace).Truncate(every) }

// check checks one alert and says whether it fires.
func (e *Evaluator) check(ctx context.Context, a *weir.Alert, missed bool) (raised bool) {
	for range attempts {
		var ok bool
		if raised, ok = e.checkOnce(ctx, a, missed); ok {
			return raised
		}
		// It was changed or silenced meanwhile, or another node was first.
		b, err := e.Store.Alert(ctx, a.ProjectID, a.ID)
		if weir.ErrorCode(err) == weir.ENOTFOUND {
			return false
		}
		if err != nil {
			e.failed(ctx, "look at the alert again", err, "alert", a.ID)
			return raised
		}
		a = b
	}
	return raised
}

// checkOnce is one attempt of check. ok is false if the alert was changed since it was read.
func (e *Evaluator) checkOnce(ctx context.Context, a *weir.Alert, missed bool) (raised, ok bool) {
	now := e.Clock.Now()
	to := e.last(now)
	if done := a.Status.CheckedTo; !to.After(done) && !setBack(done, to) {
		return a.Status.State.Raised(), true // or the clock was set back a little
	}
	p, err := e.Store.Project(ctx, a.ProjectID)
	if err != nil {
		e.failed(ctx, "look up the project", err, "alert", a.ID)
		return a.Status.State.Raised(), true
	}
	step := e.step(ctx, p, a, to, now, missed)
	ok, err = e.Store.StepAlert(ctx, step)
	if err != nil {
		e.failed(ctx, "store what was found", err, "alert", a.ID)
		return a.Status.State.Raised(), true
	}
	if !ok {
		return a.Status.State.Raised(), false
	}
	for _, t := range step.Entries {
		e.Metrics.moves.WithLabelValues(string(t.To)).Inc()
	}
	if len(step.Messages) > 0 && e.Wake != nil {
		e.Wake()
	}
	return step.Status.State.Raised(), true
}

// step is what a check of an alert changes.
func (e *Evaluator) step(ctx context.Context, p *weir.Project, a *weir.Alert, to, now time.Time, missed bool) *weir.AlertStep {
	s := a.Status
	if a.Enabled {
		s = e.look(ctx, p, a, to, now, missed)
	}
	s.CheckedTo = to
	step := &weir.AlertStep{AlertID: a.ID, Version: a.Version, Was: a.Status.CheckedTo, Silence: a.SilencedUntil, Status: s}
	silenced := a.Silenced(now)
	if s.State != a.Status.State {
		step.Entries = []weir.AlertEntry{{
			Kind: weir.AlertMoved, At: now, From: a.Status.State, To: s.State, Incident: s.Incident, Silenced: silenced, Reading: s.Reading,
		}}
	}
	if !silenced {
		e.addMessages(step, p, a, now)
	}
	return step
}

// addMessages adds the messages that were not sent yet: that an incident is over, and that
// there is one. So an incident that began in a silence is reported when the silence ends, if it
// is not over by then.
func (e *Evaluator) addMessages(step *weir.AlertStep, p *weir.Project, a *weir.Alert, now time.Time) {
	s := &step.Status
	if s.Told != 0 && (!s.State.Raised() || s.Told != s.Incident) {
		step.Messages = append(step.Messages, e.Texts.message(weir.AlertRecoveredMessage, p, a, s, s.Told, now))
		s.Told = 0
	}
	if s.Told == 0 && s.State.Raised() {
		step.Messages = append(step.Messages, e.Texts.message(weir.AlertFiredMessage, p, a, s, s.Incident, now))
		s.Told = s.Incident
	}
}

// look is the status after a look at the window that ends at to; missed is of the pass.
func (e *Evaluator) look(ctx context.Context, p *weir.Project, a *weir.Alert, to, now time.Time, missed bool) weir.AlertStatus {
	s := a.Status
	if done := s.CheckedTo; !done.IsZero() && (to.Sub(done) > gap || setBack(done, to)) {
		s, missed = restart(s, now), true
	}
	if missed && !s.CheckedTo.IsZero() {
		s.SettlesAt = to.Add(settling(&a.AlertSpec))
	}
	if to.Before(s.SettlesAt) && s.SettlesAt.Sub(to) <= gap {
		e.Metrics.checks.WithLabelValues("settling").Inc()
		return s
	}
	limited, cancel := context.WithTimeout(ctx, checkTime)
	defer cancel()
	r, err := e.meter.read(limited, p, &a.AlertSpec, to, now)
	if err != nil {
		e.failed(ctx, "measure", err, "alert", a.ID, "project", p.ID)
		if s.Error = weir.ErrorMessage(err); errors.Is(err, context.DeadlineExceeded) {
			s.Error = "it took too long to measure"
		}
		e.Metrics.checks.WithLabelValues("failed").Inc()
		return s
	}
	if s.Error != "" && !cold(&a.AlertSpec) {
		// The counters were away, and events that were taken meanwhile may still follow.
		s.Error, s.SettlesAt = "", to.Add(settling(&a.AlertSpec))
		e.Metrics.checks.WithLabelValues("settling").Inc()
		return s
	}
	e.Metrics.checks.WithLabelValues("done").Inc()
	s.Reading, s.Error = r, ""
	return Advance(s, &a.AlertSpec, Judge(&a.AlertSpec, r), now)
}

func (e *Evaluator) failed(ctx context.Context, step string, err error, more ...any) {
	if errors.Is(ctx.Err(), context.Canceled) {
		return // the server stops
	}
	e.Metrics.failures.Inc()
	e.Log.Error("an alert may not have been checked; trying again in a minute", append(more, "step", step, "error", err)...)
}
