package visit_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	weir "github.com/weir-analytics/weir"
	"github.com/weir-analytics/weir/internal/visit"
)

// erasures has when somebody was erased, by profile; "" is everybody on a device without one.
type erasures map[string]time.Time

// in reports whether somebody in the visit was erased after its first event was received.
func (e erasures) in(v *weir.VisitRow) bool {
	people := append(v.Beside.Profiles(), v.ProfileID)
	if v.Beside.Has(weir.BesideAnonymous) {
		people = append(people, "")
	}
	return slices.ContainsFunc(people, func(p string) bool { return v.ReceivedAt.Before(e[p]) })
}

// came is an event of a profile whose time is when it was received.
func came(after time.Duration, profile, session string) weir.Event {
	return at(after, "x", func(e *weir.Event) { e.ProfileID, e.SessionID, e.ReceivedAt = profile, session, e.Time })
}

func TestAVisitIsBeforeOrAfterEachErasureOfWhoeverIsInIt(t *testing.T) {
	late := func(e weir.Event, received time.Duration) weir.Event {
		e.ReceivedAt = t0.Add(received)
		return e
	}
	for name, tt := range map[string]struct {
		before, after []weir.Event // the erasure of ada and of the device, after 5 minutes
		want          []int        // number of the visit of each event
	}{
		"she comes back into a visit of another": {
			before: []weir.Event{came(0, "bob", "")},
			after:  []weir.Event{came(6*minute, "ada", ""), came(7*minute, "bob", ""), came(8*minute, "ada", "")},
			want:   []int{1, 2, 2, 2},
		},
		"somebody without a name comes into it": {
			before: []weir.Event{came(0, "bob", "")},
			after:  []weir.Event{came(6*minute, "", ""), came(7*minute, "bob", "")},
			want:   []int{1, 2, 2},
		},
		"others go on": {
			before: []weir.Event{came(0, "bob", "")},
			after:  []weir.Event{came(6*minute, "eve", ""), came(7*minute, "bob", "")},
			want:   []int{1, 1, 1},
		},
		"her visit of before is gone": {
			before: []weir.Event{came(0, "bob", ""), came(minute, "ada", "")},
			after:  []weir.Event{came(6*minute, "bob", "")},
			want:   []int{1, 1, 2},
		},
		"what another sent before the erasure comes after her": {
			after: []weir.Event{came(6*minute, "ada", ""), late(came(7*minute, "bob", ""), 4*minute), came(8*minute, "ada", "")},
			want:  []int{1, 2, 1},
		},
		"the visit has a name": {
			before: []weir.Event{came(0, "bob", "s")},
			after:  []weir.Event{came(6*minute, "ada", "s"), came(7*minute, "bob", "s"), late(came(minute, "bob", "s"), 8*minute)},
			want:   []int{1, 2, 2, 2},
		},
		"she comes back with an older time": {
			before: []weir.Event{came(4*minute, "bob", "")},
			after:  []weir.Event{late(came(2*minute, "ada", ""), 6*minute), late(came(3*minute, "ada", ""), 7*minute), came(8*minute, "bob", "")},
			want:   []int{1, 2, 2, 1},
		},
		"with the name of it and an older time": {
			before: []weir.Event{came(4*minute, "bob", "s")},
			after:  []weir.Event{late(came(2*minute, "ada", "s"), 6*minute), came(8*minute, "bob", "s")},
			want:   []int{1, 2, 2},
		},
	} {
		for _, one := range []bool{true, false} { // batch
			t.Run(fmt.Sprint(name, ", in one batch: ", one), func(t *testing.T) {
				s := newShard()
				for _, e := range tt.before {
					s.fold(e)
				}
				erased := erasures{"ada": t0.Add(5 * minute), "": t0.Add(5 * minute)}
				s.Erased = erased.in
				if one {
					s.fold(tt.after...)
				} else {
					for _, e := range tt.after {
						s.fold(e)
					}
				}
				states := lives(t, s.visits)
				var events int64
				for _, v := range states {
					events += v.Events
				}
				if int(events) != len(s.rows) || len(states) != slices.Max(tt.want) {
					t.Errorf("%d visits with %d events: %+v", len(states), events, states)
				}
				visits := map[string]int{} // number by name, in the order of the log
				for i, r := range s.rows {
					if r.SessionID == "s" {
						continue // of both
					}
					if visits[r.SessionID] == 0 {
						visits[r.SessionID] = len(visits) + 1
					}
					if visits[r.SessionID] != tt.want[i] {
						t.Errorf("event %d is in visit %d, want %d", i, visits[r.SessionID], tt.want[i])
					}
				}
				for _, st := range s.open {
					for i := range st {
						if erased.in(&st[i].VisitRow) {
							t.Errorf("an open visit is partly from before the erasure: %+v", st[i])
						}
					}
				}
			})
		}
	}
}

func lives(t *testing.T, rows []weir.VisitRow) []weir.VisitRow {
	t.Helper()
	states, err := live(rows)
	if err != nil {
		t.Fatal(err)
	}
	return states
}

// Random people share devices and are erased now and then. Each visit that a batch writes
// is on one side of each erasure that the batch is told of, and devices that nobody who was erased
// has used have the same visits as without erasures.
func TestErasuresSplitOnlyTheVisitsOfWhoWasErased(t *testing.T) {
	for seed := range uint64(60) {
		r := rand.New(rand.NewPCG(seed, 5))
		with, without := newShard(), newShard()
		erased := erasures{}
		with.Erased = erased.in
		touched := map[string]bool{} // devices of profiles that were ever erased
		now := time.Duration(0)
		for range 40 {
			now += time.Duration(r.IntN(12)) * minute
			with.now, without.now = t0.Add(now), t0.Add(now)
			if r.IntN(4) == 0 {
				erased[fmt.Sprint("u", r.IntN(3))] = t0.Add(now)
			}
			var batch []weir.Event
			for range 1 + r.IntN(4) {
				e := came(now-time.Duration(r.IntN(10))*minute, fmt.Sprint("u", r.IntN(6)), []string{"", "", "s"}[r.IntN(3)])
				if e.DeviceID = fmt.Sprint("d", r.IntN(3)); e.ProfileID < "u3" && r.IntN(3) > 0 {
					e.DeviceID = "shared"
				}
				e.ReceivedAt = t0.Add(now)
				if r.IntN(5) == 0 {
					e.ReceivedAt = t0.Add(now - time.Duration(r.IntN(40))*minute) // from a spill
				}
				if e.ReceivedAt.Before(erased[e.ProfileID]) {
					continue // the drain has taken it out
				}
				if e.ProfileID < "u3" {
					touched[visit.Key("p", e.DeviceID)] = true
				}
				batch = append(batch, e)
			}
			written := len(with.visits)
			with.fold(batch...)
			without.fold(batch...)
			if r.IntN(5) == 0 {
				with.apply(with.Expire(with.open, with.now))
				without.apply(without.Expire(without.open, without.now))
			}
			for _, v := range with.visits[written:] {
				if v.Sign > 0 && erased.in(&v) {
					t.Fatalf("seed %d: %+v is on both sides of an erasure", seed, v)
				}
			}
			for key, st := range without.open {
				if !touched[key] && string(st.Encode()) != string(with.open[key].Encode()) {
					t.Fatalf("seed %d: %q, which nobody who was erased has used, has other visits", seed, key)
				}
			}
			for _, st := range with.open {
				if len(st) == 2 && st[0].SessionID == st[1].SessionID {
					t.Fatalf("seed %d: two open visits of one name", seed)
				}
			}
		}
		lives(t, with.visits)
	}
}
