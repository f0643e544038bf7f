package alert_test

import (
	"math"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	weir "github.com/weir-analytics/weir"
	"github.com/weir-analytics/weir/internal/alert"
)

func at(s string) time.Time {
	t, err := time.Parse(time.RFC3339, s)
	if err != nil {
		panic(err)
	}
	return t
}

func TestAlertStateFollowsFromStateAndOutcome(t *testing.T) {
	const (
		ok, pending, firing, clearing = weir.AlertOK, weir.AlertPending, weir.AlertFiring, weir.AlertClearing
		unknown, holds, between, free = alert.Unknown, alert.Holds, alert.Between, alert.Clear
	)
	for _, c := range []struct {
		from      weir.AlertState
		count     int
		outcome   alert.Outcome
		needs     int // For and ClearFor
		to        weir.AlertState
		wantCount int
		incident  int64 // from 7
	}{
		{ok, 0, unknown, 1, ok, 0, 7},
		{ok, 0, free, 1, ok, 0, 7},
		{ok, 0, between, 1, ok, 0, 7},
		{ok, 0, holds, 1, firing, 0, 8},
		{ok, 0, holds, 2, pending, 1, 7},

		{pending, 1, unknown, 2, pending, 1, 7},
		{pending, 1, free, 2, ok, 0, 7},
		{pending, 1, between, 2, ok, 0, 7},
		{pending, 1, holds, 2, firing, 0, 8},
		{pending, 1, holds, 3, pending, 2, 7},

		{firing, 0, unknown, 1, firing, 0, 7},
		{firing, 0, holds, 1, firing, 0, 7},
		{firing, 0, between, 1, firing, 0, 7},
		{firing, 0, free, 1, ok, 0, 7},
		{firing, 0, free, 2, clearing, 1, 7},

		{clearing, 1, unknown, 2, clearing, 1, 7},
		{clearing, 1, holds, 2, firing, 0, 7},
		{clearing, 1, between, 2, firing, 0, 7},
		{clearing, 1, free, 2, ok, 0, 7},
		{clearing, 1, free, 3, clearing, 2, 7},
	} {
		before, now := at("2026-03-10T12:00:00Z"), at("2026-03-10T12:01:00Z")
		s := weir.AlertStatus{State: c.from, Count: c.count, Since: before, Incident: 7, Told: 7}
		got := alert.Advance(s, &weir.AlertSpec{For: c.needs, ClearFor: c.needs}, c.outcome, now)
		since := before
		if c.to != c.from {
			since = now
		}
		want := weir.AlertStatus{State: c.to, Count: c.wantCount, Since: since, Incident: c.incident, Told: 7}
		if d := cmp.Diff(want, got); d != "" {
			t.Errorf("%s after %d, outcome %d of %d: %s", c.from, c.count, c.outcome, c.needs, d)
		}
	}
}

func TestAReadingIsJudgedByThresholdClearVolumeAndData(t *testing.T) {
	above := weir.AlertCondition{Op: "above", Value: 10, Clear: 5}
	below := weir.AlertCondition{Op: "below", Value: 5, Clear: 10}
	drop := weir.AlertCondition{Op: "below", Value: -50, Clear: -20, Against: weir.AgainstDay}
	rise := weir.AlertCondition{Op: "above", Value: 50, Clear: 50, Against: weir.AgainstDay}
	for _, c := range []struct {
		because     string
		condition   weir.AlertCondition
		policy      weir.NoData
		least       int64
		value, base *float64
		volume      int64
		want        alert.Outcome
	}{
		{"beyond", above, "keep", 0, new(10.1), nil, 0, alert.Holds},
		{"at the threshold", above, "keep", 0, new(10.0), nil, 0, alert.Between},
		{"above the clear threshold", above, "keep", 0, new(5.1), nil, 0, alert.Between},
		{"at the clear threshold", above, "keep", 0, new(5.0), nil, 0, alert.Clear},
		{"below: beyond", below, "keep", 0, new(4.9), nil, 0, alert.Holds},
		{"below: at the threshold", below, "keep", 0, new(5.0), nil, 0, alert.Between},
		{"below: under the clear threshold", below, "keep", 0, new(9.9), nil, 0, alert.Between},
		{"below: at the clear threshold", below, "keep", 0, new(10.0), nil, 0, alert.Clear},

		{"a drop", drop, "keep", 0, new(49.0), new(100.0), 100, alert.Holds},
		{"half a drop", drop, "keep", 0, new(60.0), new(100.0), 100, alert.Between},
		{"a small drop", drop, "keep", 0, new(80.0), new(100.0), 100, alert.Clear},
		{"nothing as before", drop, "keep", 0, new(0.0), new(0.0), 0, alert.Clear},
		{"all gone", drop, "keep", 50, new(0.0), new(100.0), 100, alert.Holds},
		{"all gone of too little", drop, "keep", 50, new(0.0), new(49.0), 49, alert.Unknown},
		{"no base", drop, "keep", 0, new(3.0), nil, 3, alert.Unknown},
		{"no base, which is ok", drop, "ok", 0, new(3.0), nil, 3, alert.Clear},
		{"from nothing", rise, "keep", 0, new(1.0), new(0.0), 1, alert.Holds},
		{"from nothing to nothing", rise, "keep", 0, new(0.0), new(0.0), 0, alert.Clear},
		{"from nothing, and a drop is asked for", drop, "keep", 0, new(1.0), new(0.0), 1, alert.Clear},

		{"no data", above, "keep", 0, nil, nil, 0, alert.Unknown},
		{"no data is ok", above, "ok", 0, nil, nil, 0, alert.Clear},
		{"no data fires", above, "fire", 100, nil, nil, 0, alert.Holds},
		{"three calls", above, "keep", 50, new(100.0), nil, 3, alert.Unknown},
		{"three calls, no data is ok", above, "ok", 50, new(100.0), nil, 3, alert.Clear},
		{"three calls do not fire whatever no data means", above, "fire", 50, new(100.0), nil, 3, alert.Unknown},
		{"just enough calls", above, "keep", 50, new(100.0), nil, 50, alert.Holds},
	} {
		spec := weir.AlertSpec{Condition: c.condition, NoData: c.policy, MinVolume: c.least}
		if got := alert.Judge(&spec, weir.AlertReading{Value: c.value, Base: c.base, Volume: c.volume}); got != c.want {
			t.Errorf("%s: %d, want %d", c.because, got, c.want)
		}
	}
}

func TestAChangeIsDefinedFromZeroAndBelow(t *testing.T) {
	for _, c := range []struct{ value, base, want float64 }{
		{150, 100, 50},
		{50, 100, -50},
		{0, 100, -100},
		{0, 0, 0},
		{1, 0, math.Inf(1)},
		{-1, 0, math.Inf(-1)},
		{-50, -100, 50},
		{100, -100, 200},
	} {
		if got := alert.Change(c.value, c.base); got != c.want {
			t.Errorf("from %v to %v: %v, want %v", c.base, c.value, got, c.want)
		}
	}
}

func TestADayOrAWeekEarlierIsWhenTheClockShowedTheSame(t *testing.T) {
	for _, c := range []struct {
		because, zone, to string
		against           weir.Against
		want              string
	}{
		{"the window before", "UTC", "2026-03-10T12:00:00Z", weir.AgainstPrevious, "2026-03-10T11:55:00Z"},
		{"a plain day", "UTC", "2026-03-10T12:00:00Z", weir.AgainstDay, "2026-03-09T12:00:00Z"},
		{"a plain week", "Asia/Kolkata", "2026-03-10T12:00:00Z", weir.AgainstWeek, "2026-03-03T12:00:00Z"},
		{"a day of 23 hours between", "America/New_York", "2026-03-08T16:00:00Z", weir.AgainstDay, "2026-03-07T17:00:00Z"},
		{"a week of 167 hours", "America/New_York", "2026-03-10T16:00:00Z", weir.AgainstWeek, "2026-03-03T17:00:00Z"},
		{"a day of 25 hours between", "America/New_York", "2026-11-01T17:00:00Z", weir.AgainstDay, "2026-10-31T16:00:00Z"},
		{"the first of two half past one", "America/New_York", "2026-11-01T05:30:00Z", weir.AgainstDay, "2026-10-31T05:30:00Z"},
		{"the second of two", "America/New_York", "2026-11-01T06:30:00Z", weir.AgainstDay, "2026-10-31T05:30:00Z"},
		{"a time that there was twice the day before", "America/New_York", "2026-11-02T06:30:00Z", weir.AgainstDay, "2026-11-01T05:30:00Z"},
		{"a time that there was not the day before", "America/New_York", "2026-03-09T06:30:00Z", weir.AgainstDay, "2026-03-08T07:00:00Z"},
		{"half an hour of difference", "Australia/Lord_Howe", "2026-04-05T03:00:00Z", weir.AgainstDay, "2026-04-04T02:30:00Z"},
		{"a day that the zone skipped", "Pacific/Apia", "2011-12-31T10:00:00Z", weir.AgainstDay, "2011-12-30T10:00:00Z"},
		{"over the end of a year", "Europe/Berlin", "2026-01-01T00:10:00Z", weir.AgainstWeek, "2025-12-25T00:10:00Z"},
	} {
		loc, err := time.LoadLocation(c.zone)
		if err != nil {
			t.Fatal(err)
		}
		if got := alert.Earlier(at(c.to), 5, c.against, loc); !got.Equal(at(c.want)) {
			t.Errorf("%s: %s, want %s", c.because, got.UTC().Format(time.RFC3339), c.want)
		}
	}
}

func TestWhatIsWrongWithARuleIsSaid(t *testing.T) {
	good := func() weir.AlertSpec {
		return weir.AlertSpec{
			Name: "x", Measure: weir.AlertMeasure{Kind: "error_rate"}, Condition: weir.AlertCondition{Op: "above", Value: 0.1, Clear: 0.05},
			Window: 5, For: 1, ClearFor: 1, NoData: "keep",
		}
	}
	s := good()
	if err := alert.Check(&s, nil); err != nil {
		t.Fatal(err)
	}
	for name, change := range map[string]func(s *weir.AlertSpec){
		"no name":                 func(s *weir.AlertSpec) { s.Name = "  " },
		"a name of two lines":     func(s *weir.AlertSpec) { s.Name = "x\r\nBcc: all@example.org" },
		"no window":               func(s *weir.AlertSpec) { s.Window = 0 },
		"a window beyond a day":   func(s *weir.AlertSpec) { s.Window = 1441 },
		"no checks":               func(s *weir.AlertSpec) { s.For = 0 },
		"no checks to clear":      func(s *weir.AlertSpec) { s.ClearFor = 61 },
		"less than no volume":     func(s *weir.AlertSpec) { s.MinVolume = -1 },
		"an unknown policy":       func(s *weir.AlertSpec) { s.NoData = "maybe" },
		"an unknown measure":      func(s *weir.AlertSpec) { s.Measure.Kind = "mood" },
		"a rate of an event":      func(s *weir.AlertSpec) { s.Measure.Event = "x" },
		"a rate beyond 1":         func(s *weir.AlertSpec) { s.Condition.Value = 5 },
		"an unknown op":           func(s *weir.AlertSpec) { s.Condition.Op = "near" },
		"no number":               func(s *weir.AlertSpec) { s.Condition.Value = math.NaN() },
		"clear on the wrong side": func(s *weir.AlertSpec) { s.Condition.Clear = 0.2 },
		"below, clear wrong":      func(s *weir.AlertSpec) { s.Condition.Op = "below" },
		"an unknown comparison":   func(s *weir.AlertSpec) { s.Condition.Against = "year" },
		"an insight without math": func(s *weir.AlertSpec) { s.Measure.Kind = "insight" },
		"live visitors compared":  func(s *weir.AlertSpec) { s.Measure.Kind, s.Condition.Against = "live_visitors", "day" },
		"visitors of a week ago":  func(s *weir.AlertSpec) { s.Measure.Kind, s.Condition.Against = "visitors", "week" },
		"visitors of two hours":   func(s *weir.AlertSpec) { s.Measure.Kind, s.Window = "visitors", 120 },
		"few calls with a volume": func(s *weir.AlertSpec) {
			s.Measure.Kind, s.Condition, s.MinVolume = "calls", weir.AlertCondition{Op: "below"}, 5
		},
		"a webhook without a URL":    func(s *weir.AlertSpec) { s.Channels = []weir.AlertChannel{{Kind: "webhook"}} },
		"a webhook in the network":   func(s *weir.AlertSpec) { s.Channels = []weir.AlertChannel{{Kind: "webhook", URL: "http://10.0.0.1/"}} },
		"an email to a list":         func(s *weir.AlertSpec) { s.Channels = []weir.AlertChannel{{Kind: "email", To: "a@b.c, d@e.f"}} },
		"an email with a header":     func(s *weir.AlertSpec) { s.Channels = []weir.AlertChannel{{Kind: "email", To: "a@b.c\r\nBcc: d@e.f"}} },
		"a channel of another kind":  func(s *weir.AlertSpec) { s.Channels = []weir.AlertChannel{{Kind: "pigeon"}} },
		"more channels than allowed": func(s *weir.AlertSpec) { s.Channels = make([]weir.AlertChannel, 11) },
	} {
		s := good()
		change(&s)
		if err := alert.Check(&s, nil); weir.ErrorCode(err) != weir.EINVALID {
			t.Errorf("%s: %v", name, err)
		}
	}
}
