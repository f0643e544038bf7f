package stats_test

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	weir "github.com/weir-analytics/weir"
	"github.com/weir-analytics/weir/internal/hot"
	"github.com/weir-analytics/weir/internal/stats"
)

// sameTime returns the first minute of now's date so many days ago at which the clock
// shows now's time of day or a later one, found by looking at each; and the day's
// first.
func sameTime(now time.Time, days int, loc *time.Location) (from, until time.Time) {
	y, m, d := now.In(loc).Date()
	from, end := weir.Midnight(y, m, d-days, loc), weir.Midnight(y, m, d-days+1, loc)
	for until = from; until.Before(end) && until.In(loc).Format("15:04") < now.In(loc).Format("15:04"); {
		until = until.Add(time.Minute)
	}
	return from, until
}

func TestThePastEndsAtTheSameTimeOfDayOnEachNightOfTheClock(t *testing.T) {
	random := rand.New(rand.NewPCG(3, 4))
	for zone, nights := range map[string][]string{
		"UTC":                 {"2026-03-08"},
		"Asia/Kolkata":        {"2026-03-08"},
		"Asia/Kathmandu":      {"2026-03-08"},
		"America/New_York":    {"2026-03-08", "2026-11-01"},
		"Australia/Lord_Howe": {"2026-04-05", "2026-10-04"},
		"America/Santiago":    {"2026-04-05", "2026-09-06"},
	} {
		for _, night := range nights {
			for _, days := range []int{0, 1, 7} { // the night is now's, yesterday's, last week's
				for _, clock := range []string{"00:00", "00:30", "01:17", "01:45", "02:00", "02:29", "03:00", "13:59", "23:59"} {
					loc, err := time.LoadLocation(zone)
					if err != nil {
						t.Fatal(err)
					}
					local, err := time.ParseInLocation("2006-01-02 15:04", night+" "+clock, loc)
					if err != nil {
						t.Fatal(err)
					}
					// A test of its own, so that its store leaves the disk when it ends.
					t.Run(fmt.Sprintf("%s %s %d days later at %s", zone, night, days, clock), func(t *testing.T) {
						r := newRig(t, zone, local.AddDate(0, 0, days).Add(40*time.Second).Format(time.RFC3339))
						checkPast(t, r, random)
					})
				}
			}
		}
	}
}

// checkPast fills the days before now with events and compares.
func checkPast(t *testing.T, r *rig, random *rand.Rand) {
	t.Helper()
	loc := r.project.Location()
	events := make([]weir.Event, 0, 2000)
	items := make([]hot.Item, 0, 2000)
	for at := r.now.Add(-8*24*time.Hour + 2*time.Hour); at.Before(r.now); at = at.Add(time.Duration(60+random.IntN(900)) * time.Second) {
		e := weir.Event{ID: fmt.Sprint(len(events)), ProjectID: "p", Name: "x", Time: at, ReceivedAt: r.now}
		if random.IntN(2) == 0 {
			e.Name, e.Call = weir.NameCall, &weir.Call{Route: "/", Status: []int{0, 200, 404}[random.IntN(3)]}
		}
		events = append(events, e)
		items = append(items, hot.Item{Event: &events[len(events)-1], Location: loc})
	}
	if _, err := r.store.Append(t.Context(), items); err != nil {
		t.Fatal(err)
	}
	o := r.overview()
	tally := func(from, until time.Time) (p stats.Past, rate float64) {
		var ok, all float64
		for _, e := range events {
			if e.Time.Before(from) || !e.Time.Before(until) {
				continue
			}
			p.Events++
			if e.Call == nil {
				continue
			}
			if p.Calls++; e.Call.Status > 0 {
				if all++; e.Call.Status < 400 {
					ok++
				}
			}
		}
		return p, ok / max(all, 1)
	}
	minute := r.now.Truncate(time.Minute)
	y, m, d := r.now.In(loc).Date()
	today, _ := tally(weir.Midnight(y, m, d, loc), minute)
	for days, got := range map[int]stats.Past{1: o.Yesterday, 7: o.LastWeek} {
		from, until := sameTime(minute, days, loc)
		want, rate := tally(from, until)
		at := fmt.Sprintf("%d days before %v", days, r.now.In(loc))
		if !got.Until.Equal(until) || got.Date != from.In(loc).Format(time.DateOnly) {
			t.Errorf("%s: until %v of %s, want %v", at, got.Until, got.Date, until.In(loc))
		}
		if got.Calls != want.Calls || got.Events != want.Events {
			t.Errorf("%s: %d calls, %d events, want %d, %d", at, got.Calls, got.Events, want.Calls, want.Events)
		}
		if got.SuccessRate != nil && *got.SuccessRate != rate || got.SuccessRate == nil && rate != 0 {
			t.Errorf("%s: success rate %v, want %v", at, got.SuccessRate, rate)
		}
		change := func(what string, got *float64, now, then int64) {
			if then == 0 != (got == nil) || got != nil && *got != float64(now-then)/float64(then) {
				t.Errorf("%s: %s change by %v from %d to %d", at, what, got, then, now)
			}
		}
		change("calls", got.CallsChange, today.Calls, want.Calls)
		change("events", got.EventsChange, today.Events, want.Events)
	}
}

func TestWithoutAPastThereIsNothingToCompareWith(t *testing.T) {
	r := newRig(t, "Asia/Kolkata", "2026-03-14T10:30:40Z")
	r.call("/x", 200, "2026-03-14T09:00:00Z")
	for _, p := range []stats.Past{r.overview().Yesterday, r.overview().LastWeek} {
		if p.Calls != 0 || p.Events != 0 || p.SuccessRate != nil || p.CallsChange != nil || p.EventsChange != nil {
			t.Errorf("%+v", p)
		}
	}
	if o := r.overview(); o.Yesterday.Date != "2026-03-13" || o.LastWeek.Date != "2026-03-07" {
		t.Errorf("%s, %s", o.Yesterday.Date, o.LastWeek.Date)
	}
}
