package stats_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	weir "github.com/weir-analytics/weir"
	"github.com/weir-analytics/weir/internal/stats"
)

// trend asks for one and checks what holds for each.
func (r *rig) trend(rng, event string) *stats.Trend {
	r.t.Helper()
	tr, err := r.Trend(r.t.Context(), r.project, rng, event)
	if err != nil {
		r.t.Fatal(err)
	}
	if want := map[string]int{"minute": 60, "hour": 24, "day": 30}[rng]; tr.Range != rng || len(tr.Data) != want {
		r.t.Fatalf("range %q of %d points, want %q of %d", tr.Range, len(tr.Data), rng, want)
	}
	for i := 1; i < len(tr.Data); i++ {
		if !tr.Data[i].Time.After(tr.Data[i-1].Time) {
			r.t.Fatalf("%v comes after %v", tr.Data[i].Time, tr.Data[i-1].Time)
		}
	}
	if !tr.AsOf.Equal(r.now) {
		r.t.Fatalf("as of %v at %v", tr.AsOf, r.now)
	}
	return tr
}

// counts are the points that are not zero, by their time as JSON has it.
func counts(tr *stats.Trend) map[string]int64 {
	got := map[string]int64{}
	for _, p := range tr.Data {
		if p.Count != 0 {
			got[p.Time.Format(time.RFC3339)] = p.Count
		}
	}
	return got
}

func (r *rig) first(tr *stats.Trend) string { return tr.Data[0].Time.Format(time.RFC3339) }
func (r *rig) final(tr *stats.Trend) string { return tr.Data[len(tr.Data)-1].Time.Format(time.RFC3339) }

func TestATrendEndsWithTheBucketOfNow(t *testing.T) {
	for _, c := range []struct{ zone, now, rng, first, last string }{
		{"UTC", "2026-03-14T10:30:40Z", "minute", "2026-03-14T09:31:00Z", "2026-03-14T10:30:00Z"},
		{"Asia/Kolkata", "2026-03-14T10:30:40Z", "minute", "2026-03-14T15:01:00+05:30", "2026-03-14T16:00:00+05:30"},
		{"UTC", "2026-03-14T10:30:40Z", "hour", "2026-03-13T11:00:00Z", "2026-03-14T10:00:00Z"},
		{"Asia/Kolkata", "2026-03-14T20:00:00Z", "hour", "2026-03-14T02:00:00+05:30", "2026-03-15T01:00:00+05:30"},
		{"UTC", "2026-03-14T10:30:40Z", "day", "2026-02-13T00:00:00Z", "2026-03-14T00:00:00Z"},
		{"Asia/Kolkata", "2026-03-14T20:00:00Z", "day", "2026-02-14T00:00:00+05:30", "2026-03-15T00:00:00+05:30"},
		{"America/New_York", "2026-03-20T12:00:00Z", "day", "2026-02-19T00:00:00-05:00", "2026-03-20T00:00:00-04:00"},
		{"America/Santiago", "2026-09-06T12:00:00Z", "day", "2026-08-08T00:00:00-04:00", "2026-09-06T01:00:00-03:00"},
	} {
		r := newRig(t, c.zone, c.now)
		tr := r.trend(c.rng, "")
		if r.first(tr) != c.first || r.final(tr) != c.last {
			t.Errorf("%s by %s: %s to %s, want %s to %s", c.zone, c.rng, r.first(tr), r.final(tr), c.first, c.last)
		}
		if len(counts(tr)) != 0 {
			t.Errorf("%s by %s: counts without events: %v", c.zone, c.rng, counts(tr))
		}
	}
}

func TestEachEventCountsInItsOwnBucket(t *testing.T) {
	r := newRig(t, "Asia/Kolkata", "2026-03-14T20:00:30Z")
	for _, at := range []string{
		"2026-03-14T20:00:00Z", "2026-03-14T20:00:29Z", "2026-03-14T19:59:59Z",
		"2026-03-14T19:29:59Z", "2026-03-14T18:29:59Z", "2026-01-01T00:00:00Z",
	} {
		r.add("x", at)
	}
	for rng, want := range map[string]map[string]int64{
		"minute": {"2026-03-15T01:30:00+05:30": 2, "2026-03-15T01:29:00+05:30": 1, "2026-03-15T00:59:00+05:30": 1},
		"hour":   {"2026-03-15T01:00:00+05:30": 3, "2026-03-15T00:00:00+05:30": 1, "2026-03-14T23:00:00+05:30": 1},
		"day":    {"2026-03-15T00:00:00+05:30": 4, "2026-03-14T00:00:00+05:30": 1},
	} {
		if d := cmp.Diff(want, counts(r.trend(rng, ""))); d != "" {
			t.Errorf("by %s: %s", rng, d)
		}
	}
}

func TestTheNightOfTheClockKeepsItsHoursAndDaysApart(t *testing.T) {
	back := newRig(t, "America/New_York", "2026-11-01T15:00:00Z")
	back.add("x", "2026-11-01T05:30:00Z") // the first one o'clock
	back.add("x", "2026-11-01T06:30:00Z") // the second
	back.add("x", "2026-11-01T03:30:00Z") // the day before
	if d := cmp.Diff(map[string]int64{
		"2026-11-01T01:00:00-04:00": 1, "2026-11-01T01:00:00-05:00": 1, "2026-10-31T23:00:00-04:00": 1,
	}, counts(back.trend("hour", ""))); d != "" {
		t.Error(d)
	}
	if d := cmp.Diff(map[string]int64{"2026-11-01T00:00:00-04:00": 2, "2026-10-31T00:00:00-04:00": 1}, counts(back.trend("day", ""))); d != "" {
		t.Error(d)
	}
	forward := newRig(t, "America/New_York", "2026-03-08T15:00:00Z")
	forward.add("x", "2026-03-08T06:59:00Z") // 01:59, and a minute later it is 03:00
	forward.add("x", "2026-03-08T07:00:00Z")
	if d := cmp.Diff(map[string]int64{"2026-03-08T01:00:00-05:00": 1, "2026-03-08T03:00:00-04:00": 1}, counts(forward.trend("hour", ""))); d != "" {
		t.Error(d)
	}
}

func TestATrendOfOneEventLeavesOutTheOthers(t *testing.T) {
	r := newRig(t, "UTC", "2026-03-14T10:30:00Z")
	r.add("signup", "2026-03-14T10:00:00Z")
	r.add("signup_failed", "2026-03-14T10:00:00Z")
	r.call("/x", 200, "2026-03-14T10:00:00Z")
	for event, want := range map[string]map[string]int64{
		"":            {"2026-03-14T10:00:00Z": 3},
		"signup":      {"2026-03-14T10:00:00Z": 1},
		weir.NameCall: {"2026-03-14T10:00:00Z": 1},
		"sign":        {},
	} {
		if d := cmp.Diff(want, counts(r.trend("hour", event))); d != "" {
			t.Errorf("%q: %s", event, d)
		}
	}
}

func TestAnUnknownRangeIsTheAskersFault(t *testing.T) {
	r := newRig(t, "UTC", "2026-03-14T10:30:00Z")
	for _, rng := range []string{"", "week", "Minute"} {
		if tr, err := r.Trend(t.Context(), r.project, rng, ""); weir.ErrorCode(err) != weir.EINVALID || tr != nil {
			t.Errorf("%q: %v, %v", rng, tr, err)
		}
	}
}
