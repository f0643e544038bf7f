package main

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	weir "github.com/weir-analytics/weir"
	"github.com/weir-analytics/weir/internal/clickhousetest"
	"github.com/weir-analytics/weir/internal/redistest"
)

// deleting is a server with a project, as far as a deletion changes it.
type deleting struct {
	t                        *testing.T
	url, token, project, key string
}

func (d *deleting) ask(method, path, token, body string, into any) {
	d.t.Helper()
	req, err := http.NewRequestWithContext(d.t.Context(), method, d.url+path, strings.NewReader(body))
	if err != nil {
		d.t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+token)
	req.Header.Set("Content-Type", "application/json")
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		d.t.Fatal(err)
	}
	defer res.Body.Close()
	raw, err := io.ReadAll(res.Body)
	if err != nil || res.StatusCode/100 != 2 {
		d.t.Fatalf("%s %s: %s %s %v", method, path, res.Status, raw, err)
	}
	if into != nil {
		if err := json.Unmarshal(raw, into); err != nil {
			d.t.Fatal(err)
		}
	}
}

// send sends three views and a call of a device, as an import or not. It returns how many were
// new.
func (d *deleting) send(device, imported string) int {
	d.t.Helper()
	var events []string
	for i, name := range []string{"screen_view", "screen_view", "screen_view", "api_call"} {
		call := ""
		if name == "api_call" {
			call = `,"method":"GET","route":"/v1/a","status":200`
		}
		events = append(events, fmt.Sprintf(`{"id":"%s-%d","name":%q,"device_id":%q,"path":"/p%d"%s}`, device, i, name, device, i, call))
	}
	var answer struct{ Accepted int }
	d.ask("POST", "/v1/events?import="+imported, d.key, "["+strings.Join(events, ",")+"]", &answer)
	return answer.Accepted
}

// numbers are what a deletion has to change: of the counters, and of stored events.
type numbers struct{ Counted, CountedVisitors, CountedCalls, Stored, Visitors, Visits, Views float64 }

func (d *deleting) numbers() (n numbers) {
	d.t.Helper()
	var stats struct {
		Today struct{ Events, Visitors, Calls float64 }
	}
	d.ask("GET", "/api/v1/projects/"+d.project+"/stats/overview", d.token, "", &stats)
	var trend struct{ Series []struct{ Total float64 } }
	d.ask("POST", "/api/v1/projects/"+d.project+"/query", d.token, `{"kind":"trend","from":"-2d","interval":"day","series":[{"math":"total"},{"math":"unique"}]}`, &trend)
	var pages struct {
		Totals struct{ Visits, Views float64 }
	}
	d.ask("POST", "/api/v1/projects/"+d.project+"/query", d.token, `{"kind":"pages","from":"-2d"}`, &pages)
	for i, into := range []*float64{&n.Stored, &n.Visitors} {
		if i < len(trend.Series) {
			*into = trend.Series[i].Total
		}
	}
	n.Counted, n.CountedVisitors, n.CountedCalls = stats.Today.Events, stats.Today.Visitors, stats.Today.Calls
	n.Visits, n.Views = pages.Totals.Visits, pages.Totals.Views
	return n
}

func TestAnImportIsUndoneFromTheCommandLineAndImportedAgain(t *testing.T) {
	t.Run("embedded", func(t *testing.T) { testUndo(t) })
	if os.Getenv("WEIR_TEST_LONG") != "" {
		t.Run("Redis and ClickHouse", func(t *testing.T) {
			testUndo(t, "--hot", redistest.Start(t).URL(), "--cold", clickhousetest.Start(t).URL("weir"))
		})
	}
}

func testUndo(t *testing.T, stores ...string) {
	asAdmin(t, "the administrator's own secret")
	s := serves(t, t.TempDir(), stores...)
	made := strings.Fields(weirs(t, "project", "create", "Shop", "--url", s.url).out)
	d := &deleting{t, s.url, "the administrator's own secret", made[1], made[len(made)-1]}
	d.send("kept", "")
	before := d.numbers()
	if n := d.send("wrong", "march"); n != 4 {
		t.Fatalf("%d events are new, want 4", n)
	}
	both := d.numbers()
	if both.Stored != 8 || both.Visits != 2 {
		t.Fatalf("%+v", both)
	}
	if n := d.send("wrong", "march"); n != 0 {
		t.Fatalf("%d events are new the second time, want 0", n)
	}

	dry := weirs(t, "delete", "--project", d.project, "--import", "march", "--dry-run", "--url", s.url)
	if dry.status != 0 || !strings.Contains(dry.out, "events  4\nvisits  1\ndays    1\n") {
		t.Fatalf("%+v", dry)
	}
	if got := d.numbers(); got != both {
		t.Errorf("after a dry run %+v, want %+v", got, both)
	}
	said := weirs(t, "delete", "--project", d.project, "--import", "march", "--yes", "--json", "--url", s.url)
	var gone deletionAnswer
	if err := json.Unmarshal([]byte(said.out), &gone); err != nil || gone.State != "done" || gone.Events != 4 {
		t.Fatalf("%+v, %v", said, err)
	}
	if diff := cmp.Diff(before, d.numbers()); diff != "" {
		t.Errorf("without the import (-want +got):\n%s", diff)
	}
	if list := weirs(t, "delete", "--project", d.project, "--list", "--url", s.url); !strings.Contains(list.out, gone.ID) || !strings.Contains(list.out, "march") {
		t.Errorf("%+v", list)
	}
	if n := d.send("wrong", "again"); n != 4 {
		t.Errorf("%d events are new after the import was undone, want 4", n)
	}
	if diff := cmp.Diff(both, d.numbers()); diff != "" {
		t.Errorf("imported again (-want +got):\n%s", diff)
	}
	// An open visit with deleted events ends with what is left, and the next event begins another.
	d.ask("POST", "/v1/events?import=open", d.key, `[{"name":"screen_view","device_id":"kept","path":"/wrong"}]`, nil)
	if n := d.numbers(); n.Visits != both.Visits || n.Views != both.Views+1 {
		t.Errorf("with one more view in an open visit %+v", n)
	}
	weirs(t, "delete", "--project", d.project, "--import", "open", "--yes", "--url", s.url)
	if diff := cmp.Diff(both, d.numbers()); diff != "" {
		t.Errorf("without the view of an open visit (-want +got):\n%s", diff)
	}
	d.ask("POST", "/v1/events", d.key, `[{"name":"screen_view","device_id":"kept","path":"/next"}]`, nil)
	next := both
	next.Counted, next.Stored, next.Views, next.Visits = both.Counted+1, both.Stored+1, both.Views+1, both.Visits+1
	if diff := cmp.Diff(next, d.numbers()); diff != "" {
		t.Errorf("with the next view (-want +got):\n%s", diff)
	}
	if none := weirs(t, "delete", "--project", d.project, "--import", "march", "--yes", "--url", s.url); none.status != 0 || !strings.Contains(none.out, "events  0\n") {
		t.Errorf("%+v", none)
	}
	if all := weirs(t, "delete", "--project", d.project, "--yes", "--url", s.url); all.status == 0 {
		t.Errorf("everything is deleted without a word: %+v", all)
	}
}

// A deletion that a server began and did not end is ended by the next one.
func TestADeletionIsEndedAfterARestart(t *testing.T) {
	asAdmin(t, "the administrator's own secret")
	data := t.TempDir()
	s := serves(t, data)
	made := strings.Fields(weirs(t, "project", "create", "Shop", "--url", s.url).out)
	d := &deleting{t, s.url, "the administrator's own secret", made[1], made[len(made)-1]}
	d.send("kept", "")
	before := d.numbers()
	d.send("wrong", "march")
	d.send("also", "march")
	said := weirs(t, "delete", "--project", d.project, "--import", "march", "--yes", "--no-wait", "--json", "--url", s.url)
	if said.status != 0 {
		t.Fatalf("%+v", said)
	}
	s.stops()
	s = serves(t, data)
	d.url = s.url
	var gone deletionAnswer
	if err := json.Unmarshal([]byte(said.out), &gone); err != nil {
		t.Fatal(err)
	}
	for gone.State != "done" {
		d.ask("GET", "/api/v1/projects/"+d.project+"/deletions/"+gone.ID, d.token, "", &gone)
	}
	if diff := cmp.Diff(before, d.numbers()); diff != "" {
		t.Errorf("without the import (-want +got):\n%s", diff)
	}
}

func TestTestsOfAFilterAreRead(t *testing.T) {
	got, err := filterOf([]string{"name=sign up", "path!=/a=b", "properties.plan = pro", "status>499", "path~/blog"})
	want := weir.Filter{
		{Column: "name", Op: "=", Values: []string{"sign up"}},
		{Column: "path", Op: "!=", Values: []string{"/a=b"}},
		{Column: "properties.plan", Op: "=", Values: []string{"pro"}},
		{Column: "status", Op: ">", Values: []string{"499"}},
		{Column: "path", Op: "contains", Values: []string{"/blog"}},
	}
	if diff := cmp.Diff(want, got); diff != "" || err != nil {
		t.Errorf("%v (-want +got):\n%s", err, diff)
	}
	if _, err := filterOf([]string{"name"}); err == nil {
		t.Error("a test without an operator is read")
	}
}
