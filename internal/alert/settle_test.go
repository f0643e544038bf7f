package alert_test

import (
	"context"
	"errors"
	"testing"
	"time"

	weir "github.com/weir-analytics/weir"
	"github.com/weir-analytics/weir/internal/alert"
	"github.com/weir-analytics/weir/internal/hot"
)

// dropOf is an alert of calls that are gone.
func dropOf(s *weir.AlertSpec) {
	s.Name, s.Measure = "Gone", weir.AlertMeasure{Kind: weir.MeasureCalls}
	s.Condition = weir.AlertCondition{Op: "below", Value: 10, Clear: 20}
}

func TestAClockThatWasADayAheadForOnePassSilencesNoAlert(t *testing.T) {
	w := newWorld(t, "UTC")
	a := w.makes(func(s *weir.AlertSpec) { s.Window = 5 })
	w.minute(100, 0)
	w.wait(24 * time.Hour)
	w.evaluator.Pass(t.Context())
	w.wait(-24 * time.Hour)
	w.restart()
	var got []string
	for range 10 {
		got = append(got, w.minute(0, 100)...)
	}
	same(t, "posts", []string{"alert.fired 1"}, got)
	if s := w.get(a.ID).Status; s.SettlesAt.After(w.now) || s.CheckedTo.After(w.now) {
		t.Errorf("status %+v", s)
	}
}

func TestAMessageThatAClockAheadPutOffIsDeliveredWhenTheClockIsRight(t *testing.T) {
	w := newWorld(t, "UTC")
	w.makes(nil)
	w.hook.answers(500)
	w.minute(0, 100)
	w.wait(24*time.Hour - time.Minute) // not so long that it is given up
	w.deliver()
	w.wait(-24*time.Hour + time.Minute)
	w.hook.answers(200)
	w.hook.take()
	w.deliver()
	same(t, "posts", []string{"alert.fired 1"}, types(w.hook.take()))
}

func TestAClockAheadGivesUpNoMessageThatWasHardlyTried(t *testing.T) {
	w := newWorld(t, "UTC")
	w.makes(nil)
	w.hook.answers(500)
	w.minute(0, 100)
	w.wait(48 * time.Hour)
	w.deliver()
	w.wait(-48 * time.Hour)
	if w.waiting() != 1 {
		t.Fatal("it is given up")
	}
	w.hook.answers(200)
	w.hook.take()
	w.deliver()
	same(t, "posts", []string{"alert.fired 1"}, types(w.hook.take()))
}

func TestAStopOfAnyLengthFiresNoDropAndEndsNoIncident(t *testing.T) {
	for _, stop := range []time.Duration{50 * time.Second, time.Minute, 2 * time.Minute, 4 * time.Minute, 5 * time.Minute, 6 * time.Minute, time.Hour, 49 * time.Hour} {
		w := newWorld(t, "UTC")
		w.makes(dropOf)
		high := w.makes(func(s *weir.AlertSpec) {
			dropOf(s)
			s.Name, s.Condition = "Many", weir.AlertCondition{Op: "above", Value: 50, Clear: 40}
		})
		same(t, "before", []string{"alert.fired 1"}, w.minute(100, 0))
		w.wait(stop)
		w.restart()
		w.evaluator.Pass(t.Context()) // of a time that senders still have the events of
		for range 5 {
			w.calls(100, 0)
			w.wait(time.Minute)
			w.evaluator.Pass(t.Context())
		}
		w.deliver()
		same(t, "after "+stop.String(), []string{}, types(w.hook.take()))
		var got []string
		for range 2 {
			got = append(got, w.minute(0, 0)...)
		}
		if len(got) != 2 {
			t.Errorf("after %v alerts are not checked any more: %v, %+v", stop, got, w.get(high.ID).Status)
		}
	}
}

func TestWhileEventsWaitInASpillNothingIsSaid(t *testing.T) {
	w := newWorld(t, "UTC")
	w.makes(dropOf)
	waiting := false
	w.evaluator.Behind = func() bool { return waiting }
	w.minute(100, 0)
	waiting = true
	same(t, "they wait", []string{}, append(w.minute(0, 0), w.minute(0, 0)...))
	waiting = false
	same(t, "they are there", []string{}, w.minute(100, 0))
	same(t, "and really none", []string{"alert.fired 1"}, append(w.minute(0, 0), w.minute(0, 0)...))
	if n := w.metric(t, "weir_alert_checks_total"); n != 6 {
		t.Errorf("%v checks are counted", n)
	}
}

// away are counters that fail at times.
type away struct {
	alert.Counters
	fails bool
}

func (c *away) Series(ctx context.Context, p string, g hot.Grain, d hot.Dimension, member string, from, to time.Time) ([]hot.Point, error) {
	if c.fails {
		return nil, errors.New("away")
	}
	return c.Counters.Series(ctx, p, g, d, member, from, to)
}

func TestAfterCountersWereAwayTheFirstWindowIsNotJudged(t *testing.T) {
	w := newWorld(t, "UTC")
	w.makes(dropOf)
	c := &away{Counters: w.hot}
	cfg := w.evaluator.Config
	cfg.Counters = c
	w.evaluator = alert.NewEvaluator(cfg)
	w.minute(100, 0)
	c.fails = true
	same(t, "away", []string{}, append(w.minute(0, 0), w.minute(0, 0)...))
	c.fails = false
	same(t, "there again", []string{}, w.minute(0, 0))
	same(t, "and none", []string{"alert.fired 1"}, w.minute(0, 0))
}

func TestAnAlertThatOnePassHadNoTimeForIsJudgedInTheNext(t *testing.T) {
	w := newWorld(t, "UTC")
	late, inTime := w.makes(dropOf), w.makes(dropOf)
	store := &passing{Store: w.meta, over: late.ID}
	w.evaluator.Store = store
	w.minute(100, 0)
	store.over = ""
	w.minute(100, 0)
	store.over = late.ID
	w.minute(100, 0)
	store.over = ""
	same(t, "both fire at once", 2, len(w.minute(0, 0)))
	if s := w.get(late.ID).Status; !s.SettlesAt.IsZero() || !s.CheckedTo.Equal(w.get(inTime.ID).Status.CheckedTo) {
		t.Errorf("status %+v", s)
	}
}

// passing leaves out one of the alerts.
type passing struct {
	alert.Store
	over string
}

func (p *passing) ActiveAlerts(ctx context.Context) ([]*weir.Alert, error) {
	all, err := p.Store.ActiveAlerts(ctx)
	var some []*weir.Alert
	for _, a := range all {
		if a.ID != p.over {
			some = append(some, a)
		}
	}
	return some, err
}

// silencing silences an alert after it was read for a pass.
type silencing struct {
	alert.Store
	w  *world
	id string
}

func (s *silencing) ActiveAlerts(ctx context.Context) ([]*weir.Alert, error) {
	all, err := s.Store.ActiveAlerts(ctx)
	if s.id != "" {
		if _, err := s.w.rules.Silence(ctx, s.w.project, s.id, s.w.clock().Add(90*time.Second)); err != nil {
			return nil, err
		}
		s.id = ""
	}
	return all, err
}

func TestASilenceThatIsSetDuringAPassIsObeyedByIt(t *testing.T) {
	w := newWorld(t, "UTC")
	a := w.makes(nil)
	w.minute(100, 0)
	w.evaluator.Store = &silencing{w.meta, w, a.ID}
	same(t, "silenced meanwhile", []string{}, w.minute(0, 100))
	if s := w.get(a.ID).Status; s.State != weir.AlertFiring {
		t.Errorf("it was not checked: %+v", s)
	}
	same(t, "silenced", []string{}, w.minute(0, 100))
	same(t, "when the silence ends", []string{"alert.fired 1"}, w.minute(0, 100))
}

func TestASilenceOfOverAYearIsNone(t *testing.T) {
	w := newWorld(t, "UTC")
	a := w.makes(nil)
	a.SilencedUntil = w.now.Add(weir.MaxAlertSilence + 2*time.Hour) // set when the clock was ahead
	if err := w.meta.SilenceAlert(t.Context(), a); err != nil {
		t.Fatal(err)
	}
	same(t, "posts", []string{"alert.fired 1"}, w.minute(0, 100))
}

func TestHistoryIsTrimmedByATimeThatIsBelieved(t *testing.T) {
	w := newWorld(t, "UTC")
	a := w.makes(nil)
	w.evaluator.Today = func(ctx context.Context) (time.Time, error) {
		today, err := w.meta.Today(ctx)
		return today.Time, err
	}
	w.minute(0, 100)
	w.wait(400 * 24 * time.Hour)
	w.restart()
	w.evaluator.Today = func(ctx context.Context) (time.Time, error) {
		today, err := w.meta.Today(ctx)
		return today.Time, err
	}
	w.evaluator.Pass(t.Context())
	w.wait(-400 * 24 * time.Hour)
	same(t, "history", []string{"moved ok-firing 1"}, w.moves(a.ID))
}
