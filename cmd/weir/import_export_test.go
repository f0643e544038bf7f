package main

import (
	"archive/zip"
	"bytes"
	"compress/gzip"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/weir-analytics/weir/internal/meta"
)

// exportWorld is a whole server with a project that exports are imported into.
type exportWorld struct {
	*replayWorld
	project, key string
}

func newExportWorld(t *testing.T) *exportWorld {
	t.Helper()
	w := &exportWorld{replayWorld: newReplayWorld(t, embedded)}
	p, key, err := w.meta.CreateProject(t.Context(), meta.NewProject{Name: "shop"})
	if err != nil {
		t.Fatal(err)
	}
	w.project, w.key = p.ID, key
	return w
}

// exportFiles are files of package dump's tests.
func exportFiles(vendor string, names ...string) []string {
	var out []string
	for _, n := range names {
		out = append(out, filepath.Join("..", "..", "internal", "dump", "testdata", vendor, n))
	}
	return out
}

// run is an import into the world's project.
func (w *exportWorld) run(from string, files ...string) *importRun {
	r := newImportRun(w.url, files...)
	r.cmd.Key, r.cmd.From = w.key, from
	r.client = http.DefaultClient
	return r
}

// total asks for one number of a trend.
func (w *exportWorld) total(event, math, property string) float64 {
	w.t.Helper()
	series := map[string]any{"event": event, "math": math}
	if property != "" {
		series["property"] = property
	}
	body, err := json.Marshal(map[string]any{"kind": "trend", "from": "2000-01-01", "to": "2026-12-31", "interval": "month", "series": []any{series}})
	if err != nil {
		w.t.Fatal(err)
	}
	var answer struct {
		Series []struct {
			Total *float64 `json:"total"`
		} `json:"series"`
	}
	w.call("POST", "/api/v1/projects/"+w.project+"/query", w.admin, body, &answer)
	if len(answer.Series) != 1 || answer.Series[0].Total == nil {
		return 0
	}
	return *answer.Series[0].Total
}

// exportFacts are what a file says, counted by hand.
type exportFacts struct {
	Records, Events, LeftOut int
	Views, Visitors          float64 // screen views, and who saw them
	Revenue                  float64
}

func (w *exportWorld) facts(rep importReport) exportFacts {
	left := 0
	for _, n := range rep.LeftOut {
		left += n
	}
	return exportFacts{
		Records: rep.Lines, Events: rep.Accepted, LeftOut: left,
		Views: w.total("screen_view", "total", ""), Visitors: w.total("screen_view", "unique", ""), Revenue: w.total("", "sum", "revenue"),
	}
}

func TestImportedExportsCountWhatTheirFilesSay(t *testing.T) {
	for _, c := range []struct {
		vendor string
		files  []string
		want   exportFacts
	}{
		{"posthog", []string{"events.jsonl"}, exportFacts{Records: 13, Events: 13, LeftOut: 1, Views: 5, Visitors: 4, Revenue: 149.75}},
		{"openpanel", []string{"events.jsonl"}, exportFacts{Records: 7, Events: 5, LeftOut: 2, Views: 3, Visitors: 2, Revenue: 29.9}},
		{"plausible", []string{"events.csv"}, exportFacts{Records: 6, Events: 6, Views: 3, Visitors: 2, Revenue: 20}},
		{
			"umami",
			[]string{"website_event.csv", "session_data.csv", "event_data.csv"},
			exportFacts{Records: 7, Events: 5, LeftOut: 2, Views: 3, Visitors: 2, Revenue: 19.99},
		},
		{"ga4", []string{"events.jsonl"}, exportFacts{Records: 7, Events: 5, LeftOut: 2, Views: 2, Visitors: 2, Revenue: 1499.5}},
		{"matomo", []string{"visits.json"}, exportFacts{Records: 3, Events: 10, LeftOut: 1, Views: 3, Visitors: 2, Revenue: 59.9}},
	} {
		t.Run(c.vendor, func(t *testing.T) {
			w := newExportWorld(t)
			files := exportFiles(c.vendor, c.files...)
			rep, err := w.run(c.vendor, files...).do(t)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(c.want, w.facts(rep)); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
			if rep.Rejected != 0 {
				t.Errorf("rejected: %v", rep.RejectedLines)
			}
			again, err := w.run(c.vendor, files...).do(t)
			if err != nil {
				t.Fatal(err)
			}
			if again.Accepted != 0 || again.Duplicates != c.want.Events {
				t.Errorf("a second time %d are accepted and %d duplicates, want 0 and %d", again.Accepted, again.Duplicates, c.want.Events)
			}
			if got := w.total("screen_view", "total", ""); got != c.want.Views {
				t.Errorf("%v screen views after the second import, want %v", got, c.want.Views)
			}
		})
	}
}

// zipOf packs files into an archive, beside what archives have that is no export.
func zipOf(t *testing.T, files []string) string {
	t.Helper()
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	add := func(name string, content []byte) {
		w, err := z.Create(name)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := w.Write(content); err != nil {
			t.Fatal(err)
		}
	}
	add("export/", nil)
	add("__MACOSX/export/._website_event.csv", []byte("\x00\x05"))
	for _, f := range files {
		content, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		add("export/"+filepath.Base(f), content)
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return writeLog(t, "export.zip", b.Bytes())
}

func TestAnExportIsReadFromItsArchive(t *testing.T) {
	w := newExportWorld(t)
	files := exportFiles("umami", "website_event.csv", "event_data.csv", "session_data.csv")
	rep, err := w.run("umami", zipOf(t, files)).do(t)
	if err != nil {
		t.Fatal(err)
	}
	want := exportFacts{Records: 7, Events: 5, LeftOut: 2, Views: 3, Visitors: 2, Revenue: 19.99}
	if diff := cmp.Diff(want, w.facts(rep)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	again, err := w.run("umami", files...).do(t) // the same events, from plain files
	if err != nil {
		t.Fatal(err)
	}
	// The trait of session_data has no id of its own, but one of its file, which is
	// the same.
	if again.Accepted != 0 || again.Duplicates != 5 {
		t.Errorf("from plain files %d are accepted and %d duplicates, want 0 and 5", again.Accepted, again.Duplicates)
	}
}

// manyViews are n lines of PostHog's, each a page view of one of 100 visitors.
func manyViews(n int) []byte {
	var b bytes.Buffer
	for i := range n {
		fmt.Fprintf(&b, `{"uuid":"0190c0de-0000-7000-8000-%012d","event":"$pageview","distinct_id":"d%d","timestamp":"2026-03-02T09:%02d:%02dZ",`+
			`"properties":{"$device_id":"d%d","$current_url":"https://shop.example.com/%d","$lib":"web"}}`+"\n", i, i%100, i/60%60, i%60, i%100, i)
	}
	return b.Bytes()
}

func TestAnImportThatWasKilledGoesOnWhenItIsRunAgain(t *testing.T) {
	w := newExportWorld(t)
	var packed bytes.Buffer
	z := gzip.NewWriter(&packed)
	if _, err := z.Write(manyViews(3500)); err != nil {
		t.Fatal(err)
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	file := writeLog(t, "events.jsonl.gz", packed.Bytes())

	ctx, kill := context.WithCancel(t.Context())
	defer kill()
	first := w.run("posthog", file)
	requests := 0
	first.client = &http.Client{Transport: roundTripper(func(r *http.Request) (*http.Response, error) {
		if requests++; requests == 2 {
			kill() // while the second request is under way
		}
		return http.DefaultTransport.RoundTrip(r)
	})}
	if err := first.importer.run(ctx); err == nil || !strings.Contains(err.Error(), "import the same files again") {
		t.Fatalf("error is %v", err)
	}
	if got := w.total("screen_view", "total", ""); got != 2000 {
		t.Errorf("%v screen views after the first import, want those of two requests", got)
	}
	rep, err := w.run("posthog", file).do(t)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([5]int{3500, 1500, 2000, 0, 0}, counts(rep)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if views, visitors := w.total("screen_view", "total", ""), w.total("screen_view", "unique", ""); views != 3500 || visitors != 100 {
		t.Errorf("%v screen views of %v visitors", views, visitors)
	}
}

func TestABrokenRecordOfAnExportStopsNothing(t *testing.T) {
	w := newExportWorld(t)
	lines := strings.SplitAfter(string(manyViews(5)), "\n")
	lines[1] = "{\"uuid\":\"x\",\"event\"\n"
	lines[3] = `{"uuid":"y","event":"a","distinct_id":"d","timestamp":"yesterday","properties":{}}` + "\n"
	lines[4] = `{"uuid":"z","event":"a","distinct_id":"d","timestamp":"1999-12-31T00:00:00Z","properties":{}}` + "\n"
	file := writeLog(t, "events.jsonl", []byte(strings.Join(lines, "")))
	run := w.run("posthog", file)
	rep, err := run.do(t)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([5]int{5, 2, 0, 3, 0}, counts(rep)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	want := map[string]int{"the JSON breaks off": 1, "the time is none": 1, "the server rejected it: ts_ancient": 1}
	if diff := cmp.Diff(want, rep.Reasons); diff != "" {
		t.Errorf("reasons (-want +got):\n%s", diff)
	}
	for _, line := range []string{file + ":2: the JSON breaks off\n", file + ":4: the time is none\n", file + ":5: the server rejected it: ts_ancient: "} {
		if !strings.Contains(run.errs.String(), line) {
			t.Errorf("stderr has no %q: %s", line, run.errs.String())
		}
	}
}

func TestAnExportOfAnotherToolIsTold(t *testing.T) {
	for _, c := range []struct {
		from string
		file string
		want string
	}{
		{"posthog", exportFiles("umami", "website_event.csv")[0], "looks like one of umami: use --from umami"},
		{"ga4", exportFiles("plausible", "events.jsonl")[0], "looks like one of plausible: use --from plausible"},
		{"matomo", exportFiles("ga4", "events.jsonl")[0], "looks like one of ga4: use --from ga4"},
		{"openpanel", exportFiles("posthog", "events.jsonl")[0], "looks like one of posthog: use --from posthog"},
		{"plausible", exportFiles("plausible", "imported_visitors_20230209_20240123.csv")[0], "imported_visitors_20230209_20240123.csv: these are daily totals"},
		{"plausible", exportFiles("plausible", "imported_custom_events_20230209_20240123.csv")[0], "Export the table events_v2"},
		{"umami", writeLog(t, "x.csv", []byte("a,b\n1,2\n")), "want its table website_event"},
		{"posthog", writeLog(t, "x.jsonl", []byte("")), "the file is empty"},
		{"posthog", writeLog(t, "x.parquet", []byte("PAR1\x15\x00\x15")), "neither JSON nor CSV"},
	} {
		server := newFakeServer(t)
		run := newImportRun(server.URL, c.file)
		run.cmd.From = c.from
		if _, err := run.do(t); err == nil || !strings.Contains(err.Error(), c.want) || !strings.Contains(err.Error(), c.file) {
			t.Errorf("%s from %s: error is %v, want %q", c.file, c.from, err, c.want)
		}
		if server.requests != 0 {
			t.Errorf("%s: something was sent", c.file)
		}
	}
}

func TestADryRunOfAnExportSendsNothing(t *testing.T) {
	server := newFakeServer(t)
	run := newImportRun(server.URL, exportFiles("matomo", "visits.json")...)
	run.cmd.From, run.cmd.DryRun, run.cmd.Key, run.cmd.JSON = "matomo", true, "", false
	if err := run.run(t.Context()); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		"3 records in ", "10 could be read (nothing was sent)", "0 rejected", "from 2026-03-02T10:00:00Z to 2026-03-02T11:00:00Z",
		"left out:\n         1 visits without actions\n", "events by name:\n         3 screen_view\n",
	} {
		if !strings.Contains(run.out.String(), want) {
			t.Errorf("the report has no %q:\n%s", want, run.out.String())
		}
	}
	if server.requests != 0 {
		t.Errorf("%d requests", server.requests)
	}
}

func TestFlagsThatDoNotGoWithAnExport(t *testing.T) {
	for want, change := range map[string]func(*importCmd){
		"is not one of posthog":      func(c *importCmd) { c.From = "mixpanel" },
		"goes with none of --follow": func(c *importCmd) { c.Follow = true },
		"--shift-to-now and --map":   func(c *importCmd) { c.ShiftToNow = true },
		"--timezone: unknown time":   func(c *importCmd) { c.Timezone = "Mars/Olympus" },
		"there is no file to be":     func(c *importCmd) { c.Files = []string{"there is no file to be"} },
		"the archive is empty":       func(c *importCmd) { c.Files = []string{zipOf(t, nil)} },
	} {
		run := newImportRun("http://127.0.0.1:1", exportFiles("posthog", "events.jsonl")...)
		run.cmd.From = "posthog"
		change(run.cmd)
		if err := run.run(t.Context()); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error is %v, want %q", err, want)
		}
	}
}

func TestAnExportFromStandardInput(t *testing.T) {
	w := newExportWorld(t)
	run := w.run("posthog", "-")
	run.stdin = bytes.NewReader(manyViews(3))
	rep, err := run.do(t)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([5]int{3, 3, 0, 0, 0}, counts(rep)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestTimesWithoutAZoneAreOfTheOneThatIsGiven(t *testing.T) {
	server := newFakeServer(t)
	run := newImportRun(server.URL, writeLog(t, "x.csv", []byte("event,distinct_id,timestamp\na,d,2026-07-01 12:00:00\nb,d,2026-07-01 12:00:00Z\n")))
	run.cmd.From, run.cmd.Timezone = "posthog", "Asia/Kolkata"
	if _, err := run.do(t); err != nil {
		t.Fatal(err)
	}
	if a, b := server.events[0].TS.Format("15:04"), server.events[1].TS.Format("15:04"); a != "06:30" || b != "12:00" {
		t.Errorf("times are %s and %s, want 06:30 and 12:00", a, b)
	}
}
