package retention

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus"
	weir "github.com/weir-analytics/weir"
	"github.com/weir-analytics/weir/internal/cold"
	"github.com/weir-analytics/weir/internal/meta"
)

// forgetful remembers what it was told to forget, a line a call, and fails where told to.
type forgetful struct {
	calls []string
	fails map[string]error // by project
}

func (f *forgetful) Forget(_ context.Context, cuts ...cold.Deletion) error {
	var call []string
	var err error
	for _, c := range cuts {
		call = append(call, c.ProjectID+" "+c.Before.UTC().Format("01-02 15:04"))
		err = errors.Join(err, f.fails[c.ProjectID])
	}
	f.calls = append(f.calls, strings.Join(call, ", "))
	return err
}

// projectList are the projects, or why there are none, and what a store knows beside them.
type projectList struct {
	all   []*weir.Project
	err   error
	clock weir.Clock
	doubt *meta.Today // instead of what the clock shows
	done  map[string]time.Time
}

func (l *projectList) Projects(context.Context) ([]*weir.Project, error) { return l.all, l.err }

func (l *projectList) Today(context.Context) (meta.Today, error) {
	if l.doubt != nil {
		return *l.doubt, nil
	}
	return meta.Today{Time: l.clock.Now()}, nil
}

func (l *projectList) Forgotten(context.Context) (map[string]time.Time, error) { return l.done, nil }

func (l *projectList) SetForgotten(_ context.Context, before map[string]time.Time) error {
	if l.done == nil {
		l.done = map[string]time.Time{}
	}
	maps.Copy(l.done, before)
	return nil
}

// keeps returns a retention over fakes, and what it logs.
func keeps(l *projectList, f *forgetful) (*Retention, *bytes.Buffer) {
	var log bytes.Buffer
	return New(l, f, always, slog.New(slog.NewTextHandler(&log, nil)), prometheus.NewRegistry()), &log
}

// lasting runs it for so long.
func lasting(t *testing.T, r *Retention, d time.Duration) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), d)
	defer cancel()
	if err := r.Run(ctx); err != nil {
		t.Fatal(err)
	}
}

func failures(t *testing.T, r *Retention) float64 {
	t.Helper()
	reg := prometheus.NewPedanticRegistry()
	reg.MustRegister(r.failures)
	families, err := reg.Gather()
	if err != nil {
		t.Fatal(err)
	}
	return families[0].GetMetric()[0].GetCounter().GetValue()
}

func TestWhatAProjectNoLongerKeepsIsDeletedOnceADayInItsZone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) { // begins at midnight UTC, 2000-01-01
		l := &projectList{all: []*weir.Project{
			{ID: "utc", Timezone: "UTC", RetentionDays: 7},
			{ID: "kathmandu", Timezone: "Asia/Kathmandu", RetentionDays: 1}, // 5:45 ahead
			{ID: "for ever", Timezone: "UTC"},
		}}
		f := &forgetful{}
		r, _ := keeps(l, f)
		lasting(t, r, 30*time.Hour)
		want := []string{"utc 12-25 00:00, kathmandu 12-30 18:15", "kathmandu 12-31 18:15", "utc 12-26 00:00"}
		if d := cmp.Diff(want, f.calls); d != "" {
			t.Error(d)
		}
		if n := failures(t, r); n != 0 {
			t.Errorf("%v failures", n)
		}
	})
}

func TestAShorterRetentionCountsWithinTheHourAndALongerOneBringsNothingBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := &weir.Project{ID: "p", Timezone: "UTC", RetentionDays: 7}
		l := &projectList{all: []*weir.Project{p}}
		f := &forgetful{}
		r, _ := keeps(l, f)
		for _, days := range []int{7, 3, 30, 0, 2} {
			l.all = []*weir.Project{{ID: p.ID, Timezone: p.Timezone, RetentionDays: days}}
			lasting(t, r, time.Minute)
		}
		if d := cmp.Diff([]string{"p 12-25 00:00", "p 12-29 00:00", "p 12-30 00:00"}, f.calls); d != "" {
			t.Error(d)
		}
	})
}

func TestADayOfLongAgoIsRoundedDownToAQuarterOfAnHour(t *testing.T) {
	// Monrovia's clocks were 44:30 behind until 1972.
	now := func() time.Time { return time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC) }
	f := &forgetful{}
	r, _ := keeps(&projectList{all: []*weir.Project{{ID: "p", Timezone: "Africa/Monrovia", RetentionDays: 20_000}}, clock: now}, f)
	r.enforce(t.Context())
	if d := cmp.Diff([]string{"p 05-29 00:30"}, f.calls); d != "" { // of 1971, where the day began at 00:44:30 UTC
		t.Error(d)
	}
}

func TestADeletionThatFailsIsCountedAndTriedAgainAndHoldsUpNoOther(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := &projectList{all: []*weir.Project{{ID: "bad", Timezone: "UTC", RetentionDays: 7}}}
		for len(l.all) < cold.MaxDeletions {
			l.all = append(l.all, &weir.Project{ID: fmt.Sprint("p", len(l.all)), Timezone: "UTC", RetentionDays: 7})
		}
		l.all = append(l.all, &weir.Project{ID: "good", Timezone: "UTC", RetentionDays: 7})
		f := &forgetful{fails: map[string]error{"bad": errors.New("disk on fire")}}
		r, log := keeps(l, f)
		lasting(t, r, time.Hour+time.Minute)
		if len(f.calls) != 3 || f.calls[1] != "good 12-25 00:00" || f.calls[2] != f.calls[0] {
			t.Errorf("%d calls", len(f.calls))
		}
		if n := failures(t, r); n != 2 || strings.Count(log.String(), "disk on fire") != 2 {
			t.Errorf("%v failures: %s", n, log)
		}
		l.err = errors.New("no projects today")
		lasting(t, r, time.Minute)
		if n := failures(t, r); n != 3 || !strings.Contains(log.String(), "no projects today") {
			t.Errorf("%v failures: %s", n, log)
		}
		l.err, f.fails = nil, nil
		lasting(t, r, time.Hour+time.Minute)
		if len(f.calls) != 4 || failures(t, r) != 3 {
			t.Errorf("%v failures, %d calls", failures(t, r), len(f.calls))
		}
	})
}

func TestTenThousandProjectsAreDeletedInTwentyGoesAndNotAgainAfterARestart(t *testing.T) {
	l := &projectList{clock: func() time.Time { return time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC) }}
	for i := range 10_000 {
		l.all = append(l.all, &weir.Project{ID: fmt.Sprint("p", i), Timezone: "UTC", RetentionDays: 1 + i%400})
	}
	f := &forgetful{}
	for range 2 {
		r, _ := keeps(l, f)
		r.enforce(t.Context())
		if len(f.calls) != 20 {
			t.Fatalf("%d goes, want 20", len(f.calls))
		}
	}
}

func TestAClockThatJumpsForwardDeletesNothingMore(t *testing.T) {
	now := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	l := &projectList{all: []*weir.Project{{ID: "p", Timezone: "UTC", RetentionDays: 7}}, clock: func() time.Time { return now }}
	f := &forgetful{}
	r, log := keeps(l, f)
	r.enforce(t.Context())
	l.doubt = &meta.Today{Time: now, Ahead: 365 * 24 * time.Hour, Until: now.Add(366 * 24 * time.Hour)}
	r.enforce(t.Context())
	if d := cmp.Diff([]string{"p 02-22 00:00"}, f.calls); d != "" {
		t.Error(d)
	}
	if text := log.String(); !strings.Contains(text, "level=ERROR") || !strings.Contains(text, "believed_at=2027-03-02T12:00:00.000Z") {
		t.Errorf("log: %s", text)
	}
	// What was deleted under a wrong clock that was believed does not end the retention.
	l.doubt, l.done["p"] = nil, now.AddDate(1, 0, 0)
	r.enforce(t.Context())
	if d := cmp.Diff([]string{"p 02-22 00:00", "p 02-22 00:00"}, f.calls); d != "" {
		t.Error(d)
	}
}

func TestOnlyTheNodeWithTheLockDeletes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := &forgetful{}
		r, log := keeps(&projectList{all: []*weir.Project{{ID: "p", Timezone: "UTC", RetentionDays: 7}}}, f)
		var err error
		r.mayRun = func(context.Context, time.Duration) (bool, error) { return false, err }
		lasting(t, r, time.Minute)
		if len(f.calls) != 0 || failures(t, r) != 0 {
			t.Errorf("forgets %v, %v failures", f.calls, failures(t, r))
		}
		err = errors.New("no locks today")
		lasting(t, r, time.Minute)
		if len(f.calls) != 0 || failures(t, r) != 1 || !strings.Contains(log.String(), "no locks today") {
			t.Errorf("forgets %v, %v failures: %s", f.calls, failures(t, r), log)
		}
	})
}
