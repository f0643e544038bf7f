package dump_test

import (
	"bytes"
	"encoding/json"
	"maps"
	"net/http"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	weir "github.com/weir-analytics/weir"
	"github.com/weir-analytics/weir/internal/dump"
	"github.com/weir-analytics/weir/internal/wire"
	"github.com/weir-analytics/weir/internal/wire/body"
	"github.com/weir-analytics/weir/internal/wire/posthog"
)

// The visitor, as PostHog's server and Weir's see them.
const visitorIP, visitorAgent = "203.0.113.9", "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36"

// postHogSends are bodies of batches that SDKs sent, by name.
func postHogSends(t *testing.T) map[string][]byte {
	t.Helper()
	out := map[string][]byte{"by hand": []byte(`{"api_key":"wk_key","sent_at":"2026-03-01T12:00:00Z","batch":[` + strings.Join([]string{
		`{"uuid":"1","event":"$screen","distinct_id":"a","timestamp":"2026-03-01T11:00:00.123456Z","properties":{"$lib":"posthog-ios","$lib_version":"3.30.0","$is_identified":false,"$device_id":"a","$screen_name":"Settings","$os_name":"iOS","$os_version":"18.1","$device_type":"Mobile","$browser":"Safari","$raw_user_agent":"` + visitorAgent + `"}}`,
		`{"uuid":"2","event":"order","distinct_id":"ada","timestamp":"2026-03-01T11:00:00Z","properties":{"$lib":"posthog-python","$lib_version":"6","$lib_consumer":"x","$python_runtime":"CPython","$os":"Linux","$os_distro":"Debian","revenue":"12.5","currency":"eur","$set":{"a":1},"$unset":["b"]}}`,
		`{"uuid":"3","event":"order","distinct_id":"ada","timestamp":"2026-03-01T11:00:00Z","properties":{"$lib":"posthog-go","revenue":5,"currency":"Euro","$group_set":{"x":1},"api_key":"mine"}}`,
		`{"uuid":"4","event":"order","distinct_id":"ada","timestamp":"2026-03-01T11:00:00Z","properties":{"$lib":"posthog-go","currency":"eur","$revenue":0}}`,
		`{"uuid":"5","event":"order","distinct_id":"ada","timestamp":"2026-03-01T11:00:00Z","properties":{"$lib":"posthog-go","currency":"eur"}}`,
		`{"uuid":"6","event":"$groupidentify","distinct_id":"$company_acme","timestamp":"2026-03-01T11:00:00Z","properties":{"$lib":"posthog-go","$group_type":"company","$group_key":"acme","$group_set":{"seats":20,"group_id":"no"}}}`,
		`{"uuid":"7","event":"$create_alias","distinct_id":"a","timestamp":"2026-03-01T11:00:00Z","properties":{"$lib":"web","$device_id":"a","alias":"ada","$raw_user_agent":"` + visitorAgent + `"}}`,
		`{"uuid":"8","event":"$identify","distinct_id":"ada","timestamp":"2026-03-01T11:00:00Z","properties":{"$lib":"posthog-ruby","$anon_distinct_id":"a"},"$set":{"plan":"pro"},"$set_once":{"$initial_referrer":"x","first":1}}`,
		`{"uuid":"9","event":" spaced ","distinct_id":{"a":1},"timestamp":"2026-03-01T11:00:00Z","properties":{"$lib":"posthog-node","$process_person_profile":false,"gclid":null,"fbclid":"f","title":"kept","n":1e999}}`,
		`{"uuid":"10","event":"$snapshot","distinct_id":"a","timestamp":"2026-03-01T11:00:00Z","properties":{}}`,
		`{"uuid":"11","event":"seen","distinct_id":"a","timestamp":"2026-03-01T11:00:00Z","properties":{"$lib":"web","$is_identified":false,"$geoip_disable":true,"$raw_user_agent":"` + visitorAgent + `"}}`,
	}, ",") + `]}`)}
	files, err := filepath.Glob("../wire/posthog/testdata/recorded/posthog-*/*.json")
	if err != nil || len(files) == 0 {
		t.Fatalf("no recordings: %v", err)
	}
	for _, file := range files {
		var rec struct {
			Method, Path string
			Body         []byte `json:"body_base64"`
		}
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if err := json.Unmarshal(text, &rec); err != nil {
			t.Fatal(err)
		}
		if path, _, _ := strings.Cut(rec.Path, "?"); rec.Method != http.MethodPost || path != "/e/" && path != "/batch/" {
			continue
		}
		b, err := body.Read(bytes.NewReader(rec.Body), "", wire.DefaultLimits())
		if err != nil {
			t.Fatal(err)
		}
		out[file] = bytes.Clone(b.Bytes())
		b.Release()
	}
	return out
}

// keptByPostHog are the events of a body as PostHog stores and exports them: traits
// among the properties, and what its server adds there.
func keptByPostHog(t *testing.T, body []byte) (lines []string, sentAt time.Time) {
	t.Helper()
	var sent struct {
		SentAt time.Time `json:"sent_at"`
		Batch  []map[string]any
	}
	d := json.NewDecoder(bytes.NewReader(body))
	d.UseNumber()
	if err := d.Decode(&sent); err != nil {
		t.Fatal(err)
	}
	for i, e := range sent.Batch {
		p, _ := e["properties"].(map[string]any)
		for _, op := range []string{"$set", "$set_once", "$unset"} {
			if v, ok := e[op]; ok {
				p[op] = v
			}
		}
		maps.Copy(p, map[string]any{
			"$ip": visitorIP, "$sent_at": sent.SentAt, "$plugins_succeeded": []any{"GeoIP"}, "$plugins_failed": []any{}, "$transformations_succeeded": []any{},
			"$geoip_time_zone": "Europe/Berlin", "$geoip_subdivision_1_code": "BE",
		})
		who := e["distinct_id"]
		if who == nil {
			who = p["distinct_id"]
		}
		row := map[string]any{"uuid": e["uuid"], "event": e["event"], "distinct_id": who, "timestamp": e["timestamp"], "properties": p, "person_properties": "{}", "team_id": 1}
		if i%2 == 1 { // some destinations have them as text
			text, err := json.Marshal(p)
			if err != nil {
				t.Fatal(err)
			}
			row["properties"] = string(text)
		}
		line, err := json.Marshal(row)
		if err != nil {
			t.Fatal(err)
		}
		lines = append(lines, string(line))
	}
	return lines, sent.SentAt
}

// asStored is an event as it is before what the server finds out, which is the same
// for all.
func asStored(in weir.Incoming, live bool) weir.Incoming {
	s := &in.Source
	if live && s.Client { // what ingest takes from the request
		if s.IP == "" {
			s.IP = visitorIP
		}
		if s.UserAgent == "" {
			s.UserAgent = visitorAgent
		}
	}
	if s.Named && in.Event.DeviceID == "" {
		in.Event.DeviceID = in.Event.ProfileID
	}
	s.Client, s.Reported, s.Named = false, false, false
	return in
}

func TestPostHogEventIsTheSameSentAndImported(t *testing.T) {
	sends := postHogSends(t)
	events := 0
	for name, body := range sends {
		lines, sentAt := keptByPostHog(t, body)
		sent, err := posthog.Protocol{}.Decode(&wire.Request{
			Route: wire.Route{Method: http.MethodPost, Path: "/batch"}, Body: body, IP: visitorIP, UserAgent: visitorAgent, Now: sentAt, Limits: wire.DefaultLimits(),
		})
		if err != nil || len(sent.Parts) != 1 {
			t.Fatal(name, err)
		}
		var live []weir.Incoming
		for _, in := range sent.Parts[0].Events {
			live = append(live, asStored(in, true))
		}
		records, err := readAll(t, "posthog", dump.Options{}, text("x", strings.Join(lines, "\n")))
		if err != nil {
			t.Fatal(name, err)
		}
		var imported []weir.Incoming
		for _, in := range nativeAt(t, records, sentAt) {
			imported = append(imported, asStored(in, false))
		}
		events += len(live)
		if diff := cmp.Diff(live, imported, cmpopts.IgnoreFields(weir.Incoming{}, "Index"), cmp.Comparer(sameJSON)); diff != "" {
			t.Errorf("%s (-sent +imported):\n%s", name, diff)
		}
	}
	if len(sends) < 4 || events < 20 {
		t.Errorf("only %d events of %d requests were compared", events, len(sends))
	}
}

func sameJSON(a, b json.RawMessage) bool {
	if len(a) == 0 || len(b) == 0 {
		return len(a) == len(b)
	}
	var x, y any
	return json.Unmarshal(a, &x) == nil && json.Unmarshal(b, &y) == nil && reflect.DeepEqual(x, y)
}
