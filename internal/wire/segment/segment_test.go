package segment_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	weir "github.com/weir-analytics/weir"
	"github.com/weir-analytics/weir/internal/wire"
	"github.com/weir-analytics/weir/internal/wire/segment"
	"github.com/weir-analytics/weir/internal/wire/wiretest"
)

func TestSegmentGolden(t *testing.T) { wiretest.Golden(t, segment.Protocol{}) }

func TestSegmentsSDKsAreUnderstood(t *testing.T) {
	at := time.Date(2026, 11, 21, 23, 0, 0, 0, time.UTC)
	for _, sdk := range []string{"segment-node", "segment-next"} {
		t.Run(sdk, func(t *testing.T) { wiretest.Recordings(t, segment.Protocol{}, sdk, at) })
	}
}

func TestAnAmountOfMoneyIsReadAsItIsWritten(t *testing.T) {
	for text, want := range map[string]float64{
		`12.5`: 12.5, `"12.30"`: 12.3, `"$12.30"`: 12.3, `"12,30 €"`: 12.3, `"1,234.50"`: 1234.5, `"1.234,50"`: 1234.5, `"1'234.50 CHF"`: 1234.5,
		`"1,234"`: 1234, `"1.234"`: 1.234, `"1.234.567"`: 1234567, `"1,234,567.8"`: 1234567.8, `"-$5"`: -5, `"(5.00)"`: -5, `"USD 7"`: 7, `"1e3"`: 1000, `"0,5"`: 0.5,
		`"free"`: 0, `""`: 0, `"1 2"`: 0, `null`: 0, `{"a":1}`: 0, `"NaN"`: 0, `"Infinity"`: 0, `"$"`: 0, `"1-2"`: 0, `1e999`: 0,
	} {
		r := request("/v1/track", `{"event":"a","properties":{"revenue":`+text+`}}`)
		sent, err := segment.Protocol{}.Decode(r)
		if err != nil || len(sent.Parts[0].Events) != 1 {
			t.Fatalf("%s: %+v, %v", text, sent, err)
		}
		e := sent.Parts[0].Events[0].Event
		if e.Revenue.Value != want {
			t.Errorf("%s is %v, want %v", text, e.Revenue, want)
		}
		if kept := e.Properties != nil; kept != (want == 0) {
			t.Errorf("%s: properties %s", text, e.Properties)
		}
	}
}

func TestABatchsLargeContextDoesNotCostItsSizePerCall(t *testing.T) {
	call := strings.Repeat(`{"event":"a"},`, 1000)
	body := `{"context":{"x":"` + strings.Repeat("x", 1<<20) + `"},"batch":[` + call + `{"event":"a"}]}`
	_, err := segment.Protocol{}.Decode(request("/v1/batch", body))
	if weir.ErrorCode(err) != weir.ETOOLARGE {
		t.Errorf("%v", err)
	}
}

func TestABatchOfTooManyCallsIsRefused(t *testing.T) {
	r := request("/v1/batch", `{"batch":[{"event":"a"},{"event":"a"},{"event":"a"}]}`)
	r.Limits.Events = 2
	if _, err := (segment.Protocol{}).Decode(r); weir.ErrorCode(err) != weir.ETOOLARGE {
		t.Errorf("%v", err)
	}
}

func request(path, body string) *wire.Request {
	return &wire.Request{
		Route: wire.Route{Method: http.MethodPost, Path: path}, Path: path, Header: http.Header{}, Body: []byte(body), Now: wiretest.Now, Limits: wire.DefaultLimits(),
	}
}

func TestTheLibraryTellsAVisitorsMachineFromAServer(t *testing.T) {
	for library, client := range map[string]bool{
		`"analytics.js"`: true, `"RudderLabs JavaScript SDK"`: true, `"analytics-ios"`: true, `"analytics-android"`: true, `"analytics-swift"`: true,
		`"analytics-kotlin"`: true, `"@segment/analytics-react-native"`: true, `"com.rudderstack.android.sdk.core"`: true, `"rudder-ios-library"`: true,
		`"@segment/analytics-node"`: false, `"analytics-node"`: false, `"analytics-python"`: false, `"analytics-go"`: false, `"analytics-ruby"`: false,
		`"analytics-java"`: false, `"analytics-php"`: false, `"Analytics.NET"`: false, `"rudder-sdk-java"`: false, `"mine"`: false, `null`: false,
	} {
		for _, page := range []bool{false, true} {
			r := request("/v1/track", `{"event":"a","context":{"library":{"name":`+library+`}}}`)
			want := client
			if page {
				r.Header.Set("Origin", "https://shop.example")
				want = want || library == `"mine"` || library == `null`
			}
			sent, err := segment.Protocol{}.Decode(r)
			if err != nil {
				t.Fatal(err)
			}
			if s := sent.Parts[0].Events[0].Source; s.Client != want || s.Reported == want {
				t.Errorf("%s, from a page %v: %+v", library, page, s)
			}
		}
	}
}
