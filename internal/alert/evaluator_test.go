package alert_test

import (
	"context"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	weir "github.com/weir-analytics/weir"
	"github.com/weir-analytics/weir/internal/alert"
)

func same(t *testing.T, what string, want, got any) {
	t.Helper()
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("%s: %s", what, d)
	}
}

func TestAnErrorRateFiresOnceAndRecoversOnce(t *testing.T) {
	w := newWorld(t, "Asia/Kolkata")
	a := w.makes(func(s *weir.AlertSpec) { s.For, s.ClearFor, s.MinVolume = 2, 2, 20 })
	var got [][]string
	for _, m := range [][2]int{
		{100, 0}, {70, 30}, {70, 30}, {70, 30}, {93, 7}, {0, 3}, // fires with the second of 30 %; 7 % is between; 3 calls say nothing
		{100, 0}, {93, 7}, {100, 0}, {100, 0}, {100, 0},
	} {
		got = append(got, w.minute(m[0], m[1]))
	}
	none := []string{}
	same(t, "posts", [][]string{none, none, {"alert.fired 1"}, none, none, none, none, none, none, {"alert.recovered 1"}, none}, got)
	same(t, "history", []string{
		"moved ok-pending 0", "moved pending-firing 1", "moved firing-clearing 1", "moved clearing-firing 1",
		"moved firing-clearing 1", "moved clearing-ok 1",
	}, w.moves(a.ID))
	for name, want := range map[string]float64{
		"weir_alert_deliveries_total": 2, "weir_alert_checks_total": 11, "weir_alerts_firing": 0, "weir_alert_outbox_messages": 0, "weir_alert_failures_total": 0,
	} {
		if n := w.metric(t, name); n != want {
			t.Errorf("%s is %v, want %v", name, n, want)
		}
	}
}

func TestAMessageSaysWhatWasMeasuredWhen(t *testing.T) {
	w := newWorld(t, "Asia/Kolkata")
	a := w.makes(nil)
	w.calls(70, 30)
	w.wait(time.Minute)
	w.evaluator.Pass(t.Context())
	w.deliver()
	all := w.hook.take()
	if len(all) != 1 {
		t.Fatalf("%d posts", len(all))
	}
	rate, m := 0.3, all[0].message
	want := weir.AlertMessage{
		ID: a.ID + ".1.fired", Type: "alert.fired", At: w.now, Incident: 1,
		Project: weir.NamedID{ID: w.project.ID, Name: "Shop"}, Alert: weir.NamedID{ID: a.ID, Name: "Errors"}, State: "firing",
		Summary: "Error rate in the last minute: 30 %. The alert fires above 10 %.", Measure: "Error rate",
		AlertReading: weir.AlertReading{Value: &rate, Volume: 100},
	}
	want.Condition.Op, want.Condition.Value = "above", 0.1
	want.Window.From, want.Window.To = at("2026-03-10T17:30:00+05:30"), at("2026-03-10T17:31:00+05:30")
	same(t, "message", want, m)
	if got := all[0].header.Get("Idempotency-Key"); got != m.ID+"."+a.Channels[0].ID {
		t.Errorf("key %q", got)
	}
	if w.metric(t, "weir_alerts_firing") != 1 {
		t.Error("it is not shown as firing")
	}
}

func TestAMinuteUnderWayIsNotLookedAt(t *testing.T) {
	w := newWorld(t, "UTC")
	a := w.makes(nil)
	w.calls(0, 100) // in 12:00, which ends at 12:01
	w.evaluator.Pass(t.Context())
	w.wait(50 * time.Second) // 12:01:10: late events of 12:00 may still come
	w.evaluator.Pass(t.Context())
	if s := w.get(a.ID).Status; s.State != weir.AlertOK || !s.CheckedTo.Equal(at("2026-03-10T12:00:00Z")) {
		t.Errorf("status %+v", s)
	}
	w.wait(5 * time.Second)
	w.evaluator.Pass(t.Context())
	if s := w.get(a.ID).Status; s.State != weir.AlertFiring || !s.CheckedTo.Equal(at("2026-03-10T12:01:00Z")) {
		t.Errorf("status %+v", s)
	}
}

func TestAClockThatWasWrongStopsNoAlertForLong(t *testing.T) {
	w := newWorld(t, "UTC")
	w.makes(nil)
	w.wait(24 * time.Hour) // by mistake
	same(t, "tomorrow", []string{}, w.minute(10, 0))
	w.wait(-24 * time.Hour)
	same(t, "today, at first", []string{}, w.minute(0, 10))
	same(t, "a minute later", []string{"alert.fired 1"}, w.minute(0, 10))
	w.wait(-3 * time.Minute) // by a little
	same(t, "the same minutes again", []string{}, append(w.minute(10, 0), w.minute(10, 0)...))
	w.minute(10, 0)
	same(t, "and on", []string{"alert.recovered 1"}, w.minute(10, 0))
}

func TestAlertMessagesAreNotRepeatedAfterARestart(t *testing.T) {
	w := newWorld(t, "UTC")
	a := w.makes(func(s *weir.AlertSpec) { s.For, s.ClearFor = 3, 2 })
	var got []string
	for _, m := range [][2]int{{70, 30}, {70, 30}, {70, 30}, {70, 30}, {100, 0}, {100, 0}, {100, 0}} {
		got = append(got, w.minute(m[0], m[1])...)
		w.evaluator.Pass(t.Context()) // again in the same minute
		w.restart()
		w.evaluator.Pass(t.Context())
	}
	w.deliver()
	got = append(got, types(w.hook.take())...)
	same(t, "posts", []string{"alert.fired 1", "alert.recovered 1"}, got)
	same(t, "history", []string{"moved ok-pending 0", "moved pending-firing 1", "moved firing-clearing 1", "moved clearing-ok 1"}, w.moves(a.ID))
}

// A crash between the check and the delivery loses nothing, and one between the
// delivery and its being noted sends the same message under the same key again.
func TestAMessageSurvivesACrashBeforeAndAfterItsDelivery(t *testing.T) {
	w := newWorld(t, "UTC")
	w.makes(nil)
	w.calls(0, 10)
	w.wait(time.Minute)
	w.evaluator.Pass(t.Context())
	w.restart()
	taken, err := w.meta.ClaimAlertDeliveries(t.Context(), 3*time.Minute, 16)
	if err != nil || len(taken) != 1 {
		t.Fatal(taken, err)
	}
	w.restart() // after it was taken, and maybe sent
	if w.courier.Deliver(t.Context()) != 0 {
		t.Error("it is delivered while another has it")
	}
	w.wait(3 * time.Minute)
	w.deliver()
	all := w.hook.take()
	if len(all) != 1 || all[0].header.Get("Idempotency-Key") != taken[0].Key {
		t.Errorf("got %v", types(all))
	}
}

func TestTwoNodesSendOneMessageForAnIncident(t *testing.T) {
	w := newWorld(t, "UTC")
	a := w.makes(nil)
	two := w.newNode("two", w.openMeta())
	w.calls(70, 30)
	w.wait(time.Minute)
	// Locks that fail to keep them apart: both check.
	together := func(nodes ...node) {
		var all sync.WaitGroup
		for _, n := range nodes {
			n.evaluator.Once = func(context.Context, string, time.Duration) (bool, error) { return true, nil }
			all.Go(func() { n.evaluator.Pass(t.Context()) })
		}
		all.Wait()
		for _, n := range nodes {
			all.Go(func() {
				for n.courier.Deliver(t.Context()) > 0 {
				}
			})
		}
		all.Wait()
	}
	together(w.node, two)
	same(t, "posts", []string{"alert.fired 1"}, types(w.hook.take()))
	w.calls(100, 0)
	w.wait(time.Minute)
	together(w.node, two)
	same(t, "posts", []string{"alert.recovered 1"}, types(w.hook.take()))
	same(t, "history", []string{"moved ok-firing 1", "moved firing-ok 1"}, w.moves(a.ID))
}

func TestANodeTakesOverFromOneThatIsGone(t *testing.T) {
	w := newWorld(t, "UTC")
	a := w.makes(func(s *weir.AlertSpec) { s.For = 2 })
	two := w.newNode("two", w.openMeta())
	same(t, "posts", []string{}, w.minute(70, 30)) // by one, which holds the lock
	two.evaluator.Pass(t.Context())
	w.calls(70, 30)
	w.wait(time.Minute)
	two.evaluator.Pass(t.Context()) // one is gone, and its lock runs out
	w.wait(30 * time.Second)
	two.evaluator.Pass(t.Context())
	w.deliver()
	same(t, "posts", []string{"alert.fired 1"}, types(w.hook.take()))
	same(t, "history", []string{"moved ok-pending 0", "moved pending-firing 1"}, w.moves(a.ID))
}

func TestALongStopBringsNoFloodAndForgetsWhatWasPending(t *testing.T) {
	w := newWorld(t, "UTC")
	a := w.makes(func(s *weir.AlertSpec) { s.For, s.Window = 2, 3 })
	same(t, "before", []string{}, w.minute(70, 30))
	w.wait(time.Hour)
	// Three minutes are let pass, then two checks have to find it.
	var got []string
	for range 4 {
		got = append(got, w.minute(70, 30)...)
	}
	same(t, "too early", 0, len(got))
	same(t, "after", []string{"alert.fired 1"}, w.minute(70, 30))
	same(t, "history", []string{"moved ok-pending 0", "moved pending-ok 0", "moved ok-pending 0", "moved pending-firing 1"}, w.moves(a.ID))
}

func TestAnAlertThatFiresWhenTheServerStopsIsNotToldOfAgain(t *testing.T) {
	w := newWorld(t, "UTC")
	w.makes(nil)
	same(t, "before", []string{"alert.fired 1"}, w.minute(70, 30))
	w.wait(time.Hour)
	w.restart()
	var got []string
	for range 3 {
		got = append(got, w.minute(70, 30)...)
	}
	same(t, "goes on", 0, len(got))
	same(t, "is over", []string{"alert.recovered 1"}, w.minute(100, 0))
}

func TestSilencedAlertSendsItsMessageWhenTheSilenceEnds(t *testing.T) {
	w := newWorld(t, "UTC")
	a := w.makes(nil)
	silence := func(d time.Duration) {
		t.Helper()
		if _, err := w.rules.Silence(t.Context(), w.project, a.ID, w.now.Add(d)); err != nil {
			t.Fatal(err)
		}
	}
	silence(150 * time.Second)
	same(t, "silenced", []string{}, w.minute(0, 10))
	same(t, "silenced still", []string{}, w.minute(0, 10))
	same(t, "over and fires", []string{"alert.fired 1"}, w.minute(0, 10))
	silence(90 * time.Second)
	same(t, "recovers in silence", []string{}, w.minute(10, 0))
	same(t, "is told of afterwards", []string{"alert.recovered 1"}, w.minute(10, 0))
	silence(150 * time.Second)
	same(t, "fires in silence", []string{}, w.minute(0, 10))
	same(t, "recovers in silence again", []string{}, w.minute(10, 0))
	same(t, "nothing to tell", []string{}, w.minute(10, 0))
	entries, _, err := w.rules.History(t.Context(), w.project, a.ID, 0, 10)
	if err != nil || len(entries) != 4 || !entries[0].Silenced || !entries[3].Silenced {
		t.Errorf("history %+v %v", entries, err)
	}
}

func TestAChangeBeginsAnewAndTellsThatTheIncidentIsOver(t *testing.T) {
	w := newWorld(t, "UTC")
	a := w.makes(nil)
	same(t, "fires", []string{"alert.fired 1"}, w.minute(0, 10))
	change := func(fn func(*weir.AlertSpec)) {
		t.Helper()
		if _, err := w.rules.Change(t.Context(), w.project, a.ID, func(s *weir.AlertSpec) error { fn(s); return nil }); err != nil {
			t.Fatal(err)
		}
	}
	change(func(s *weir.AlertSpec) { s.Name = "Renamed" })
	same(t, "a name changes nothing", []string{}, w.minute(0, 10))
	change(func(s *weir.AlertSpec) { s.For = 2 })
	same(t, "a rule does", []string{"alert.recovered 1"}, w.minute(0, 10))
	same(t, "and it may fire again", []string{"alert.fired 2"}, w.minute(0, 10))
	change(func(s *weir.AlertSpec) { s.Enabled = false })
	same(t, "disabled", []string{"alert.recovered 2"}, w.minute(0, 10))
	same(t, "disabled for good", []string{}, w.minute(0, 10))
	change(func(s *weir.AlertSpec) { s.Enabled, s.For = true, 1 })
	same(t, "enabled", []string{"alert.fired 3"}, w.minute(0, 10))
	change(func(s *weir.AlertSpec) { s.Condition.Value = 0.2 })
	same(t, "and one incident follows the other", []string{"alert.recovered 3", "alert.fired 4"}, w.minute(0, 10))
}

func TestADropIsAChangeAgainstTheWindowBefore(t *testing.T) {
	w := newWorld(t, "UTC")
	a := w.makes(func(s *weir.AlertSpec) {
		s.Measure, s.MinVolume = weir.AlertMeasure{Kind: weir.MeasureCalls, Route: "/cart"}, 20
		s.Condition = weir.AlertCondition{Op: "below", Value: -50, Clear: -50, Against: weir.AgainstPrevious}
	})
	w.minute(100, 0)
	all := w.minute(30, 10)
	same(t, "60 % less", []string{"alert.fired 1"}, all)
	s := w.get(a.ID).Status
	if *s.Reading.Value != 40 || *s.Reading.Base != 100 || *s.Reading.Change != -60 || s.Reading.Volume != 100 {
		t.Errorf("reading %+v", s.Reading)
	}
	same(t, "as many", []string{"alert.recovered 1"}, w.minute(40, 0))
	same(t, "all gone", []string{"alert.fired 2"}, w.minute(0, 0))
	same(t, "nothing of nothing is too little to say", []string{}, w.minute(0, 0))
}

func TestADayOrAWeekBeforeIsReadFromCounters(t *testing.T) {
	for against, then := range map[weir.Against]string{
		weir.AgainstDay:  "2026-03-07T17:00:20Z", // noon of the day before, 23 hours earlier
		weir.AgainstWeek: "2026-03-01T17:00:20Z",
	} {
		w := newWorld(t, "America/New_York")
		w.now = at(then)
		a := w.makes(func(s *weir.AlertSpec) {
			s.Measure = weir.AlertMeasure{Kind: weir.MeasureCalls}
			s.Condition = weir.AlertCondition{Op: "below", Value: -50, Clear: -50, Against: against}
		})
		w.calls(100, 0)
		w.now = at("2026-03-08T16:00:20Z") // noon
		same(t, "fires", []string{"alert.fired 1"}, w.minute(10, 0))
		if r := w.get(a.ID).Status.Reading; *r.Base != 100 || *r.Change != -90 {
			t.Errorf("against the %s before: reading %+v", against, r)
		}
	}
}

func TestAnEvaluatorChecksAfterEachMinuteUntilItIsStopped(t *testing.T) {
	w := newWorld(t, "UTC")
	synctest.Test(t, func(t *testing.T) {
		var passes []string
		e := alert.NewEvaluator(alert.Config{
			Metrics: w.evaluator.Metrics, Log: w.evaluator.Log,
			Once: func(context.Context, string, time.Duration) (bool, error) {
				passes = append(passes, time.Now().UTC().Format("15:04:05"))
				return false, nil
			},
		})
		ctx, cancel := context.WithTimeout(t.Context(), 150*time.Second)
		defer cancel()
		if err := e.Run(ctx); err != nil {
			t.Fatal(err)
		}
		same(t, "passes", []string{"00:00:15", "00:01:15", "00:02:15"}, passes)
	})
}
