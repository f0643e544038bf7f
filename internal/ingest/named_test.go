package ingest_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	weir "github.com/weir-analytics/weir"
	"github.com/weir-analytics/weir/internal/ingest"
	"github.com/weir-analytics/weir/internal/wire"
	"github.com/weir-analytics/weir/internal/wire/posthog"
)

// app is a request of an app on a phone.
var app = ingest.Remote{IP: "198.51.100.1", UserAgent: "okhttp/4.12.0"}

// fromApp sends an event as PostHog's apps do, which name no device.
func (r *rig) fromApp(from ingest.Remote, lib, event, id, who, properties string) (*weir.Event, ingest.Reply) {
	r.t.Helper()
	body := fmt.Sprintf(`{"api_key":"wk_a","batch":[{"event":%q,"distinct_id":%q,"uuid":%q,"timestamp":%q,`+
		`"properties":{"$session_id":"s-1","$lib":%q,"$os_name":"Android","$device_type":"Mobile",%s}}]}`,
		event, who, id, r.now.Format(time.RFC3339), lib, properties)
	request := &wire.Request{Route: wire.Route{Method: http.MethodPost, Path: "/batch"}, Path: "/batch"}
	reply, err := r.receive(r.t.Context(), r.project, posthog.Protocol{}, request, strings.NewReader(body), "", from)
	if err != nil {
		r.t.Fatal(err)
	}
	if reply.Accepted == 0 {
		return nil, reply
	}
	e := r.last()
	return &e, reply
}

var appLibraries = []string{"posthog-react-native", "posthog-ios", "posthog-android", "posthog-flutter", "js", "posthog-js-lite"}

func TestAppWithoutADeviceIDKeepsOneDeviceThroughItsSession(t *testing.T) {
	for _, lib := range appLibraries {
		r := newRig(t)
		away := ingest.Remote{IP: "203.0.113.9", UserAgent: app.UserAgent}
		for i, c := range []struct {
			from                   ingest.Remote
			event, who, properties string
		}{
			{app, "$screen", "anon", `"$screen_name":"Home","$is_identified":false,"$process_person_profile":false`},
			{app, "$identify", "ada", `"$anon_distinct_id":"anon","$is_identified":true`},
			{app, "$screen", "ada", `"$screen_name":"List","$is_identified":true`},
			{away, "$screen", "ada", `"$screen_name":"Item","$is_identified":true`},
		} {
			e, _ := r.fromApp(c.from, lib, c.event, fmt.Sprint("e-", i), c.who, c.properties)
			if e.DeviceID != "anon" {
				t.Errorf("%s: event %d has device %q, want %q", lib, i, e.DeviceID, "anon")
			}
		}
	}
}

func TestRetryOfAnAppFromAnotherAddressIsStoredOnce(t *testing.T) {
	for _, lib := range appLibraries {
		r := newRig(t)
		const order = `"$is_identified":true,"revenue":49.9,"currency":"EUR"`
		e, _ := r.fromApp(app, lib, "order_completed", "o-1", "ada", order)
		if e.DeviceID != "ada" {
			t.Errorf("%s: device %q, want the profile's id", lib, e.DeviceID)
		}
		_, reply := r.fromApp(ingest.Remote{IP: "203.0.113.9", UserAgent: "okhttp/5"}, lib, "order_completed", "o-1", "ada", order)
		if reply.Accepted != 0 || reply.Duplicates != 1 {
			t.Errorf("%s: sent again from another address: %+v", lib, reply)
		}
	}
}

func TestSessionsOfTwoProjectsHaveDevicesOfTheirOwn(t *testing.T) {
	r := newRig(t)
	r.fromApp(app, "posthog-ios", "a", "e-1", "anon", `"$is_identified":false`)
	other := *r.project
	other.ID = "q"
	r.project = &other
	if e, _ := r.fromApp(app, "posthog-ios", "a", "e-2", "ada", `"$is_identified":true`); e.DeviceID != "ada" {
		t.Errorf("device %q of another project's session", e.DeviceID)
	}
}
