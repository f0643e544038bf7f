package e2e_test

import (
	"compress/gzip"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// sampleLog is the log that stands in the project, unpacked.
func sampleLog(t *testing.T) []byte {
	t.Helper()
	f, err := os.Open("../internal/demo/access.log.gz")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	z, err := gzip.NewReader(f)
	if err != nil {
		t.Fatal(err)
	}
	raw, err := io.ReadAll(z)
	if err != nil {
		t.Fatal(err)
	}
	return raw
}

type importReport struct {
	Lines, Accepted, Duplicates, Rejected int
	RejectedLines                         []struct{ Line int } `json:"rejected_lines"`
}

func (s *server) importLog(p project, path, file string) importReport {
	s.t.Helper()
	cmd := exec.Command(path, "import", "--url", s.url, "--key", p.Key, "--format", "combined", "--json", file)
	out, err := cmd.Output()
	if err != nil {
		s.t.Fatalf("import: %v\n%s", err, out)
	}
	var r importReport
	if err := json.Unmarshal(out, &r); err != nil {
		s.t.Fatalf("import: %v\n%s", err, out)
	}
	return r
}

// totals are the totals of the trend's series by breakdown, in its order.
func (s *server) totals(p project, q map[string]any) map[string]int {
	s.t.Helper()
	var tr trend
	s.query(p, q, &tr)
	got := map[string]int{}
	for _, series := range tr.Series {
		if series.Breakdown != nil {
			got[*series.Breakdown] = int(series.Total)
		}
	}
	return got
}

func (s *server) daily(p project, math string) (points []int, total int) {
	s.t.Helper()
	var tr trend
	s.query(p, map[string]any{
		"kind": "trend", "from": "2015-05-17", "to": "2015-05-20", "interval": "day", "series": []any{map[string]any{"math": math}},
	}, &tr)
	for _, pt := range tr.Series[0].Points {
		points = append(points, int(*pt.Value))
	}
	return points, int(tr.Series[0].Total)
}

func TestARealLogIsCountedRight(t *testing.T) {
	t.Parallel()
	path := binary(t, "")
	s := start(t, path, "--listen", "127.0.0.1:0", "--data", t.TempDir())
	p := s.project("UTC")
	raw := sampleLog(t)
	file := filepath.Join(t.TempDir(), "access.log")
	if err := os.WriteFile(file, raw, 0o600); err != nil {
		t.Fatal(err)
	}
	r := s.importLog(p, path, file)
	if r.Lines != 10000 || r.Accepted != 9999 || r.Duplicates != 0 || r.Rejected != 1 {
		t.Fatalf("%+v", r)
	}
	if len(r.RejectedLines) != 1 || r.RejectedLines[0].Line != 8899 {
		t.Fatalf("rejected %+v, want line 8899", r.RejectedLines)
	}

	points, total := s.daily(p, "total")
	if d := cmp.Diff([]int{1632, 2893, 2896, 2578}, points); d != "" || total != 9999 {
		t.Error("events", total, d)
	}
	points, total = s.daily(p, "unique")
	if d := cmp.Diff([]int{245, 490, 459, 396}, points); d != "" || total != 1501 {
		t.Error("visitors", total, d)
	}
	by := func(column string) map[string]int {
		return s.totals(p, map[string]any{
			"kind": "trend", "from": "2015-05-17", "to": "2015-05-20", "interval": "day", "breakdown": column, "limit": 50,
			"series": []any{map[string]any{"math": "total"}},
		})
	}
	status := by("status")
	if status["200"] != 9125 || status["404"] != 213 || status["500"] != 3 {
		t.Error("status", status)
	}
	paths := by("path")
	if paths["/favicon.ico"] != 807 {
		t.Error("paths", paths)
	}
	for path, n := range paths {
		if n > 807 && path != "other" {
			t.Errorf("%s has %d, more than the top", path, n)
		}
	}
	bots := by("bot")
	if bots["true"] == 0 || bots["true"]+bots["false"] != 9999 {
		t.Error("bots", bots)
	}

	if r := s.importLog(p, path, file); r.Accepted != 0 || r.Duplicates != 9999 {
		t.Errorf("imported again: %+v", r)
	}
	more := append(raw, []byte(`1.2.3.4 - - [20/May/2015:23:05:17 +0000] "GET /new HTTP/1.1" 200 5 "-" "Mozilla/5.0"`+"\n")...)
	if err := os.WriteFile(file, more, 0o600); err != nil {
		t.Fatal(err)
	}
	if r := s.importLog(p, path, file); r.Accepted != 1 || r.Duplicates != 9999 {
		t.Errorf("imported with a line more: %+v", r)
	}
	s.stop()
}

func TestAnEventIsSeenByTheQueryThatFollowsIt(t *testing.T) {
	t.Parallel()
	s := start(t, binary(t, ""), "--listen", "127.0.0.1:0", "--data", t.TempDir())
	p := s.project("Europe/Berlin")
	for i := range longer(300, 1000) {
		r := s.send(p, fmt.Sprintf(`{"name":"step","device_id":"d%d"}`, i%7))
		if r.Accepted != 1 {
			t.Fatalf("%+v", r)
		}
		acked := time.Now()
		until(t, "an answer has all that was acknowledged before, or says that it has not", func() bool {
			var tr trend
			s.query(p, map[string]any{
				"kind": "trend", "from": "-1d", "interval": "day", "series": []any{map[string]any{"event": "step", "math": "total"}},
			}, &tr)
			got := int(tr.Series[0].Total)
			if got != i+1 && !tr.AsOf.Before(acked) {
				t.Fatalf("stale: %d events sent, %d counted as of %v after the last one", i+1, got, tr.AsOf.Sub(acked))
			}
			return got == i+1 // a busy machine may not drain within the two seconds that a question waits
		})
	}
	s.stop()
}
