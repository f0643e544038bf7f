package ingest_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/weir-analytics/weir/internal/ingest"
)

// An event without a device is its sender's of the day. When it is sent again on the
// other side of midnight, it is still the same event.
func TestARetryIsKnownOnTheOtherSideOfMidnight(t *testing.T) {
	midnight := time.Date(2026, 3, 15, 0, 0, 0, 0, time.UTC)
	for _, c := range []struct {
		what      string
		sent, ago time.Duration // since midnight; how old the event is then
		again     []time.Duration
	}{
		{"just before and just after", -100 * time.Millisecond, 0, []time.Duration{100 * time.Millisecond, time.Hour, 23 * time.Hour}},
		{"an event of hours ago", -100 * time.Millisecond, 5 * time.Hour, []time.Duration{100 * time.Millisecond, time.Hour, 23 * time.Hour}},
		{"hours later", -3 * time.Hour, 0, []time.Duration{3 * time.Hour, 20 * time.Hour}},
		{"the clock goes back", 100 * time.Millisecond, 0, []time.Duration{-200 * time.Millisecond, 100 * time.Millisecond, -time.Hour, time.Hour}},
		{"the clock goes back, an event of hours ago", 100 * time.Millisecond, 5 * time.Hour, []time.Duration{-200 * time.Millisecond, time.Hour, -time.Hour}},
	} {
		t.Run(c.what, func(t *testing.T) {
			r := newRig(t)
			r.now = midnight.Add(c.sent)
			event := fmt.Sprintf(`{"name":"x","id":"1","ts":%q}`, r.now.Add(-c.ago).Format(time.RFC3339Nano))
			first := r.sent(event, browser).DeviceID
			for _, at := range c.again {
				r.now = midnight.Add(at)
				if reply := r.send(event, browser); reply.Duplicates != 1 {
					t.Fatalf("sent at %v and again at %v from midnight it is taken twice: %+v", c.sent, at, reply)
				}
			}
			if other := r.sent(strings.Replace(event, `"1"`, `"2"`, 1), ingest.Remote{IP: "192.0.2.8"}).DeviceID; other == first {
				t.Error("two visitors are one device")
			}
		})
	}
}

// That a device of another day is here does not make an event of today's another one.
func TestARetryIsKnownThoughAnotherDaysDeviceCameBackMeanwhile(t *testing.T) {
	r := newRig(t)
	r.now = time.Date(2026, 3, 14, 23, 59, 0, 0, time.UTC)
	before := r.sent(`{"name":"x","ts":"2026-03-14T12:00:00Z"}`, browser).DeviceID
	r.now = r.now.Add(2 * time.Minute)
	const event = `{"name":"x","id":"1"}`
	if today := r.sent(event, browser).DeviceID; today == before {
		t.Fatal("an event of hours ago keeps a device: the test shows nothing")
	}
	r.sent(fmt.Sprintf(`{"name":"x","device_id":%q}`, before), browser)
	if next := r.sent(`{"name":"x","id":"2"}`, browser).DeviceID; next != before {
		t.Fatal("another day's device that is here is not kept: the test shows nothing")
	}
	if reply := r.send(event, browser); reply.Duplicates != 1 {
		t.Errorf("%+v", reply)
	}
}
