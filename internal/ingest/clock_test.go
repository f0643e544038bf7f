package ingest_test

import (
	"testing"
	"time"

	weir "github.com/weir-analytics/weir"
)

func TestASendersWrongClockIsCorrectedFor(t *testing.T) {
	const hour = time.Hour
	for _, c := range []struct {
		what        string
		clock, went time.Duration // of the sender's clock before ours; since the event, by either
		want        time.Duration // of the stored time before now
	}{
		{"two hours behind", 2 * hour, 10 * time.Second, 10 * time.Second},
		{"three days ahead", -72 * hour, 10 * time.Second, 10 * time.Second},
		{"reset to 1970", 56 * 365 * 24 * hour, time.Minute, time.Minute},
		{"half a minute slow, which may be the way here", 30 * time.Second, 10 * time.Second, 40 * time.Second},
		{"right, after a day without a connection", 0, 20 * hour, 20 * hour},
	} {
		r := newRig(t)
		r.sentAt = r.now.Add(-c.clock)
		at := r.sentAt.Add(-c.went).Format(time.RFC3339)
		if got := r.now.Sub(r.sent(`{"name":"x","ts":"`+at+`"}`, browser).Time); got != c.want {
			t.Errorf("%s: stored as %v before now, want %v", c.what, got, c.want)
		}
		if got := r.sent(`{"name":"x"}`, browser).Time; !got.Equal(r.now) {
			t.Errorf("%s: an event without a time is of %v, want now", c.what, got)
		}
	}
}

func TestATimeThatIsWrongByTheSendersOwnClockIsRefused(t *testing.T) {
	r := newRig(t)
	r.sentAt = r.now.Add(2 * time.Hour)
	body := `[{"name":"x","ts":"` + r.sentAt.Add(25*time.Hour).Format(time.RFC3339) + `"},{"name":"y","ts":"1999-01-01T00:00:00Z"}]`
	reply := r.send(body, browser)
	if reply.Accepted != 0 || len(reply.Rejected) != 2 || reply.Rejected[0].Reason != "ts_future" || reply.Rejected[1].Reason != "ts_ancient" {
		t.Fatalf("%+v", reply)
	}
}

func TestPageKeepsItsDerivedDeviceOnceTheUserIsIdentified(t *testing.T) {
	r := newRig(t)
	from := browser
	from.Page = true
	anonymous := r.sent(view, from)
	identified := r.sent(`{"name":"identify","profile_id":"u"}`, from)
	if identified.DeviceID == "" || identified.DeviceID != anonymous.DeviceID {
		t.Errorf("device %q, and %q once the user is known", anonymous.DeviceID, identified.DeviceID)
	}
	if e := r.sent(`{"name":"api_call","call":{"route":"/x"}}`, from); e.DeviceID != "" || e.Name != weir.NameCall {
		t.Errorf("a call has the device %q", e.DeviceID)
	}
}
