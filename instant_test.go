package weir_test

import (
	"testing"
	"time"

	weir "github.com/weir-analytics/weir"
)

func TestInstantsAreReadAsBeginningsAndEnds(t *testing.T) {
	kolkata, err := time.LoadLocation("Asia/Kolkata") // half an hour off
	if err != nil {
		t.Fatal(err)
	}
	berlinLoc, err := time.LoadLocation("Europe/Berlin")
	if err != nil {
		t.Fatal(err)
	}
	now := time.Date(2026, 3, 30, 10, 20, 30, 0, time.UTC) // the day after Berlin's clocks went forward
	for _, c := range []struct {
		in         string
		loc        *time.Location
		begin, end string // UTC
	}{
		{"2026-03-10T12:00:00Z", berlinLoc, "2026-03-10T12:00:00Z", "2026-03-10T12:00:00Z"},
		{"2026-03-10T12:00:00.123456+02:00", berlinLoc, "2026-03-10T10:00:00.123456Z", "2026-03-10T10:00:00.123456Z"},
		{"2026-03-10", time.UTC, "2026-03-10T00:00:00Z", "2026-03-11T00:00:00Z"},
		{"2026-03-29", berlinLoc, "2026-03-28T23:00:00Z", "2026-03-29T22:00:00Z"}, // 23 hours
		{"2026-12-31", berlinLoc, "2026-12-30T23:00:00Z", "2026-12-31T23:00:00Z"},
		{"now", berlinLoc, "2026-03-30T10:20:30Z", "2026-03-30T10:20:30Z"},
		{"-0d", berlinLoc, "2026-03-30T10:20:30Z", "2026-03-30T10:20:30Z"},
		{"-2d", berlinLoc, "2026-03-28T11:20:30Z", "2026-03-28T11:20:30Z"}, // 12:20:30 there, before the clocks went forward
		{"-1w", berlinLoc, "2026-03-23T11:20:30Z", "2026-03-23T11:20:30Z"},
		{"-1h", kolkata, "2026-03-30T09:20:30Z", "2026-03-30T09:20:30Z"},
		{"-90m", kolkata, "2026-03-30T08:50:30Z", "2026-03-30T08:50:30Z"},
		{"-0d/d", berlinLoc, "2026-03-29T22:00:00Z", "2026-03-30T22:00:00Z"},
		{"-2d/d", berlinLoc, "2026-03-27T23:00:00Z", "2026-03-28T23:00:00Z"},
		{"-1d/w", berlinLoc, "2026-03-22T23:00:00Z", "2026-03-29T22:00:00Z"}, // 167 hours
		{"-1h/h", kolkata, "2026-03-30T08:30:00Z", "2026-03-30T09:30:00Z"},
		{"-90m/m", kolkata, "2026-03-30T08:50:00Z", "2026-03-30T08:51:00Z"},
		{"today", berlinLoc, "2026-03-29T22:00:00Z", "2026-03-30T22:00:00Z"},
		{"yesterday", berlinLoc, "2026-03-28T23:00:00Z", "2026-03-29T22:00:00Z"},
		{"this_week", berlinLoc, "2026-03-29T22:00:00Z", "2026-04-05T22:00:00Z"}, // it is Monday
		{"last_week", berlinLoc, "2026-03-22T23:00:00Z", "2026-03-29T22:00:00Z"},
		{"this_month", berlinLoc, "2026-02-28T23:00:00Z", "2026-03-31T22:00:00Z"},
		{"last_month", berlinLoc, "2026-01-31T23:00:00Z", "2026-02-28T23:00:00Z"},
	} {
		for _, end := range []bool{false, true} {
			want := c.begin
			if end {
				want = c.end
			}
			got, err := weir.ParseInstant(c.in, now, c.loc, end)
			if err != nil || got.UTC().Format(time.RFC3339Nano) != want {
				t.Errorf("%s (end %v): %v, %v, want %s", c.in, end, got.UTC(), err, want)
			}
		}
	}
	for _, in := range []string{
		"", " ", "-", "-d", "-7", "-7y", "7d", "--7d", "-+7d", "-7.5d", "-999999d", "-99999w", "2026-02-30", "2026-3-1", "20260301",
		"2026-03-10T12:00:00", "2026-03-10 12:00:00Z", "1969-12-31", "-7d/", "-7d/y", "/d", "-7d/d/d", "today/d", "Today", "next_week", "1969-12-31T23:59:59Z", "9999-01-01", "0000-00-00", "now ", "\x00",
	} {
		if got, err := weir.ParseInstant(in, now, time.UTC, false); weir.ErrorCode(err) != weir.EINVALID {
			t.Errorf("%q: %v, %v, want EINVALID", in, got, err)
		}
	}
}

func TestRangesEndWhereTheirWordsSay(t *testing.T) {
	now := time.Date(2026, 4, 1, 10, 20, 30, 0, time.UTC) // a Wednesday
	for _, c := range []struct{ from, to, begin, end string }{
		{"-1h", "", "2026-04-01T09:20:30Z", "2026-04-01T10:20:30Z"},
		{"-7d", "", "2026-03-25T10:20:30Z", "2026-04-01T10:20:30Z"},
		{"-7d", "-1d", "2026-03-25T10:20:30Z", "2026-03-31T10:20:30Z"},
		{"-7d/d", "", "2026-03-25T00:00:00Z", "2026-04-01T00:00:00Z"},
		{"-1d/d", "", "2026-03-31T00:00:00Z", "2026-04-01T00:00:00Z"},
		{"-0d/d", "", "2026-04-01T00:00:00Z", "2026-04-02T00:00:00Z"},
		{"-7d/d", "today", "2026-03-25T00:00:00Z", "2026-04-02T00:00:00Z"},
		{"-7d/d", "-2d/d", "2026-03-25T00:00:00Z", "2026-03-31T00:00:00Z"},
		{"-2w/w", "", "2026-03-16T00:00:00Z", "2026-03-30T00:00:00Z"},
		{"-3h/h", "", "2026-04-01T07:00:00Z", "2026-04-01T10:00:00Z"},
		{"today", "", "2026-04-01T00:00:00Z", "2026-04-02T00:00:00Z"},
		{"today", "now", "2026-04-01T00:00:00Z", "2026-04-01T10:20:30Z"},
		{"last_week", "", "2026-03-23T00:00:00Z", "2026-03-30T00:00:00Z"},
		{"last_month", "this_month", "2026-03-01T00:00:00Z", "2026-05-01T00:00:00Z"},
		{"2026-03-01", "last_week", "2026-03-01T00:00:00Z", "2026-03-30T00:00:00Z"},
		{"2026-03-01", "", "2026-03-01T00:00:00Z", "0001-01-01T00:00:00Z"}, // from does not say where it ends
		{"", "yesterday", "0001-01-01T00:00:00Z", "2026-04-01T00:00:00Z"},
		{"", "", "0001-01-01T00:00:00Z", "0001-01-01T00:00:00Z"},
	} {
		begin, end, err := weir.ParseRange(c.from, c.to, now, time.UTC)
		if err != nil || begin.Format(time.RFC3339) != c.begin || end.Format(time.RFC3339) != c.end {
			t.Errorf("%q to %q: %v to %v, %v, want %s to %s", c.from, c.to, begin, end, err, c.begin, c.end)
		}
	}
	for _, c := range [][2]string{{"today", "yesterday"}, {"-1h", "-1h"}, {"-0d", ""}, {"soon", ""}, {"-7d", "later"}} {
		if begin, end, err := weir.ParseRange(c[0], c[1], now, time.UTC); weir.ErrorCode(err) != weir.EINVALID {
			t.Errorf("%q: %v to %v, %v, want EINVALID", c, begin, end, err)
		}
	}
}

func FuzzParseInstant(f *testing.F) {
	for _, s := range []string{"now", "2026-03-10", "2026-03-10T12:00:00Z", "-30d", "-4w", "-24h", "-90m", "-7d/d", "-1h/h", "-2w/w", "last_week", "this_month", "-00000d", "9998-12-31", "1970-01-01T00:00:00+14:00"} {
		f.Add(s, int64(1773146096))
	}
	zone, err := time.LoadLocation("America/Sao_Paulo") // has days that begin at one
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, s string, unix int64) {
		if unix < 1<<30 || unix > 1<<32 {
			return
		}
		now := time.Unix(unix, 0)
		begin, err := weir.ParseInstant(s, now, zone, false)
		end, errEnd := weir.ParseInstant(s, now, zone, true)
		if (err == nil) != (errEnd == nil) {
			t.Fatalf("%q: %v as a beginning, %v as an end", s, err, errEnd)
		}
		if err != nil {
			if weir.ErrorCode(err) != weir.EINVALID {
				t.Fatalf("%q: %v", s, err)
			}
			return
		}
		if end.Before(begin) || end.Sub(begin) > 31*24*time.Hour+2*time.Hour {
			t.Fatalf("%q is from %v to %v", s, begin, end)
		}
		if from, to, err := weir.ParseRange(s, "", now, zone); err == nil && (!from.Equal(begin) || !to.IsZero() && to.Before(end)) {
			t.Fatalf("%q alone is from %v to %v, not to %v or later", s, from, to, end)
		}
		if s[0] == '-' && begin.After(now) {
			t.Fatalf("%q begins %v, after %v", s, begin, now)
		}
		again, err := weir.ParseInstant(begin.Format(time.RFC3339Nano), now, zone, false)
		if err != nil || !again.Equal(begin) {
			t.Fatalf("%q is %v, which is read as %v, %v", s, begin, again, err)
		}
	})
}
