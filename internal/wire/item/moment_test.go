package item_test

import (
	"testing"
	"time"

	"github.com/weir-analytics/weir/internal/wire/item"
)

func TestMomentsAreReadInEachFormThatVendorsWrite(t *testing.T) {
	berlin, err := time.LoadLocation("Europe/Berlin")
	if err != nil {
		t.Fatal(err)
	}
	for text, want := range map[string]string{ // naive times are of Berlin
		"2024-01-02T03:04:05Z":             "2024-01-02T03:04:05Z",
		"2024-01-02t03:04:05.25z":          "2024-01-02T03:04:05.25Z",
		"2024-01-02 03:04:05":              "2024-01-02T02:04:05Z",
		"2024-07-02T03:04:05.123":          "2024-07-02T01:04:05.123Z",
		"2024-01-02 03:04:05,123":          "2024-01-02T02:04:05.123Z",
		"2024-01-02 03:04:05 UTC":          "2024-01-02T03:04:05Z",
		"2024-01-02 03:04:05.6 GMT":        "2024-01-02T03:04:05.6Z",
		"2024-01-02 03:04:05+00:00":        "2024-01-02T03:04:05Z",
		"2024-01-02 03:04:05 +00:00":       "2024-01-02T03:04:05Z",
		"2024-01-02 03:04:05.123456 -0530": "2024-01-02T08:34:05.123456Z",
		"2024-01-02 03:04:05+00":           "2024-01-02T03:04:05Z",
		"2024-01-02T03:04:05+0000":         "2024-01-02T03:04:05Z",
		"2024-01-02T03:04:05.123+0100":     "2024-01-02T02:04:05.123Z",
		"2024-01-02T03:04:05 +0100":        "2024-01-02T02:04:05Z",
		"2024-01-02T03:04":                 "2024-01-02T02:04:00Z",
		"2024-01-02 03:04Z":                "2024-01-02T03:04:00Z",
		"2024-01-02":                       "2024-01-01T23:00:00Z",
		"20240102":                         "2024-01-01T23:00:00Z",
		"202401020304":                     "2024-01-02T02:04:00Z",
		"20240102030405":                   "2024-01-02T02:04:05Z",
		"20240102030405678":                "2024-01-02T02:04:05.678Z",
		"1704164645":                       "2024-01-02T03:04:05Z",
		"1704164645.5":                     "2024-01-02T03:04:05.5Z",
		"1704164645123":                    "2024-01-02T03:04:05.123Z",
		"1704164645123456":                 "2024-01-02T03:04:05.123456Z",
		"1704164645123456789":              "2024-01-02T03:04:05.123456Z",
		"1.704164645123456E15":             "2024-01-02T03:04:05.123456Z",
		"788918400000":                     "1995-01-01T00:00:00Z", // no date: the year 7889
		"20241302":                         "1970-08-23T06:35:02Z", // no date: a 13th month
		"45293":                            "1970-01-01T12:34:53Z", // days, of a spreadsheet
		"20240102030405678901":             "",                     // too many digits
		"2024-01-02 03:04:05 CET":          "",                     // names of zones say little
		"2024-01-02T03:04:05+00:00:00":     "",                     // and this is none
		"2024-13-02":                       "",                     // no such month
		"2024-01-02T24:00:00":              "",                     //
		"2024-01-02T03:04:05.":             "",                     //
		"2024/01/02 03:04:05":              "",                     // day or month?
		"01/02/2024":                       "",                     //
		"2024-01-02T3:04:05":               "",                     //
		"2024-01-02X03:04:05":              "",                     //
		"":                                 "",                     //
		"NaN":                              "",                     //
		"2024-01-02 03:04:05.000000000000000000000001 +00:00": "", // too long
	} {
		us, ok := item.Moment([]byte(text), berlin)
		got := ""
		if ok {
			got = time.UnixMicro(us).UTC().Format(time.RFC3339Nano)
		}
		if got != want {
			t.Errorf("%q is %q, want %q", text, got, want)
		}
	}
}

// FuzzMoment: what is read as a time is the same when it is written as RFC 3339 and read
// again, and digits that are a date are never a time of other years.
func FuzzMoment(f *testing.F) {
	for _, s := range []string{
		"2024-01-02 03:04:05 +00:00", "2024-01-02T03:04:05+0000", "20240102", "202401020304", "20240102030405", "20240102030405678", "1704164645123", "1.7E9", "-5", "2024-01-02", "2024-01-02 03:04,5 UTC",
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		us, ok := item.Moment([]byte(text), time.UTC)
		if !ok {
			return
		}
		at := time.UnixMicro(us).UTC()
		if y := at.Year(); y >= 0 && y <= 9999 {
			if again, ok := item.Moment([]byte(at.Format(time.RFC3339Nano)), time.UTC); !ok || again != us {
				t.Errorf("%q is %s, which is read as %d %v", text, at.Format(time.RFC3339Nano), again, ok)
			}
		}
		if len(text) >= len("20060102") {
			if day, err := time.Parse("20060102", text[:8]); err == nil && (len(text) == 8 || len(text) == 14) && day.Year() >= 1970 && day.Year() < 2200 && at.Year() == 1970 && day.Year() != 1970 {
				t.Errorf("%q is read as %s", text, at)
			}
		}
	})
}
