package main

import (
	"context"
	"encoding/json"
	"net/http"
	"strings"
	"testing"

	"github.com/weir-analytics/weir/internal/ingest"
)

// sent posts a body with events and returns the answer's status and itself.
func sent(t *testing.T, url, key, body string) (int, http.Header, string) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, url+"/v1/events", strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+key)
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	var b strings.Builder
	if err := resp.Write(&b); err != nil {
		t.Fatal(err)
	}
	return resp.StatusCode, resp.Header, b.String()
}

// A quota is set from the command line; what is over it is refused, and still
// counted after a restart.
func TestLimitsAreSetAndHeldAndOutliveTheServer(t *testing.T) {
	asAdmin(t, "the administrator's own secret")
	data := t.TempDir()
	first := serves(t, data, "--limit-ip", "1000/m")
	t.Setenv("WEIR_URL", first.url)
	made := weirs(t, "project", "create", "Shop", "--timezone", "Asia/Kolkata")
	project, key := field(t, made.out, "project"), field(t, made.out, "write key")
	set := weirs(t, "project", "set", project, "--quota", "3", "--over", "refuse", "--limit-key", "500/s", "--limit-ip", "off")
	for _, want := range []string{"3 events a month, then refuse", "500/s events", "any number of requests", "for ever"} {
		if set.status != 0 || !strings.Contains(set.out, want) {
			t.Errorf("set lacks %q: %+v", want, set)
		}
	}
	for _, args := range [][]string{
		{project}, {project, "--quota=-1"}, {project, "--over", "drop"}, {project, "--limit-key", "fast"}, {project, "--sample", "100"}, {"nothing", "--quota", "5"},
	} {
		if got := weirs(t, append([]string{"project", "set"}, args...)...); got.status == 0 || !oneLine(got.stderr) {
			t.Errorf("set %v: %+v", args, got)
		}
	}
	status, header, answer := sent(t, first.url, key, `[{"name":"a"},{"name":"b"},{"name":"c"}]`)
	if status != 200 || header.Get("RateLimit-Limit") != "500" {
		t.Fatalf("within the quota: %s", answer)
	}
	if status, header, answer = sent(t, first.url, key, `[{"name":"d"},{"name":"e"}]`); status != 429 || header.Get("Retry-After") == "" || !strings.Contains(answer, "quota_exceeded") {
		t.Fatalf("over the quota: %s", answer)
	}
	if got := first.stops(); got != 0 {
		t.Fatalf("ended with %d: %s", got, first.log)
	}

	second := serves(t, data)
	t.Setenv("WEIR_URL", second.url)
	if status, _, answer := sent(t, second.url, key, `{"name":"f"}`); status != 429 {
		t.Fatalf("after a restart: %s", answer)
	}
	var u ingest.Usage
	if err := json.Unmarshal([]byte(get(t, second.url+"/api/v1/projects/"+project+"/usage", "the administrator's own secret")), &u); err != nil {
		t.Fatal(err)
	}
	if u.Used != 3 || u.Quota != 3 || u.Refused != 3 || !u.UsedUp {
		t.Errorf("usage = %+v", u)
	}
	if set := weirs(t, "project", "set", project, "--quota", "0"); !strings.Contains(set.out, "quota                none") {
		t.Errorf("set: %+v", set)
	}
	if status, _, answer := sent(t, second.url, key, `{"name":"f"}`); status != 200 {
		t.Fatalf("without a quota: %s", answer)
	}
	metrics := get(t, second.url+"/metrics", "")
	for _, want := range []string{`weir_events_rejected_total{reason="quota_exceeded"} 1`, "weir_limiter_failures_total 0", "weir_query_cache_joined_total 0", "weir_query_cache_failures_total 0"} {
		if !strings.Contains(metrics, want) {
			t.Errorf("/metrics lacks %s", want)
		}
	}
	if got := second.stops(); got != 0 {
		t.Fatalf("ended with %d: %s", got, second.log)
	}
	var out strings.Builder
	if got := run(context.Background(), []string{"serve", "--limit-key", "fast", "--data", t.TempDir()}, &out, &out); got != 2 || !strings.Contains(out.String(), "limit") {
		t.Errorf("a limit that is none: %d, %s", got, out.String())
	}
}
