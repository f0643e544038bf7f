package report_test

import (
	"testing"
	"time"
	_ "time/tzdata"

	weir "github.com/weir-analytics/weir"
	"github.com/weir-analytics/weir/internal/report"
)

func at(t *testing.T, s string) report.At {
	t.Helper()
	a, err := report.ParseAt(s)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

func zone(t *testing.T, name string) *time.Location {
	t.Helper()
	loc, err := time.LoadLocation(name)
	if err != nil {
		t.Fatal(err)
	}
	return loc
}

func TestAReportIsDueAtItsTimeOnTheNextDay(t *testing.T) {
	for _, c := range []struct {
		why, zone, at string
		date          weir.Date
		want          string // UTC
	}{
		{"an ordinary day", "UTC", "01:00", "2026-03-10", "2026-03-11 01:00:00"},
		{"at midnight", "UTC", "00:00", "2026-03-10", "2026-03-11 00:00:00"},
		{"a half-hour zone", "Asia/Kolkata", "01:00", "2026-03-10", "2026-03-10 19:30:00"},
		{"new year", "America/New_York", "01:00", "2025-12-31", "2026-01-01 06:00:00"},
		{"clocks forward at 2:00, after it is due", "America/New_York", "01:00", "2026-03-07", "2026-03-08 06:00:00"},
		{"02:30 is skipped", "America/New_York", "02:30", "2026-03-07", "2026-03-08 07:00:00"},
		{"03:00 is the end of the gap", "America/New_York", "03:00", "2026-03-07", "2026-03-08 07:00:00"},
		{"01:00 comes twice", "America/New_York", "01:00", "2026-10-31", "2026-11-01 05:00:00"},
		{"01:30 comes twice", "America/New_York", "01:30", "2026-10-31", "2026-11-01 05:30:00"},
		{"after the second hour", "America/New_York", "02:00", "2026-10-31", "2026-11-01 07:00:00"},
		{"01:00 is skipped in Lisbon", "Europe/Lisbon", "01:00", "2026-03-28", "2026-03-29 01:00:00"},
		{"01:00 is skipped and the day begins at 01:00", "Africa/Cairo", "00:30", "2026-04-23", "2026-04-23 22:00:00"},
		{"01:00 in Cairo, where 00:00 to 01:00 is skipped", "Africa/Cairo", "01:00", "2026-04-23", "2026-04-23 22:00:00"},
		{"Lord Howe's half hour", "Australia/Lord_Howe", "02:15", "2026-10-03", "2026-10-03 15:30:00"},
		{"the next date was skipped", "Pacific/Apia", "01:00", "2011-12-29", "2011-12-30 10:00:00"},
	} {
		got := at(t, c.at).Due(c.date, zone(t, c.zone)).UTC().Format(time.DateTime)
		if got != c.want {
			t.Errorf("%s: %s %s %s: %s, want %s", c.why, c.zone, c.date, c.at, got, c.want)
		}
	}
}

func TestEveryDayIsDueOnceWhateverTheTimeAndZone(t *testing.T) {
	for _, name := range []string{"UTC", "Asia/Kolkata", "America/New_York", "Europe/Lisbon", "Africa/Cairo", "Australia/Lord_Howe", "America/Santiago", "Asia/Beirut"} {
		loc := zone(t, name)
		for _, s := range []string{"00:00", "00:30", "01:00", "02:30", "23:59"} {
			a := at(t, s)
			before := a.Due("2024-12-31", loc)
			for d := weir.Date("2025-01-01"); d < "2028-01-01"; d = d.Add(1) {
				due := a.Due(d, loc)
				_, end := d.Span(loc)
				_, latest := d.Add(1).Span(loc)
				if !due.After(before) || due.Before(end) || due.After(latest) {
					t.Fatalf("%s %s of %s is due at %s; the day ends at %s, the one before was due at %s", name, s, d, due, end, before)
				}
				before = due
			}
		}
	}
}

func TestWhatIsNoTimeOfDayIsRefused(t *testing.T) {
	for _, s := range []string{"", "1:00", "24:00", "01:60", "01:00:00", "01.00", "Off", " 01:00", "-1:00"} {
		if a, err := report.ParseAt(s); weir.ErrorCode(err) != weir.EINVALID {
			t.Errorf("%q is %s: %v", s, a, err)
		}
	}
	for _, s := range []string{"00:00", "01:00", "23:59", "off"} {
		if got := at(t, s).String(); got != s {
			t.Errorf("%q is %q", s, got)
		}
	}
}

func FuzzParseAt(f *testing.F) {
	for _, s := range []string{"01:00", "off", "24:00", "1:0"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		if a, err := report.ParseAt(s); err == nil && a.String() != s {
			t.Errorf("%q is read as %s", s, a)
		}
	})
}
