package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/weir-analytics/weir/internal/meta"
)

// stored returns a project's events as the API shows them, by id, without when they came.
func (w *exportWorld) stored(project string) map[string]any {
	w.t.Helper()
	var answer struct{ Events []map[string]any }
	w.get("/api/v1/projects/"+project+"/events?limit=100", &answer)
	out := map[string]any{}
	for _, e := range answer.Events {
		delete(e, "received_at")
		id, _ := e["id"].(string)
		out[id] = e
	}
	return out
}

func TestAnEventThatWasSentToPostHogIsStoredAsIfItHadBeenSentToWeir(t *testing.T) {
	w := newExportWorld(t)
	live, key, err := w.meta.CreateProject(t.Context(), meta.NewProject{Name: "live"})
	if err != nil {
		t.Fatal(err)
	}
	const agent = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0" // as call has it
	at := w.clock().UTC().Add(-time.Hour).Format(time.RFC3339Nano)
	web := `"$lib":"web","$lib_version":"1.430.0","$device_id":"d","$session_id":"s","$browser":"Firefox","$os":"Linux","$device_type":"Desktop","$screen_width":800,"$screen_height":600,` +
		`"$raw_user_agent":"` + agent + `","$current_url":"https://shop.example/p?utm_source=news","$referrer":"https://www.example.org/","$browser_language":"en-US","gclid":null,"token":"x",`
	events := []string{
		`{"uuid":"u1","event":"$pageview","distinct_id":"d","timestamp":"` + at + `","properties":{` + web + `"$is_identified":false,"title":"P"}}`,
		`{"uuid":"u2","event":"$identify","distinct_id":"ada","timestamp":"` + at + `","properties":{` + web + `"$is_identified":true,"$anon_distinct_id":"d","$set":{"plan":"pro"}}}`,
		`{"uuid":"u3","event":"order","distinct_id":"ada","timestamp":"` + at + `","properties":{` + web + `"$is_identified":true,"revenue":"49.9","currency":"eur","items":[{"n":1}]}}`,
		`{"uuid":"u4","event":"paid","distinct_id":"ada","timestamp":"` + at + `","properties":{"$lib":"posthog-node","$os":"Linux","$set":{"paying":true}}}`,
		`{"uuid":"u5","event":"$pageleave","distinct_id":"ada","timestamp":"` + at + `","properties":{` + web + `"$is_identified":true}}`,
	}
	w.call("POST", "/batch", "", []byte(`{"api_key":"`+key+`","batch":[`+strings.Join(events, ",")+`]}`), nil)

	var lines []string
	for _, e := range events {
		lines = append(lines, strings.Replace(e, `"properties":{`, `"team_id":1,"properties":{"$ip":"127.0.0.1","$plugins_succeeded":[],`, 1))
	}
	file := filepath.Join(t.TempDir(), "events.jsonl")
	if err := os.WriteFile(file, []byte(strings.Join(lines, "\n")), 0o600); err != nil {
		t.Fatal(err)
	}
	if rep, err := w.run("posthog", file).do(t); err != nil || rep.Accepted != 6 {
		t.Fatalf("%d events are accepted, error %v", rep.Accepted, err)
	}
	sent, imported := w.stored(live.ID), w.stored(w.project)
	for id, e := range imported {
		of, ok := e.(map[string]any)
		if !ok || of["import_id"] == nil {
			t.Errorf("%s does not say which import brought it: %v", id, e)
			continue
		}
		delete(of, "import_id")
	}
	if len(sent) != 6 {
		t.Errorf("%d events were stored: %v", len(sent), sent)
	}
	if diff := cmp.Diff(sent, imported); diff != "" {
		t.Errorf("(-sent +imported):\n%s", diff)
	}
}
