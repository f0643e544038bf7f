package native_test

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	weir "github.com/weir-analytics/weir"
)

func TestTimesAreReadToTheMicrosecond(t *testing.T) {
	for _, c := range []struct{ ts, want string }{
		{`null`, "2026-03-01T12:00:00.123456Z"},
		{`"2026-01-02T03:04:05Z"`, "2026-01-02T03:04:05Z"},
		{`"2026-01-02t03:04:05.5z"`, "2026-01-02T03:04:05.5Z"},
		{`"2026-01-02 03:04:05.1234567891234567890123-05:30"`, "2026-01-02T08:34:05.123456Z"},
		{`"2026-01-01T00:30:00+01:00"`, "2025-12-31T23:30:00Z"},
		{`"2024-02-29T23:59:60Z"`, "2024-03-01T00:00:00Z"},
		{`"2000-02-29T00:00:00Z"`, "2000-02-29T00:00:00Z"},
		{`1767323045`, "2026-01-02T03:04:05Z"},
		{`1767323045.1234567`, "2026-01-02T03:04:05.123456Z"},
		{`1767323045.1`, "2026-01-02T03:04:05.1Z"},
		{`1767323045123`, "2026-01-02T03:04:05.123Z"},
		{`1767323045123.4567`, "2026-01-02T03:04:05.123456Z"},
		{`1767323045123456`, "2026-01-02T03:04:05.123456Z"},
		{`1767323045123456.9`, "2026-01-02T03:04:05.123456Z"},
		{`1767323045123456789`, "2026-01-02T03:04:05.123456Z"},
		{`1.767323045e9`, "2026-01-02T03:04:05Z"},
		{`1767323045e3`, "2026-01-02T03:04:05Z"},
		{`946684800`, "2000-01-01T00:00:00Z"},
		{`946684800000`, "2000-01-01T00:00:00Z"},
		{`946684800000000`, "2000-01-01T00:00:00Z"},
		{`946684800000000000`, "2000-01-01T00:00:00Z"},
	} {
		in, reason := one(t, `{"name":"a","ts":`+c.ts+`}`)
		if got := in.Event.Time.Format(time.RFC3339Nano); reason != "" || got != c.want {
			t.Errorf("%s: %s %s, want %s", c.ts, got, reason, c.want)
		}
	}
}

func TestWrongTimesAreRefused(t *testing.T) {
	for _, ts := range []string{
		"2026-13-01T00:00:00Z", "2026-00-01T00:00:00Z", "2026-01-00T00:00:00Z", "2026-01-32T00:00:00Z",
		"2026-04-31T00:00:00Z", "2100-02-29T00:00:00Z", "2026-01-01T24:00:00Z", "2026-01-01T00:60:00Z",
		"2026-01-01T00:00:61Z", "2026-01-01T00:00:00.Z", "2026-01-01T00:00:00,5Z", "2026-01-01T00:00:00+1:00",
		"2026-01-01T00:00:00+24:00", "2026-01-01T00:00:00+01:60", "2026-01-01T00:00:00+0100", "2026-01-01T00:00:00ZZ",
		"2026-01-01_00:00:00Z", "2026/01/01T00:00:00Z", "26-01-01T00:00:00Z", "2026-01-01T0:00:00Z",
		"2026-01-01T00.00.00Z", "x026-01-01T00:00:00Z", "yesterday", `2026-01-01T00:00:00Z\n`,
	} {
		if _, reason := one(t, `{"name":"a","ts":"`+ts+`"}`); reason != "ts_invalid" {
			t.Errorf("%s: reason %q", ts, reason)
		}
	}
}

func TestIDsKeepTheirDigits(t *testing.T) {
	for _, c := range []struct{ sent, want string }{
		{`9007199254740993`, "9007199254740993"},
		{`-0`, "-0"},
		{`1.50`, "1.50"},
		{`1e3`, "1e3"},
		{`123456789012345678901234567890`, "123456789012345678901234567890"},
		{`"\u00fc\ud83d\ude00\/"`, "ü😀/"},
		{`""`, ""},
		{`null`, ""},
	} {
		in, reason := one(t, `{"name":"a","id":`+c.sent+`,"profile_id":`+c.sent+`,"device_id":`+c.sent+`,"session_id":`+c.sent+`}`)
		want := weir.Event{ID: c.want, ProfileID: c.want, DeviceID: c.want, SessionID: c.want}
		got := weir.Event{ID: in.Event.ID, ProfileID: in.Event.ProfileID, DeviceID: in.Event.DeviceID, SessionID: in.Event.SessionID}
		if diff := cmp.Diff(want, got); diff != "" || reason != "" {
			t.Errorf("%s: %s %s", c.sent, reason, diff)
		}
	}
}

func TestPropertiesAreCompactAndExact(t *testing.T) {
	for _, c := range []struct{ sent, want string }{
		{`null`, ""},
		{`{}`, ""},
		{` { } `, ""},
		{` { "a" : [ 1 , true , null , { } , [ ] , "x y" ] } `, `{"a":[1,true,null,{},[],"x y"]}`},
		{`{"b":1,"a":2,"":3}`, `{"b":1,"a":2,"":3}`},
		{`{"a":9007199254740993,"b":-9223372036854775808,"c":18446744073709551615}`, `{"a":9007199254740993,"b":-9223372036854775808,"c":18446744073709551615}`},
		{`{"a":18446744073709551616,"b":-9223372036854775809}`, `{"a":18446744073709551616.0,"b":-9223372036854775809.0}`},
		{`{"a":1.10,"b":-0,"c":1E+2,"d":0.1e-7}`, `{"a":1.10,"b":-0,"c":1E+2,"d":0.1e-7}`},
		{`{"a":0.` + strings.Repeat("1", 400) + `}`, `{"a":0.` + strings.Repeat("1", 400) + `}`},
		{`{"\u0061":"\u00e9\ud83d\ude00\/\u003c"}`, `{"a":"é😀/<"}`},
		{`{"a":"\"\\\b\f\n\r\t\u0001\u001F\u0022"}`, `{"a":"\"\\\b\f\n\r\t\u0001\u001f\""}`},
		{"{\"a\":\"\u2028\x7f\"}", "{\"a\":\"\u2028\x7f\"}"},
		{`{"a":"\ud83d","b":"\ude00\ud83d","c":"\ud83d\u0041","d":"\ud83d\ud83d\ude00"}`, `{"a":"�","b":"��","c":"�A","d":"�😀"}`},
	} {
		in, reason := one(t, `{"name":"a","properties":`+c.sent+`}`)
		if diff := cmp.Diff(c.want, string(in.Event.Properties)); diff != "" || reason != "" {
			t.Errorf("%s: %s %s", c.sent, reason, diff)
		}
	}
}

// Strings of every length around the eight bytes that are looked at at once,
// with what ends or changes them at every place.
func TestStringsAreReadAtEveryOffset(t *testing.T) {
	for n := range 40 {
		for at := range n + 1 {
			fill := strings.Repeat("a", at) + "%" + strings.Repeat("b", n-at)
			for sent, want := range map[string]string{
				"": "", "é": "é", `\"`: `"`, `\\`: `\`, `\u00e9`: "é", "\u007f": "\u007f", " ": " ", "!": "!", "#": "#", "[": "[", "]": "]",
			} {
				in, reason := one(t, `{"name":"x`+strings.Replace(fill, "%", sent, 1)+`"}`)
				if want = "x" + strings.Replace(fill, "%", want, 1); in.Event.Name != want || reason != "" {
					t.Fatalf("%q %s, want %q", in.Event.Name, reason, want)
				}
			}
			if _, reason := one(t, `{"name":"`+strings.Replace(fill, "%", "\xff", 1)+`"}`); reason != "invalid_utf8" {
				t.Fatalf("offset %d of %d: reason %q", at, n, reason)
			}
		}
	}
}

func TestCurrencyIsUpperCase(t *testing.T) {
	if in, _ := one(t, `{"name":"a","revenue":-12.34,"currency":"eUr"}`); in.Event.Currency != "EUR" || in.Event.Revenue.Value != -12.34 {
		t.Errorf("%v %s", in.Event.Revenue, in.Event.Currency)
	}
}

func TestRevenueIsTheNearestDouble(t *testing.T) {
	for sent, want := range map[string]float64{
		"0": 0, "1234567890": 1234567890, "-7": -7, "9007199254740993": 9007199254740992, "0.1": 0.1, "1e-999": 0, "1.7e308": 1.7e308,
	} {
		if in, reason := one(t, `{"name":"a","revenue":`+sent+`}`); in.Event.Revenue.Value != want || reason != "" {
			t.Errorf("%s: %v %s", sent, in.Event.Revenue, reason)
		}
	}
}

func TestZeroIsAValueAndNullIsUnknown(t *testing.T) {
	for sent, want := range map[string]weir.Number{"0": weir.Known(0), "-0.0": weir.Known(0), "0e9": weir.Known(0), "1.5": weir.Known(1.5), "null": {}} {
		in, reason := one(t, `{"name":"api_call","revenue":`+sent+`,"call":{"latency_ms":`+sent+`}}`)
		if reason != "" || in.Event.Revenue != want || in.Event.Call.LatencyMS != want {
			t.Errorf("%s: %v, %v %s", sent, in.Event.Revenue, in.Event.Call, reason)
		}
	}
}
