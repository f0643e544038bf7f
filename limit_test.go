package weir_test

import (
	"strings"
	"testing"
	"time"

	weir "github.com/weir-analytics/weir"
)

func TestARateIsReadAndWritten(t *testing.T) {
	for text, want := range map[string]weir.Rate{
		"1000/s": {N: 1000, Per: time.Second}, "1/m": {N: 1, Per: time.Minute}, "5000/h": {N: 5000, Per: time.Hour},
		"100000000/d": {N: weir.MaxRate, Per: 24 * time.Hour}, "off": weir.RateOff, "": {},
	} {
		got, err := weir.ParseRate(text)
		if err != nil || got != want || got.String() != text {
			t.Errorf("%q: %+v as %q, %v", text, got, got, err)
		}
		if got.Limited() != strings.Contains(text, "/") {
			t.Errorf("%q: limited %v", text, got.Limited())
		}
	}
	for _, text := range []string{"1000", "/s", "0/s", "-1/s", "+1/s", "01/s", "1/w", "1/S", "1.5/s", "1/s/s", "100000001/s", " 1/s", "Off", "1000000000000000000000/s"} {
		if r, err := weir.ParseRate(text); weir.ErrorCode(err) != weir.EINVALID {
			t.Errorf("%q: %+v, %v", text, r, err)
		}
	}
}

func FuzzParseRate(f *testing.F) {
	for _, s := range []string{"1000/s", "off", "", "1/w", "00/d"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		r, err := weir.ParseRate(s)
		if err == nil && r.String() != s {
			t.Fatalf("%q is %+v, which is %q", s, r, r)
		}
		if err != nil && r != (weir.Rate{}) {
			t.Fatalf("%q is %+v and %v", s, r, err)
		}
	})
}

func TestARateThatIsNotSetIsTheDefault(t *testing.T) {
	def := weir.Rate{N: 5, Per: time.Second}
	own := weir.Rate{N: 7, Per: time.Minute}
	if got := (weir.Rate{}).Or(def); got != def {
		t.Errorf("not set: %v", got)
	}
	if got := own.Or(def); got != own {
		t.Errorf("set: %v", got)
	}
	if weir.RateOff.Or(def).Limited() {
		t.Error("off is limited")
	}
}

func TestLimitsHaveDefaultsAndBounds(t *testing.T) {
	got, err := weir.Limits{Quota: 5}.Normal()
	if want := (weir.Limits{Quota: 5, Over: weir.OverRefuse, Sample: 10}); err != nil || got != want {
		t.Errorf("%+v, %v", got, err)
	}
	for _, l := range []weir.Limits{
		{Quota: -1}, {Quota: weir.MaxQuota + 1}, {Over: "drop"}, {Sample: 100}, {Sample: -1},
	} {
		if _, err := l.Normal(); weir.ErrorCode(err) != weir.EINVALID {
			t.Errorf("%+v: %v", l, err)
		}
	}
}

func TestAMonthIsTheProjectsOwn(t *testing.T) {
	for _, c := range []struct{ zone, at, from, to string }{
		{"UTC", "2026-03-31T23:59:59Z", "2026-03-01T00:00:00Z", "2026-04-01T00:00:00Z"},
		{"Asia/Kolkata", "2026-03-31T18:30:00Z", "2026-03-31T18:30:00Z", "2026-04-30T18:30:00Z"},
		{"Asia/Kolkata", "2026-03-31T18:29:59Z", "2026-02-28T18:30:00Z", "2026-03-31T18:30:00Z"},
		{"America/New_York", "2026-12-31T12:00:00Z", "2026-12-01T05:00:00Z", "2027-01-01T05:00:00Z"},
		{"America/New_York", "2026-03-10T12:00:00Z", "2026-03-01T05:00:00Z", "2026-04-01T04:00:00Z"}, // the clock is set forward in it
	} {
		loc, err := time.LoadLocation(c.zone)
		if err != nil {
			t.Fatal(err)
		}
		at, err := time.Parse(time.RFC3339, c.at)
		if err != nil {
			t.Fatal(err)
		}
		from, to := weir.MonthOf(at, loc)
		if f, u := from.UTC().Format(time.RFC3339), to.UTC().Format(time.RFC3339); f != c.from || u != c.to {
			t.Errorf("%s in %s: %s to %s, want %s to %s", c.at, c.zone, f, u, c.from, c.to)
		}
	}
}
