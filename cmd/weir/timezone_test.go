package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// Two projects get the same events. One has the timezone from the start, the other changes to it.
func TestNumbersAfterAChangeOfTimezoneAreThoseOfAProjectThatAlwaysHadIt(t *testing.T) {
	const token, zone = "the administrator's own secret", "Asia/Kathmandu" // 5:45 ahead
	asAdmin(t, token)
	data := t.TempDir()
	server := serves(t, data)
	t.Setenv("WEIR_URL", server.url)
	var projects []string
	send := func(events string) {
		t.Helper()
		for i := range projects {
			resp, err := http.Post(server.url+"/v1/events?key="+strings.Fields(projects[i])[1], "application/json", strings.NewReader(events))
			if err != nil {
				t.Fatal(err)
			}
			_ = resp.Body.Close()
			if resp.StatusCode != http.StatusOK {
				t.Fatal(resp.Status)
			}
		}
	}
	for _, args := range [][]string{{"Moved", "--timezone", "America/New_York"}, {"Always", "--timezone", zone}} {
		made := weirs(t, append([]string{"project", "create"}, args...)...).out
		projects = append(projects, field(t, made, "project")+" "+field(t, made, "write key"))
	}
	moved, always := strings.Fields(projects[0])[0], strings.Fields(projects[1])[0]
	now := time.Now().UTC()
	var events []string
	for i := range 60 {
		at := now.Add(-time.Duration(i*i) * 13 * time.Minute) // up to 31 days
		event := fmt.Sprintf(`{"id":"e%d","name":"screen_view","path":"/p%d","device_id":"d%d","ts":%q}`, i, i%3, i%7, at.Format(time.RFC3339))
		if i%2 == 0 {
			event = fmt.Sprintf(`{"id":"e%d","name":"api_call","device_id":"d%d","ts":%q,"call":{"method":"GET","route":"/r%d","status":%d}}`, i, i%5, at.Format(time.RFC3339), i%4, 200+i%3*100)
		}
		events = append(events, event)
	}
	send("[" + strings.Join(events, ",") + "]")

	set := weirs(t, "project", "set", moved, "--timezone", zone)
	if set.status != 0 || !strings.Contains(set.out, "timezone             "+zone) {
		t.Fatalf("%+v", set)
	}
	if bad := weirs(t, "project", "set", moved, "--timezone", "Mars/Olympus"); bad.status == 0 || !oneLine(bad.stderr) {
		t.Errorf("%+v", bad)
	}
	send(`[{"id":"later","name":"screen_view","path":"/p0","device_id":"d9"}]`)
	until, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for state := ""; state != "complete"; {
		var p struct {
			Timezone string
			Counters struct {
				State   string
				Percent int
			}
		}
		if err := json.Unmarshal([]byte(get(t, server.url+"/api/v1/projects/"+moved, token)), &p); err != nil || p.Timezone != zone {
			t.Fatal(p, err)
		}
		if state = p.Counters.State; state == "rebuilding" && p.Counters.Percent > 99 {
			t.Fatalf("%+v", p)
		}
		select {
		case <-until.Done():
			t.Fatalf("%+v: %s", p, server.log)
		case <-tick.C:
		}
	}
	volatile := regexp.MustCompile(`"(as_of|elapsed_ms|to|from|cached)":("[^"]*"|[0-9]+|true|false),?`)
	answer := func(project, method, path, body string) string {
		t.Helper()
		req, err := http.NewRequestWithContext(t.Context(), method, server.url+"/api/v1/projects/"+project+path, bytes.NewReader([]byte(body)))
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Authorization", "Bearer "+token)
		req.Header.Set("Content-Type", "application/json")
		resp, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		defer resp.Body.Close()
		var out bytes.Buffer
		if _, err := out.ReadFrom(resp.Body); err != nil || resp.StatusCode != http.StatusOK {
			t.Fatalf("%s %s: %s %s %v", method, path, resp.Status, &out, err)
		}
		return volatile.ReplaceAllString(out.String(), "")
	}
	same := func() {
		t.Helper()
		for _, path := range []string{"/stats/overview", "/stats/trend?range=day", "/stats/trend?range=hour", "/stats/trend?range=day&by=api", "/usage"} {
			if d := cmp.Diff(answer(always, "GET", path, ""), answer(moved, "GET", path, "")); d != "" {
				t.Errorf("%s: always in the timezone (-), moved (+)\n%s", path, d)
			}
		}
		for _, question := range []string{
			`{"kind":"trend","from":"-20d/d","interval":"day","series":[{"event":"screen_view","math":"unique"}]}`,
			`{"kind":"pages","from":"-20d/d"}`, `{"kind":"growth","from":"-20d/d","interval":"day"}`,
		} {
			if d := cmp.Diff(answer(always, "POST", "/query", question), answer(moved, "POST", "/query", question)); d != "" {
				t.Errorf("%s: always in the timezone (-), moved (+)\n%s", question, d)
			}
		}
	}
	same()
	if got := server.stops(); got != 0 {
		t.Fatalf("ended with %d: %s", got, server.log)
	}
	server = serves(t, data)
	same()
}
