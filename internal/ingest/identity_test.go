package ingest_test

import (
	"fmt"
	"testing"

	weir "github.com/weir-analytics/weir"
)

func TestAProfileThatIsNobodyIsLeftOut(t *testing.T) {
	r := newRig(t)
	visitor := r.sent(view, browser).DeviceID
	for i, id := range []string{"null", " Undefined ", `\"anonymous\"`, "0", "[object Object]", "00000000-0000-0000-0000-000000000000"} {
		e := r.sent(`{"name":"screen_view","path":"/","profile_id":"`+id+`"}`, browser)
		if e.ProfileID != "" {
			t.Errorf("%s: profile %q", id, e.ProfileID)
		}
		// With a profile it would be a server's, and get none.
		if e.DeviceID != visitor {
			t.Errorf("%s: device %q, want the visitor's %q", id, e.DeviceID, visitor)
		}
		if n := r.metric("weir_ids_refused_total", "profile"); n != float64(i+1) {
			t.Errorf("%s: %v refused, want %d", id, n, i+1)
		}
	}
	if e := r.sent(`{"name":"screen_view","path":"/","profile_id":" ada "}`, browser); e.ProfileID != " ada " {
		t.Errorf("profile %q, want it as it was sent", e.ProfileID)
	}
}

func TestADeviceThatIsNobodyIsDerivedAsIfNoneWereSent(t *testing.T) {
	r := newRig(t)
	visitor := r.sent(view, browser).DeviceID
	if e := r.sent(`{"name":"screen_view","path":"/","device_id":"undefined"}`, browser); e.DeviceID != visitor {
		t.Errorf("device %q, want the visitor's %q", e.DeviceID, visitor)
	}
	if e := r.sent(`{"name":"screen_view","path":"/","device_id":"NaN","profile_id":"ada"}`, browser); e.DeviceID != "" || e.ProfileID != "ada" {
		t.Errorf("device %q, profile %q: want a server's", e.DeviceID, e.ProfileID)
	}
	if n := r.metric("weir_ids_refused_total", "device"); n != 2 {
		t.Errorf("%v refused, want 2", n)
	}
}

func TestAnAliasThatIsNobodyIsLeftOut(t *testing.T) {
	r := newRig(t)
	for properties, want := range map[string]string{
		`{"$alias":"null"}`:                      ``,
		`{"$alias":"guest","name":"Ada"}`:        `{"name":"Ada"}`,
		`{"$alias":0,"$set":{"plan":"pro"}}`:     `{"$set":{"plan":"pro"}}`,
		`{"$alias":"former","name":"Ada"}`:       `{"$alias":"former","name":"Ada"}`,
		`{"$alias":17}`:                          `{"$alias":17}`,
		`{"$alias":{"id":"x"},"a":{"$alias":0}}`: `{"a":{"$alias":0}}`,
	} {
		e := r.sent(fmt.Sprintf(`{"name":%q,"profile_id":"ada","properties":%s}`, weir.NameIdentify, properties), browser)
		if e.ProfileID != "ada" || string(e.Properties) != want {
			t.Errorf("%s: stored as %s, want %s", properties, e.Properties, want)
		}
	}
	if e := r.sent(`{"name":"signup","profile_id":"ada","properties":{"$alias":"null"}}`, browser); string(e.Properties) != `{"$alias":"null"}` {
		t.Errorf("another event's properties: %s", e.Properties)
	}
	if n := r.metric("weir_ids_refused_total", "alias"); n != 4 {
		t.Errorf("%v refused, want 4", n)
	}
}
