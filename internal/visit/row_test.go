package visit_test

import (
	"fmt"
	"math"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	weir "github.com/weir-analytics/weir"
	"pgregory.net/rapid"
)

func TestABatchWritesOneStateOfAVisitAndCancelsTheOneBefore(t *testing.T) {
	s := newShard()
	s.fold(view(0, "/a"), at(minute, "x"), at(2*minute, "x"))
	s.fold(at(3*minute, "x"), view(4*minute, "/b"))
	s.expire(time.Hour)
	first := weir.VisitRow{
		ProjectID: "p", DeviceID: "d", SessionID: s.rows[0].SessionID, Sign: 1, Version: 1, Start: t0, End: t0.Add(2 * minute),
		Entry: "/a", Exit: "/a", EntryAt: t0, ExitAt: t0, Events: 3, ScreenViews: 1, Interactive: 2,
	}
	second := first
	second.Version, second.End, second.Exit, second.ExitAt = 2, t0.Add(4*minute), "/b", t0.Add(4*minute)
	second.Events, second.ScreenViews, second.Interactive = 5, 2, 3
	cancels := func(v weir.VisitRow) weir.VisitRow {
		v.Sign = -1
		return v
	}
	if d := cmp.Diff([]weir.VisitRow{first, cancels(first), second}, s.visits); d != "" {
		t.Fatal(d)
	}
}

func TestAVisitThatIsLeftAloneIsNotWritten(t *testing.T) {
	s := newShard()
	s.fold(view(0, "/a"), view(60*minute, "/b")) // the first has ended and is remembered
	n := len(s.visits)
	s.fold(at(61*minute, "x"))
	for _, v := range s.visits[n:] {
		if v.SessionID != s.rows[1].SessionID {
			t.Errorf("wrote %+v", v)
		}
	}
	n = len(s.visits)
	s.expire(10 * minute)
	s.expire(time.Hour)
	if got := s.visits[n:]; len(got) != 0 {
		t.Errorf("the end wrote %+v", got)
	}
}

func TestVisitHasTheCountryOfItsEarliestEvent(t *testing.T) {
	s := newShard()
	from := func(country string, bot bool) func(*weir.Event) {
		return func(e *weir.Event) { e.Country, e.Bot = country, bot }
	}
	s.fold(at(10*minute, "x", from("DE", true)))
	s.fold(at(11*minute, "x", from("FR", false)))
	s.fold(at(9*minute, "x", from("IN", false)))
	for _, v := range s.total() {
		if v.Country != "IN" || v.Bot || v.Version != 3 {
			t.Errorf("%+v", v)
		}
	}
}

func TestANamedVisitThatWasLetGoOfBeginsAgain(t *testing.T) {
	visits := func(s *shard) (n, events int64) {
		states, err := live(s.visits)
		if err != nil {
			t.Fatal(err)
		}
		for _, v := range states {
			if v.SessionID == "s" {
				n++
				events += v.Events
			}
		}
		return n, events
	}
	t.Run("after it expired", func(t *testing.T) {
		s := newShard()
		s.fold(at(0, "x", session("s")))
		s.expire(time.Hour)
		s.fold(at(time.Hour, "x", session("s")))
		if n, events := visits(s); n != 2 || events != 2 || s.visits[len(s.visits)-1].Version != 1 {
			t.Errorf("%d visits of %d events: %+v", n, events, s.visits)
		}
	})
	t.Run("in the batch in which others took its place", func(t *testing.T) {
		s := newShard()
		s.fold(at(0, "x", session("s")))
		events := []weir.Event{at(1, "x", session("s"))}
		for i := range 8 {
			events = append(events, at(2, "x", session(fmt.Sprint("other", i))))
		}
		s.fold(append(events, at(3, "x", session("s")))...)
		if n, events := visits(s); n != 2 || events != 3 {
			t.Errorf("%d visits of %d events: %+v", n, events, s.visits)
		}
	})
}

func TestARevenueBeyondAllNumbersLeavesTheVisitsSumFinite(t *testing.T) {
	s := newShard()
	worth := func(r float64) func(*weir.Event) { return func(e *weir.Event) { e.Revenue = weir.Known(r) } }
	s.fold(at(0, "x", worth(math.MaxFloat64)), at(1, "x", worth(math.MaxFloat64)), at(2, "x", worth(math.NaN())))
	for _, v := range s.total() {
		if v.Revenue != math.MaxFloat64 || v.Events != 3 {
			t.Errorf("%+v", v)
		}
	}
}

func TestAVisitIsABotsWhenAllItsViewsAre(t *testing.T) {
	bot := func(e *weir.Event) { e.Bot = true }
	for name, tt := range map[string]struct {
		events []weir.Event
		want   bool
	}{
		"a bot's event beside a person's view":   {[]weir.Event{view(0, "/"), at(minute, "x", bot)}, false},
		"a person's event beside a bot's view":   {[]weir.Event{view(0, "/", bot), at(minute, "x")}, true},
		"views of both":                          {[]weir.Event{view(0, "/", bot), view(minute, "/")}, false},
		"views of bots":                          {[]weir.Event{view(0, "/", bot), view(minute, "/", bot)}, true},
		"no view, and a person's event":          {[]weir.Event{at(0, "x", bot), at(minute, "x")}, false},
		"no view, and events of bots":            {[]weir.Event{at(0, "x", bot), at(minute, "x", bot)}, true},
		"a bot's view, after a person's event":   {[]weir.Event{at(0, "x"), view(minute, "/", bot)}, true},
		"merged with a visit of a person's view": {[]weir.Event{view(0, "/", bot), view(50*minute, "/"), view(25*minute, "/", bot)}, false},
	} {
		t.Run(name, func(t *testing.T) {
			for _, one := range []bool{true, false} { // batch
				s := newShard()
				if one {
					s.fold(tt.events...)
				} else {
					for _, e := range tt.events {
						s.fold(e)
					}
				}
				if v := s.one(t); v.Bot != tt.want {
					t.Errorf("in one batch %t: %+v", one, v)
				}
			}
		})
	}
}

// naive is each visit as a walk over its events finds it. They are in the order
// in which they came.
func naive(rows []weir.EventRow) map[string]weir.VisitRow {
	of := map[string][]weir.EventRow{}
	for _, r := range rows {
		if r.DeviceID != "" && r.SessionID != "" {
			of[r.DeviceID+"/"+r.SessionID] = append(of[r.DeviceID+"/"+r.SessionID], r)
		}
	}
	visits := map[string]weir.VisitRow{}
	for key, events := range of {
		first := events[0]
		v := weir.VisitRow{ProjectID: "p", DeviceID: first.DeviceID, SessionID: first.SessionID, Sign: 1, Start: first.Time, End: first.Time}
		var views []weir.EventRow
		human := false
		anonymous := slices.ContainsFunc(events, func(e weir.EventRow) bool { return e.ProfileID == "" })
		for _, e := range events {
			v.Events++
			v.Revenue += e.Revenue.Value
			human = human || !e.Bot
			if e.ProfileID != "" {
				v.ProfileID = e.ProfileID
			}
			if e.Time.Before(first.Time) {
				first = e
			}
			if e.Time.After(v.End) {
				v.End = e.Time
			}
			switch e.Name {
			case weir.NameScreenView:
				views = append(views, e)
			case weir.NameCall:
				v.Calls++
			case "click":
				v.Interactive++
			}
		}
		v.Start, v.Country = first.Time, first.Country
		for i, e := range views {
			if i == 0 || e.Time.Before(v.EntryAt) {
				v.Entry, v.EntryAt = e.Path, e.Time
			}
			if !e.Time.Before(v.ExitAt) {
				v.Exit, v.ExitAt = e.Path, e.Time
			}
		}
		v.ScreenViews = int64(len(views))
		v.Bot = !human
		if len(views) > 0 {
			v.Bot = !slices.ContainsFunc(views, func(e weir.EventRow) bool { return !e.Bot })
		}
		if anonymous && v.ProfileID != "" { // there is one profile
			v.Beside = "\na\n"
		}
		visits[key] = v
	}
	return visits
}

// sum is what a report adds up.
type sum struct {
	visits, events, views, acts, calls int64
	revenue                            float64
}

func (s *sum) add(v weir.VisitRow) {
	n := int64(v.Sign)
	s.visits += n
	s.events += n * v.Events
	s.views += n * v.ScreenViews
	s.acts += n * v.Interactive
	s.calls += n * v.Calls
	s.revenue += float64(v.Sign) * v.Revenue
}

// Whatever the batches, the rows add up to what a walk over the events finds;
// at no time does a visit have less than nothing, or more than a state.
func TestRowsAddUpToTheVisitsOfTheEvents(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		events := drawEvents(t, false)
		for i := range events {
			if n := events[i].Name; n == weir.NameSessionEnd || n == weir.NameScreenLeave {
				events[i].SessionID = "" // else it may name a visit that it is no part of
			}
		}
		s := newShard()
		sums := map[string]*sum{}
		check := func(batch []weir.VisitRow) {
			written := map[string]int{}
			for _, v := range batch {
				key := v.DeviceID + "/" + v.SessionID
				if sums[key] == nil {
					sums[key] = &sum{}
				}
				sums[key].add(v)
				if n := sums[key]; n.visits < 0 || n.events < 0 || n.views < 0 || n.acts < 0 || n.calls < 0 || n.revenue < 0 {
					t.Fatalf("%s is less than nothing: %+v", key, n)
				}
				if v.Sign > 0 {
					written[key]++
				}
				if named := len(v.SessionID) == 2; !named && written[key] > 1 {
					t.Fatalf("%d states of %s in one batch", written[key], key)
				}
			}
			if _, err := live(s.visits); err != nil {
				t.Fatal(err)
			}
		}
		for _, b := range cut(t, events) {
			n := len(s.visits)
			s.fold(b...)
			check(s.visits[n:])
		}
		n := len(s.visits)
		s.expire(time.Hour)
		check(s.visits[n:])
		if len(s.open) != 0 {
			t.Fatalf("%d devices left open", len(s.open))
		}

		for key, sum := range sums {
			if sum.visits == 0 { // it was merged, or took another name
				delete(sums, key)
			}
		}
		want, total := naive(s.answered()), s.total()
		for key, v := range want {
			got, exp := *sums[key], sum{}
			exp.add(v)
			if named := len(v.SessionID) == 2; named { // may have begun again
				if got.visits < 1 {
					t.Fatalf("%s: %+v", key, got)
				}
				got.visits = 1
			} else {
				v.Ended, v.Version, v.Formerly = total[key].Ended, total[key].Version, total[key].Formerly
				if d := cmp.Diff(v, total[key]); d != "" {
					t.Fatalf("%s (-naive +fold):\n%s", key, d)
				}
			}
			if got != exp {
				t.Fatalf("%s: %+v, want %+v", key, got, exp)
			}
		}
		if len(sums) != len(want) {
			t.Fatalf("rows of %d visits, want %d", len(sums), len(want))
		}
	})
}
