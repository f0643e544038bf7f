package weir_test

import (
	"testing"
	"time"

	weir "github.com/weir-analytics/weir"
)

func TestADayBeginsAtItsFirstInstant(t *testing.T) {
	for _, c := range []struct {
		because, zone string
		y             int
		m             time.Month
		d             int
		want          string // UTC
	}{
		{"plain", "UTC", 2026, 3, 14, "2026-03-14T00:00:00Z"},
		{"a half-hour zone", "Asia/Kolkata", 2026, 3, 14, "2026-03-13T18:30:00Z"},
		{"put forward later that day", "America/New_York", 2026, 3, 8, "2026-03-08T05:00:00Z"},
		{"put back later that day", "America/New_York", 2026, 11, 1, "2026-11-01T04:00:00Z"},
		{"put forward at midnight, to the west", "America/Santiago", 2026, 9, 6, "2026-09-06T04:00:00Z"},
		{"put forward at midnight, to the east", "Asia/Beirut", 2026, 3, 29, "2026-03-28T22:00:00Z"},
		{"put back to midnight", "America/Havana", 2026, 11, 1, "2026-11-01T04:00:00Z"},
		{"the month's last day and one more", "Europe/Berlin", 2026, 2, 29, "2026-02-28T23:00:00Z"},
		{"a date that the zone skipped", "Pacific/Apia", 2011, 12, 30, "2011-12-30T10:00:00Z"},
	} {
		loc, err := time.LoadLocation(c.zone)
		if err != nil {
			t.Fatal(err)
		}
		if got := weir.Midnight(c.y, c.m, c.d, loc).UTC().Format(time.RFC3339); got != c.want {
			t.Errorf("%s: %d-%d-%d in %s begins at %s, want %s", c.because, c.y, c.m, c.d, c.zone, got, c.want)
		}
	}
}

func TestTheSecondBeforeMidnightIsOfTheDayBefore(t *testing.T) {
	for _, zone := range []string{"America/Santiago", "America/Havana", "Asia/Beirut", "Africa/Cairo", "Australia/Lord_Howe", "Europe/Berlin", "Asia/Kathmandu"} {
		loc, err := time.LoadLocation(zone)
		if err != nil {
			t.Fatal(err)
		}
		for n := range 3 * 366 {
			begin := weir.Midnight(2025, 1, 1+n, loc)
			date := time.Date(2025, 1, 1+n, 0, 0, 0, 0, time.UTC)
			before := begin.Add(-time.Second).In(loc).Format(time.DateOnly)
			if begin.In(loc).Format(time.DateOnly) != date.Format(time.DateOnly) || before != date.AddDate(0, 0, -1).Format(time.DateOnly) {
				t.Fatalf("%s: %v begins at %v", zone, date.Format(time.DateOnly), begin.In(loc))
			}
		}
	}
}

func TestTheSameTimeOfDayIsTheFirstInstantThatShowsItOrALaterOne(t *testing.T) {
	for zone, nights := range map[string][]weir.Date{
		"UTC":                 {"2026-03-08"},
		"Asia/Kolkata":        {"2026-03-08"},
		"America/New_York":    {"2026-03-08", "2026-11-01"}, // at 02:00
		"Australia/Lord_Howe": {"2026-04-05", "2026-10-04"}, // by half an hour
		"America/Santiago":    {"2026-04-05", "2026-09-06"}, // over midnight, both ways
		"America/Havana":      {"2026-03-08", "2026-11-01"}, // back to midnight
		"Asia/Beirut":         {"2026-03-29", "2026-10-25"},
		"Pacific/Apia":        {"2011-12-30", "2011-12-31"}, // the first is a date that there was not
	} {
		loc, err := time.LoadLocation(zone)
		if err != nil {
			t.Fatal(err)
		}
		for _, night := range nights {
			begin, end := night.Span(loc)
			for minutes := range 24 * 60 {
				clock := time.Duration(minutes) * time.Minute
				shows := time.Time{}.Add(clock).Format("15:04")
				want := begin
				for want.Before(end) && want.In(loc).Format("15:04") < shows {
					want = want.Add(time.Minute)
				}
				if got := night.At(clock, loc); !got.Equal(want) {
					t.Fatalf("%s of %s in %s is %v, want %v", shows, night, zone, got, want.In(loc))
				}
				for _, days := range []int{1, 7} {
					later := night.Add(days).At(clock, loc)
					if later.In(loc).Format("15:04") != shows {
						continue // not shown on that date
					}
					if got := weir.DaysBefore(later, days, loc); !got.Equal(want) {
						t.Fatalf("%d days before %v is %v, want %v", days, later, got, want.In(loc))
					}
				}
			}
		}
	}
}

func TestSecondsAreOfTheTimeOfDay(t *testing.T) {
	at := time.Date(2026, 3, 14, 10, 20, 30, 40, time.UTC)
	if got := weir.DaysBefore(at, 7, time.UTC); !got.Equal(at.AddDate(0, 0, -7)) {
		t.Errorf("a week before %v is %v", at, got)
	}
}

func TestAProjectIsRetainedFromTheMidnightSoManyDaysBeforeToday(t *testing.T) {
	for _, c := range []struct {
		because, zone, now string
		days               int
		want               string // UTC; "" for ever
	}{
		{"for ever", "UTC", "2026-03-14T12:00:00Z", 0, ""},
		{"yesterday and today", "UTC", "2026-03-14T12:00:00Z", 1, "2026-03-13T00:00:00Z"},
		{"the day's first instant", "UTC", "2026-03-14T00:00:00Z", 7, "2026-03-07T00:00:00Z"},
		{"the instant before", "UTC", "2026-03-13T23:59:59.999999Z", 7, "2026-03-06T00:00:00Z"},
		{"tomorrow already in its zone", "Asia/Kolkata", "2026-03-14T20:00:00Z", 1, "2026-03-13T18:30:00Z"},
		{"a midnight that does not exist", "Asia/Beirut", "2026-03-31T12:00:00Z", 2, "2026-03-28T22:00:00Z"},
		{"over a year's end", "UTC", "2026-01-01T12:00:00Z", 366, "2024-12-31T00:00:00Z"},
	} {
		p := &weir.Project{Timezone: c.zone, RetentionDays: c.days}
		now, err := time.Parse(time.RFC3339, c.now)
		if err != nil {
			t.Fatal(err)
		}
		got := ""
		if from := p.RetainedFrom(now); !from.IsZero() {
			got = from.UTC().Format(time.RFC3339)
		}
		if got != c.want {
			t.Errorf("%s: from %q, want %q", c.because, got, c.want)
		}
	}
}

func TestLocalHoursBeginWhereTheClockOfTheZoneShowsZeroMinutes(t *testing.T) {
	for _, c := range []struct{ zone, at, want string }{
		{"UTC", "2026-03-10T12:34:56.7Z", "2026-03-10T12:00:00Z"},
		{"UTC", "1969-12-31T23:59:59.999999Z", "1969-12-31T23:00:00Z"},
		{"Asia/Kolkata", "2026-03-10T12:34:56Z", "2026-03-10T12:30:00Z"},
		{"Asia/Kathmandu", "2026-03-10T12:10:00Z", "2026-03-10T11:15:00Z"},
		{"Europe/Berlin", "2026-10-25T00:59:59Z", "2026-10-25T00:00:00Z"}, // 02:59 in summer
		{"Europe/Berlin", "2026-10-25T01:59:59Z", "2026-10-25T01:00:00Z"}, // 02:59 in winter
		{"Australia/Lord_Howe", "2026-04-04T15:10:00Z", "2026-04-04T14:30:00Z"},
		{"America/St_Johns", "1900-01-01T00:00:00Z", "1899-12-31T23:30:52Z"}, // 3 h 30 min 52 s behind
	} {
		loc, err := time.LoadLocation(c.zone)
		if err != nil {
			t.Fatal(err)
		}
		at, _ := time.Parse(time.RFC3339Nano, c.at)
		want, _ := time.Parse(time.RFC3339Nano, c.want)
		got := weir.TruncateLocal(at.In(loc), time.Hour)
		if !got.Equal(want) {
			t.Errorf("%s in %s: %s, want %s", c.at, c.zone, got.UTC().Format(time.RFC3339), c.want)
		}
		if minute := weir.TruncateLocal(at, time.Minute); !minute.Equal(at.Truncate(time.Minute)) {
			t.Errorf("the minute of %s: %s", c.at, minute)
		}
	}
}

func TestAnInstantCountsUnderTheLastDateThatHasBegun(t *testing.T) {
	// At 00:01 on 2010-11-07 the clock of St John's was put back to 23:01 on 2010-11-06: 00:00
	// comes at 02:30Z and at 03:30Z, and between them the clock shows the date before.
	loc, err := time.LoadLocation("America/St_Johns")
	if err != nil {
		t.Fatal(err)
	}
	for at, want := range map[string]weir.Date{
		"2010-11-07T02:29:59Z": "2010-11-06", "2010-11-07T02:30:00Z": "2010-11-07", "2010-11-07T02:31:00Z": "2010-11-07", // it shows 23:01
		"2010-11-07T03:29:59Z": "2010-11-07", "2010-11-07T03:30:00Z": "2010-11-07", "2010-11-08T03:29:59Z": "2010-11-07", "2010-11-08T03:30:00Z": "2010-11-08",
	} {
		instant, err := time.Parse(time.RFC3339, at)
		if err != nil {
			t.Fatal(err)
		}
		if got := weir.DateOf(instant, loc); got != want {
			t.Errorf("%s is of %s, want %s", at, got, want)
		}
		from, to := want.Span(loc)
		if begin := weir.BeginOfDay(instant, loc); !begin.Equal(from) || instant.Before(from) || !instant.Before(to) {
			t.Errorf("%s: its day begins at %s, and %s is from %s to %s", at, begin, want, from, to)
		}
	}
}
