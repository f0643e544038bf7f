package stats_test

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	weir "github.com/weir-analytics/weir"
	"github.com/weir-analytics/weir/internal/hot/pebble"
	"github.com/weir-analytics/weir/internal/stats"
)

// trend asks for one and checks what holds for each.
func (r *rig) trend(rng, event string) *stats.Trend {
	r.t.Helper()
	return r.ask(stats.TrendQuery{Range: rng, Event: event})
}

func (r *rig) ask(q stats.TrendQuery) *stats.Trend {
	r.t.Helper()
	rng := q.Range
	tr, err := r.Trend(r.t.Context(), r.project, q)
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
	for _, of := range tr.Series {
		var sum int64
		for _, n := range of.Counts {
			sum += n
		}
		if len(of.Counts) != len(tr.Data) || sum != of.Total || sum == 0 {
			r.t.Fatalf("series %+v beside %d points", of, len(tr.Data))
		}
	}
	if q.By != "" {
		for i, p := range tr.Data {
			sum := int64(0)
			for _, of := range tr.Series {
				sum += of.Counts[i]
			}
			if sum != p.Count {
				r.t.Fatalf("the series add up to %d at %v, want %d", sum, p.Time, p.Count)
			}
		}
	}
	if !tr.AsOf.Equal(r.now) {
		r.t.Fatalf("as of %v at %v", tr.AsOf, r.now)
	}
	return tr
}

// counts returns the points that are not zero, by their time as JSON has it.
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

func TestADayWhoseMidnightComesTwiceIsOneDay(t *testing.T) {
	r := newRig(t, "America/St_Johns", "2010-11-07T15:00:00Z")
	r.add("x", "2010-11-07T02:29:00Z") // 23:59 on the day before
	r.add("x", "2010-11-07T02:30:00Z") // the first midnight
	r.add("x", "2010-11-07T03:00:00Z") // the clock shows 23:30 again
	r.add("x", "2010-11-07T03:30:00Z") // the second midnight
	if d := cmp.Diff(map[string]int64{"2010-11-07T00:00:00-02:30": 3, "2010-11-06T00:00:00-02:30": 1}, counts(r.trend("day", ""))); d != "" {
		t.Error(d)
	}
}

func TestATrendBySomethingThatNothingHasIsAnEmptyListOfSeries(t *testing.T) {
	r := newRig(t, "UTC", "2026-03-10T12:00:00Z")
	for _, by := range []string{"api", "status", "consumer", "event"} {
		body, err := json.Marshal(r.ask(stats.TrendQuery{Range: "hour", By: by}))
		if err != nil || !strings.Contains(string(body), `"series":[]`) {
			t.Errorf("by %s: %s, %v, want an empty list of series", by, body, err)
		}
	}
	if body, err := json.Marshal(r.trend("hour", "")); err != nil || strings.Contains(string(body), "series") {
		t.Errorf("without by: %s, %v, want no series", body, err)
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

// totals returns a trend's series without their counts by point.
func totals(tr *stats.Trend) (got []stats.Series) {
	for _, of := range tr.Series {
		of.Counts = nil
		got = append(got, of)
	}
	return got
}

func TestATrendBySomethingHasASeriesForEachOfTheMostCounted(t *testing.T) {
	r := newRig(t, "Asia/Kolkata", "2026-03-14T10:30:30Z")
	for i, c := range []struct {
		route, consumer string
		status          int
	}{{"/a", "x", 200}, {"/a", "y", 200}, {"/a", "x", 503}, {"/b", "", 200}, {"/b", "y", 404}, {"/c", "x", 0}, {"", "z", 200}} {
		r.call(c.route, c.status, []string{"2026-03-14T10:30:00Z", "2026-03-14T10:29:59Z"}[i%2], by(c.consumer))
	}
	r.add("signup", "2026-03-14T10:30:10Z")
	for by, want := range map[string][]stats.Series{
		"api":      {{Name: "/a", Total: 3}, {Name: "/b", Total: 2}, {Name: "other", Other: true, Total: 1}, {Name: "(none)", None: true, Total: 1}},
		"status":   {{Name: "2xx", Total: 4}, {Name: "0xx", Total: 1}, {Name: "other", Other: true, Total: 2}},
		"consumer": {{Name: "x", Total: 3}, {Name: "y", Total: 2}, {Name: "other", Other: true, Total: 1}, {Name: "(none)", None: true, Total: 1}},
		"event":    {{Name: "api_call", Total: 7}, {Name: "signup", Total: 1}},
	} {
		for _, rng := range []string{"minute", "hour", "day"} {
			if d := cmp.Diff(want, totals(r.ask(stats.TrendQuery{Range: rng, By: by, Top: 2}))); d != "" {
				t.Errorf("%s by %s: %s", rng, by, d)
			}
		}
	}
	of := r.ask(stats.TrendQuery{Range: "minute", By: "api"}).Series[0].Counts
	if want := append(make([]int64, 58), 1, 2); !slices.Equal(of, want) {
		t.Errorf("/a by minute: %v, want zeros, then 1 and 2", of)
	}
	if tr := newRig(t, "UTC", "2026-03-14T10:30:30Z").ask(stats.TrendQuery{Range: "day", By: "api"}); tr.Series == nil || len(tr.Series) != 0 {
		t.Errorf("%v before any call, want no series", tr.Series)
	}
}

func TestAPIsNeedNoConfigurationAndTheOnesBeyondTheCapAreNotTheOneCalledOther(t *testing.T) {
	r := newRig(t, "UTC", "2026-03-14T10:30:30Z", func(o *pebble.Options) { o.MaxMembers = 3 })
	for _, route := range []string{"other", "GET /v1/{id}", "ü/💧", "late", "later", "other"} {
		r.call(route, 200, "2026-03-14T10:30:00Z")
	}
	want := []stats.Series{{Name: "other", Total: 2}, {Name: "GET /v1/{id}", Total: 1}, {Name: "other", Other: true, Total: 3, Unnamed: 2}}
	if d := cmp.Diff(want, totals(r.ask(stats.TrendQuery{Range: "hour", By: "api", Top: 2}))); d != "" {
		t.Error(d)
	}
}

func TestEachHourOfATrendIsThereInTheNightsOfAHalfHourClock(t *testing.T) {
	for _, now := range []string{"2026-04-04T15:40:00Z", "2026-04-05T01:00:00Z", "2026-10-03T15:40:00Z", "2026-10-04T02:10:00Z"} {
		r := newRig(t, "Australia/Lord_Howe", now)
		loc := r.project.Location()
		for at := r.now.Add(-25 * time.Hour); at.Before(r.now); at = at.Add(7 * time.Minute) {
			r.add("x", at.Format(time.RFC3339))
		}
		tr := r.trend("hour", "")
		for i, p := range tr.Data {
			until := r.now
			if i+1 < len(tr.Data) {
				until = tr.Data[i+1].Time
			}
			var want int64
			for at := r.now.Add(-25 * time.Hour); at.Before(r.now); at = at.Add(7 * time.Minute) {
				if !at.Before(p.Time) && at.Before(until) {
					want++
				}
			}
			if p.Count != want {
				t.Errorf("at %v: the hour of %v has %d, want %d", r.now.In(loc), p.Time, p.Count, want)
			}
		}
	}
}

func TestAWrongTrendIsTheAskersFault(t *testing.T) {
	r := newRig(t, "UTC", "2026-03-14T10:30:00Z")
	for _, q := range []stats.TrendQuery{
		{},
		{Range: "week"},
		{Range: "Minute"},
		{Range: "day", By: "country"},
		{Range: "day", By: "api", Event: "x"},
		{Range: "day", By: "api", Top: -1},
		{Range: "day", By: "api", Top: stats.MaxTop + 1},
	} {
		if tr, err := r.Trend(t.Context(), r.project, q); weir.ErrorCode(err) != weir.EINVALID || tr != nil {
			t.Errorf("%+v: %v, %v", q, tr, err)
		}
	}
}
