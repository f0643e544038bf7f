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
	"github.com/weir-analytics/weir/internal/importer"
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

// exportFiles returns files of package dump's tests.
func exportFiles(vendor string, names ...string) []string {
	var out []string
	for _, n := range names {
		out = append(out, filepath.Join("..", "..", "internal", "dump", "testdata", vendor, n))
	}
	return out
}

// run returns an import into the world's project.
func (w *exportWorld) run(from string, files ...string) *importRun {
	r := newImportRun(w.url, files...)
	r.Options.Key, r.Options.From = w.key, from
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

func (w *exportWorld) facts(rep importer.Report) exportFacts {
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
		{"posthog", []string{"events.jsonl"}, exportFacts{Records: 13, Events: 13, LeftOut: 1, Views: 5, Visitors: 3, Revenue: 149.75}},
		{"openpanel", []string{"events.jsonl"}, exportFacts{Records: 7, Events: 5, LeftOut: 2, Views: 3, Visitors: 2, Revenue: 29.9}},
		{"plausible", []string{"events.csv"}, exportFacts{Records: 6, Events: 6, Views: 3, Visitors: 2, Revenue: 20}},
		{
			"umami",
			[]string{"website_event.csv", "session_data.csv", "event_data.csv"},
			exportFacts{Records: 7, Events: 5, LeftOut: 2, Views: 3, Visitors: 2, Revenue: 19.99},
		},
		{"ga4", []string{"events.jsonl"}, exportFacts{Records: 7, Events: 7, Views: 2, Visitors: 2, Revenue: 1499.5}},
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

// manyViews returns n lines of PostHog's, each a page view of one of 100 visitors.
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
	first.Client = &http.Client{Transport: roundTripper(func(r *http.Request) (*http.Response, error) {
		if requests++; requests == 2 {
			kill() // while the second request is under way
		}
		return http.DefaultTransport.RoundTrip(r)
	})}
	if err := first.Run(ctx); err == nil || !strings.Contains(err.Error(), "import the same files again") {
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

func TestAnExportFromStandardInput(t *testing.T) {
	w := newExportWorld(t)
	run := w.run("posthog", "-")
	run.Stdin = bytes.NewReader(manyViews(3))
	rep, err := run.do(t)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([5]int{3, 3, 0, 0, 0}, counts(rep)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}
