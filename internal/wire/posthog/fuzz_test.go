package posthog_test

import (
	"encoding/json"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"

	weir "github.com/weir-analytics/weir"
	"github.com/weir-analytics/weir/internal/wire"
	"github.com/weir-analytics/weir/internal/wire/amplitude"
	"github.com/weir-analytics/weir/internal/wire/body"
	"github.com/weir-analytics/weir/internal/wire/mixpanel"
	"github.com/weir-analytics/weir/internal/wire/openpanel"
	"github.com/weir-analytics/weir/internal/wire/sharedpath"
	"github.com/weir-analytics/weir/internal/wire/wiretest"
)

// FuzzPostHog checks what holds for any request: no panic, limits kept, properties that
// are JSON without a key twice, and an answer that is one.
func FuzzPostHog(f *testing.F) {
	wiretest.EachGolden(f, protocol, func(_ string, r *wire.Request) {
		f.Add(r.Body, r.Query().Encode(), uint8(0))
		f.Add(r.Body, r.Query().Encode(), uint8(1))
	})
	for _, sdk := range sDKs {
		wiretest.EachRecorded(f, protocol, sdk, func(_ string, r *wire.Request) { f.Add(r.Body, "", uint8(0)) })
	}
	for _, v := range lzVectors(f) {
		f.Add([]byte(v.Packed), "compression=lz64", uint8(0))
	}
	for _, seed := range []string{
		`{"batch":[{"event":"$identify","distinct_id":{"a":[]},"$set":{"a":1},"properties":{"$set":{"a":2,"b":{}},"$unset":"c"}}]}`,
		`{"properties":{"$groups":{"a":"b"}},"event":"$pageview","distinct_id":1}`, "data=e30=", "data=%7B%7D&compression=base64",
		`[{"event":"$groupidentify","properties":{"$group_set":{"group_id":1,"a":2}}}]`, `{"event":"\ud800","distinct_id":"\u0000"}`,
	} {
		f.Add([]byte(seed), "", uint8(0))
	}
	l := wire.DefaultLimits()
	l.Body, l.Decoded = 4000, 8000
	l.Events, l.Event, l.Name, l.ID, l.String, l.URL, l.Properties, l.Depth = 20, 3000, 10, 12, 20, 30, 8, 4
	paths := []string{"/e", "/i/v1/analytics/events", "/engage", "/track"}
	f.Fuzz(func(t *testing.T, text []byte, query string, which uint8) {
		defer wiretest.Bounded(t)()
		var p wire.Protocol = protocol
		path := paths[int(which)%len(paths)]
		if path == "/track" || path == "/engage" {
			p = sharedpath.Protocol{PostHog: protocol, OpenPanel: openpanel.Protocol{}, Mixpanel: mixpanel.Protocol{}, Amplitude: amplitude.Protocol{}}
		}
		values, _ := url.ParseQuery(query)
		b, err := body.Read(strings.NewReader(string(text)), "", l)
		if err != nil {
			return
		}
		defer b.Release()
		r := &wire.Request{
			Route: wire.Route{Method: "POST", Path: path}, Path: path, RawQuery: values.Encode(), Now: wiretest.Now, Limits: l,
			Header: http.Header{"Authorization": {"Bearer k"}, "Posthog-Sdk-Info": {"posthog-node/1"}}, Body: b.Bytes(),
		}
		sent, err := p.Decode(r)
		if err != nil {
			switch code := weir.ErrorCode(err); code {
			case weir.EINVALID, weir.ETOOLARGE, weir.EUNAUTHORIZED:
			default:
				t.Errorf("code %q: %v", code, err)
			}
			return
		}
		for _, part := range sent.Parts {
			if len(part.Events) > 2*l.Events || part.Project == "" {
				t.Errorf("%d events of %q", len(part.Events), part.Project)
			}
			for i := range part.Events {
				checkPostHogEvent(t, &part.Events[i], l)
			}
			for _, j := range part.Rejected {
				if !slices.Contains(wire.Reasons(), j.Reason) && !slices.Contains(wire.VendorReasons(), j.Reason) {
					t.Errorf("reason %q is not listed", j.Reason)
				}
			}
		}
		answer := p.Answer(r, sent)
		if answer.ContentType == "application/json" && !json.Valid(answer.Body) {
			t.Errorf("answer %q", answer.Body)
		}
	})
}

func checkPostHogEvent(t *testing.T, in *weir.Incoming, l wire.Limits) {
	t.Helper()
	e := &in.Event
	for _, id := range []string{e.ID, e.ProfileID, e.DeviceID, e.SessionID} {
		if len(id) > l.ID && len(id) != 22 { // 22: a hash of the event
			t.Errorf("id %q", id)
		}
	}
	if e.Name == "" || len(e.Name) > max(l.Name, len(weir.NameScreenLeave)) || len(in.Source.URL) > l.URL {
		t.Errorf("name %q, URL %q", e.Name, in.Source.URL)
	}
	if strings.ContainsRune(e.ProfileID+e.DeviceID+e.Title+e.Path, 0) {
		t.Errorf("a NUL in %+v", e)
	}
	if e.Properties == nil {
		return
	}
	var properties map[string]json.RawMessage
	if err := json.Unmarshal(e.Properties, &properties); err != nil {
		t.Fatalf("properties %q: %v", e.Properties, err)
	}
	d := json.NewDecoder(strings.NewReader(string(e.Properties)))
	_, _ = d.Token()
	n := 0
	for d.More() {
		_, _ = d.Token()
		var v json.RawMessage
		if err := d.Decode(&v); err != nil {
			t.Fatalf("properties %q: %v", e.Properties, err)
		}
		n++
	}
	if n != len(properties) {
		t.Errorf("a key twice in %q", e.Properties)
	}
}
