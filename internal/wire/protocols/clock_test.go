package protocols_test

import (
	"fmt"
	"net/http"
	"testing"
	"time"

	"github.com/weir-analytics/weir/internal/wire"
	"github.com/weir-analytics/weir/internal/wire/amplitude"
	"github.com/weir-analytics/weir/internal/wire/posthog"
	"github.com/weir-analytics/weir/internal/wire/segment"
	"github.com/weir-analytics/weir/internal/wire/wiretest"
)

// A page is left, and 100 ms later the next one is looked at; the first request takes
// 800 ms and the second 50. A correction by their ways would turn the two round.
func TestRequestsOfOnePageKeepTheOrderOfItsClock(t *testing.T) {
	text := func(t time.Time) string { return t.Format(time.RFC3339Nano) }
	for _, c := range []struct {
		protocol     wire.Protocol
		target, body string
	}{
		{posthog.Protocol{}, "/e", `{"api_key":"wk_a","batch":[{"event":"a","distinct_id":"d","timestamp":"%[1]s"}],"sent_at":"%[1]s"}`},
		{amplitude.Protocol{}, "/2/httpapi", `{"api_key":"wk_a","events":[{"event_type":"a","device_id":"d","time":"%[1]s"}],"client_upload_time":"%[1]s"}`},
		{segment.Protocol{}, "/v1/track", `{"event":"a","anonymousId":"d","timestamp":"%[1]s","sentAt":"%[1]s"}`},
		{segment.Protocol{}, "/v1/batch", `{"batch":[{"type":"track","event":"a","anonymousId":"d","timestamp":"%[1]s"}],"sentAt":"%[1]s"}`},
	} {
		for clock, corrected := range map[time.Duration]time.Duration{0: 0, -59 * time.Second: 0, time.Hour: time.Hour, -time.Hour: -time.Hour} {
			at := func(sent time.Time, way time.Duration) time.Time {
				r := wiretest.Request(t, c.protocol, "POST", c.target, http.Header{}, fmt.Appendf(nil, c.body, text(sent.Add(clock))))
				r.Now = sent.Add(way)
				s, err := c.protocol.Decode(r)
				if err != nil || len(s.Parts[0].Events) != 1 {
					t.Fatalf("%+v, %v", s, err)
				}
				return s.Parts[0].Events[0].Event.Time
			}
			left := at(wiretest.Now, 800*time.Millisecond)
			if got := left.Sub(wiretest.Now.Truncate(time.Microsecond)); got != clock-corrected && corrected == 0 || got.Abs() > time.Minute {
				t.Errorf("%s, clock %v ahead: the event is %v late", c.target, clock, got)
			}
			if viewed := at(wiretest.Now.Add(100*time.Millisecond), 50*time.Millisecond); corrected == 0 && !viewed.After(left) {
				t.Errorf("%s, clock %v ahead: left at %v, the next page viewed at %v", c.target, clock, left, viewed)
			}
		}
		r := wiretest.Request(t, c.protocol, "POST", c.target, http.Header{}, fmt.Appendf(nil, c.body, "9999-01-01T00:00:00Z"))
		if s, err := c.protocol.Decode(r); err != nil || len(s.Parts[0].Events) != 1 || !s.Parts[0].Events[0].Event.Time.Equal(wiretest.Now.Truncate(time.Microsecond)) {
			t.Errorf("%s, a clock in the year 9999: %+v, %v", c.target, s, err)
		}
	}
}
