package meta_test

import (
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	weir "github.com/weir-analytics/weir"
)

func TestLimitsAreChangedInPart(t *testing.T) {
	f := open(t)
	p, key := newProject(t, f)
	other, _ := newProject(t, f)
	is := func(want weir.Limits) {
		t.Helper()
		for _, got := range []*weir.Project{must(f.Project(t.Context(), p.ID))(t), must(f.ProjectByKey(t.Context(), key))(t)} {
			if d := cmp.Diff(want, got.Limits); d != "" {
				t.Error(d)
			}
		}
	}
	plain := weir.Limits{Over: weir.OverRefuse, Sample: 10}
	is(plain)
	want := weir.Limits{Key: weir.Rate{N: 1000, Per: time.Second}, IP: weir.RateOff, Quota: 5, Over: weir.OverRefuse, Sample: 10}
	got := must(f.ChangeLimits(t.Context(), p.ID, func(l *weir.Limits) error {
		l.Key, l.IP, l.Quota = want.Key, want.IP, want.Quota
		return nil
	}))(t)
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
	is(want)
	must(f.ChangeLimits(t.Context(), p.ID, func(l *weir.Limits) error { l.Over = weir.OverSample; return nil }))(t)
	want.Over = weir.OverSample
	is(want)
	if got := must(f.Project(t.Context(), other.ID))(t); got.Limits != plain {
		t.Errorf("another project's limits are %+v", got.Limits)
	}

	_, err := f.ChangeLimits(t.Context(), p.ID, func(l *weir.Limits) error { l.Quota = -1; return nil })
	wantCode(t, err, weir.EINVALID)
	no := errors.New("no")
	if _, err = f.ChangeLimits(t.Context(), p.ID, func(l *weir.Limits) error { l.Quota = 7; return no }); !errors.Is(err, no) {
		t.Errorf("error of the change: %v", err)
	}
	_, err = f.ChangeLimits(t.Context(), "nothing", func(*weir.Limits) error { return nil })
	wantCode(t, err, weir.ENOTFOUND)
	is(want)
}

func TestOverflowsAddUp(t *testing.T) {
	f := open(t)
	p, _ := newProject(t, f)
	other, _ := newProject(t, f)
	for _, a := range []struct {
		project, month, reason string
		events                 int64
	}{
		{p.ID, "2026-03", "quota_exceeded", 5},
		{p.ID, "2026-03", "quota_exceeded", 1 << 40},
		{p.ID, "2026-03", "sampled_out", 7},
		{p.ID, "2026-04", "sampled_out", 1},
		{other.ID, "2026-03", "sampled_out", 2},
		{"nothing", "2026-03", "sampled_out", 2},
	} {
		if err := f.AddOverflow(t.Context(), a.project, a.month, a.reason, a.events); err != nil {
			t.Fatal(err)
		}
	}
	want := map[string]int64{"quota_exceeded": 5 + 1<<40, "sampled_out": 7}
	if d := cmp.Diff(want, must(f.Overflow(t.Context(), p.ID, "2026-03"))(t)); d != "" {
		t.Error(d)
	}
	if got := must(f.Overflow(t.Context(), "nothing", "2026-03"))(t); len(got) != 0 {
		t.Errorf("of no project: %v", got)
	}
}
