package main

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	weir "github.com/weir-analytics/weir"
)

// A server is asked for the report of yesterday, of which it was sent two calls, one
// of them with a name that a terminal would obey.
func TestReportsAreComputedPrintedAndScheduledFromTheCommandLine(t *testing.T) {
	asAdmin(t, "the administrator's own secret")
	s := serves(t, t.TempDir(), "--report-at", "off")
	made := weirs(t, "project", "create", "Shop", "--timezone", "Asia/Kolkata", "--url", s.url)
	fields := strings.Fields(made.out)
	project, key := fields[1], fields[len(fields)-1]
	loc, err := time.LoadLocation("Asia/Kolkata")
	if err != nil {
		t.Fatal(err)
	}
	yesterday := weir.DateOf(time.Now(), loc).Add(-1)
	noon := yesterday.Begin(loc).Add(12 * time.Hour).Format(time.RFC3339)
	body := fmt.Sprintf(`[{"name":"api_call","ts":%q,"call":{"route":"/a","status":200,"latency_ms":7}},
		{"name":"api_call","ts":%q,"call":{"route":"\u001b[2J","status":500,"latency_ms":9}}]`, noon, noon)
	req, err := http.NewRequestWithContext(t.Context(), "POST", s.url+"/v1/events", strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+key)
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	_ = res.Body.Close()
	if res.StatusCode != http.StatusOK {
		t.Fatal(res.Status)
	}
	says := func(want string, args ...string) string {
		t.Helper()
		got := weirs(t, append([]string{"report"}, append(args, "--url", s.url)...)...)
		if got.status != 0 || !strings.Contains(got.out, want) {
			t.Errorf("%v: %+v, want %q", args, got, want)
		}
		return got.out
	}
	refuses := func(want string, args ...string) {
		t.Helper()
		got := weirs(t, append([]string{"report"}, append(args, "--url", s.url)...)...)
		if got.status == 0 || !strings.Contains(got.stderr, want) {
			t.Errorf("%v: %+v, want %q", args, got, want)
		}
	}
	date := string(yesterday)
	refuses("there is no report", "show", project)
	refuses("there is no report", "show", project, "--date", date)
	refuses("is not over", "compute", project, "--date", string(yesterday.Add(1)))

	text := says("calls         2", "compute", project, "--date", date)
	for _, want := range []string{date + ", Asia/Kolkata, 24h; revision 1", "success rate  50.00 %", "mean 8.0, p50 8.0", "counters      agree", `"\x1b[2J"`} {
		if !strings.Contains(text, want) {
			t.Errorf("%q is not in\n%s", want, text)
		}
	}
	if shown := says("revision 1", "show", project); shown != text {
		t.Errorf("shown is\n%s\nafter\n%s", shown, text)
	}
	var a weir.Report
	if err := json.Unmarshal([]byte(says("", "show", project, "--date", date, "--format", "json")), &a); err != nil || a.Totals.Calls != 2 || a.Difference != nil {
		t.Errorf("%+v, %v", a, err)
	}
	long := string(yesterday.Add(-60))
	if rows := strings.Split(says("\r\n"+date+",", "show", project, "--from", long, "--to", date, "--format", "csv"), "\r\n"); len(rows) != 3 {
		t.Errorf("%q", rows)
	}
	says(",api,/a,1,", "show", project, "--from=-3d", "--format", "csv", "--by-api")

	says("at        off, the server's time\ntimezone  Asia/Kolkata\nnext      never\n", "schedule", project)
	says("at        02:30, the project's own time", "schedule", project, "--at", "02:30")
	says("at        02:30", "schedule", project)
	says("at        off, the server's time", "schedule", project, "--at", "default")
	refuses("is not a time of day", "schedule", project, "--at", "2:30")
	if got := s.stops(); got != 0 {
		t.Fatalf("ended with %d: %s", got, s.log)
	}
}

// The schedule is the server's own: what was missed is there soon after the start.
func TestAServerCatchesUpWithReportsAndSaysSo(t *testing.T) {
	asAdmin(t, "the administrator's own secret")
	data := t.TempDir()
	first := serves(t, data, "--report-at", "off")
	made := strings.Fields(weirs(t, "project", "create", "Shop", "--url", first.url).out)
	at := time.Now().UTC().AddDate(0, 0, -3)
	req, err := http.NewRequestWithContext(t.Context(), "POST", first.url+"/v1/events", strings.NewReader(fmt.Sprintf(`{"name":"x","ts":%q}`, at.Format(time.RFC3339))))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+made[len(made)-1])
	if res, err := http.DefaultClient.Do(req); err != nil || res.StatusCode != http.StatusOK {
		t.Fatal(res, err)
	}
	if got := first.stops(); got != 0 {
		t.Fatalf("ended with %d: %s", got, first.log)
	}
	second := serves(t, data)
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	late := time.After(20 * time.Second)
	for {
		got := weirs(t, "report", "show", made[1], "--date", at.Format(time.DateOnly), "--url", second.url)
		if got.status == 0 {
			if !strings.Contains(got.out, "events        1") {
				t.Errorf("%+v", got)
			}
			break
		}
		select {
		case <-late:
			t.Fatalf("no report: %+v %s", got, second.log)
		case <-tick.C:
		}
	}
	if metrics := get(t, second.url+"/metrics", ""); !strings.Contains(metrics, "weir_reports_computed_total 1") || !strings.Contains(metrics, "weir_reports_failed_total 0") {
		t.Error("the report is not counted")
	}
	if got := second.stops(); got != 0 {
		t.Fatalf("ended with %d: %s", got, second.log)
	}
}

func TestATimeOfReportsThatIsNoneIsRefusedBeforeAnythingIsMade(t *testing.T) {
	got := weirs(t, "serve", "--listen", "127.0.0.1:0", "--data", t.TempDir(), "--report-at", "1 am")
	if got.status != 2 || !strings.Contains(got.stderr, "--report-at") {
		t.Errorf("%+v", got)
	}
}
