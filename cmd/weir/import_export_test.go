package main

import (
	"encoding/json"
	"net/http"
	"path/filepath"
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
