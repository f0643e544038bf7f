package main

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"
)

// One server takes events and the retention is set; the next one deletes at its
// start, as one that goes on does within the hour.
func TestEventsOlderThanTheRetentionVanishAndNewerStay(t *testing.T) {
	asAdmin(t, "the administrator's own secret")
	data := t.TempDir()
	first := serves(t, data)
	ok := func(args ...string) string {
		t.Helper()
		got := weirs(t, args...)
		if got.status != 0 || got.stderr != "" {
			t.Fatalf("%v: %+v", args, got)
		}
		return got.out
	}
	t.Setenv("WEIR_URL", first.url)
	names := func(url, project string) string {
		t.Helper()
		var list struct{ Events []struct{ Name string } }
		r := remote{URL: url, Token: "the administrator's own secret"}
		if err := r.call(t.Context(), http.MethodGet, "/api/v1/projects/"+project+"/events?from=-60d", nil, &list); err != nil {
			t.Fatal(err)
		}
		var out []string
		for _, e := range list.Events {
			out = append(out, e.Name)
		}
		return strings.Join(out, " ")
	}
	var projects []string
	for _, args := range [][]string{{"Short", "--retention-days", "30"}, {"Long"}} {
		made := ok(append([]string{"project", "create", "--timezone", "Asia/Tokyo"}, args...)...)
		project, key := field(t, made, "project"), field(t, made, "write key")
		projects = append(projects, project)
		now := time.Now().UTC()
		body := fmt.Sprintf(`[{"name":"old","ts":%q},{"name":"week","ts":%q},{"name":"new","ts":%q}]`,
			now.AddDate(0, 0, -40).Format(time.RFC3339), now.AddDate(0, 0, -8).Format(time.RFC3339), now.Format(time.RFC3339))
		resp, err := http.Post(first.url+"/v1/events?key="+key, "application/json", strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		_ = resp.Body.Close()
		if got := names(first.url, project); got != "new week old" {
			t.Fatalf("%s has %q", args[0], got)
		}
	}
	list := ok("project", "list")
	if !strings.Contains(list, "30 days") || !strings.Contains(list, "for ever") {
		t.Errorf("list: %s", list)
	}
	if set := ok("project", "set", projects[0], "--retention-days", "7"); !strings.Contains(set, "7 days") {
		t.Errorf("set: %s", set)
	}
	for _, args := range [][]string{{projects[0], "--retention-days=-1"}, {projects[0], "--retention-days", "40000"}, {"nothing", "--retention-days", "7"}} {
		if got := weirs(t, append([]string{"project", "set"}, args...)...); got.status != 1 || !oneLine(got.stderr) {
			t.Errorf("set %v: %+v", args, got)
		}
	}
	if got := first.stops(); got != 0 {
		t.Fatalf("ended with %d: %s", got, first.log)
	}

	second := serves(t, data)
	until, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for got := ""; got != "new"; {
		if got = names(second.url, projects[0]); got == "new" {
			break
		}
		select {
		case <-until.Done():
			t.Fatalf("events %q are left: %s", got, second.log)
		case <-tick.C:
		}
	}
	if got := names(second.url, projects[1]); got != "new week old" {
		t.Errorf("the other project has %q", got)
	}
	if metrics := get(t, second.url+"/metrics", ""); !strings.Contains(metrics, "weir_retention_failures_total 0") {
		t.Error("no failures are shown")
	}
	if got := second.stops(); got != 0 {
		t.Fatalf("ended with %d: %s", got, second.log)
	}
}
