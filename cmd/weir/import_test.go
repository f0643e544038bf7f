package main

import (
	"bytes"
	"context"
	"encoding/json"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/alecthomas/kong"
	"github.com/google/go-cmp/cmp"
	"github.com/weir-analytics/weir/internal/importer"
)

// importRun is an importer that speaks to a real server, and has output of its own.
type importRun struct {
	importer.Importer
	out, errs bytes.Buffer
}

// do runs the import and returns its report.
func (r *importRun) do(t *testing.T) (importer.Report, error) {
	t.Helper()
	err := r.Run(t.Context())
	var rep importer.Report
	if r.out.Len() > 0 {
		if jsonErr := json.Unmarshal(r.out.Bytes(), &rep); jsonErr != nil {
			t.Fatalf("report is not JSON: %v\n%s", jsonErr, r.out.String())
		}
	}
	return rep, err
}

func newImportRun(url string, files ...string) *importRun {
	r := &importRun{}
	now := time.Date(2026, 7, 1, 12, 0, 0, 0, time.UTC)
	r.Importer = importer.Importer{
		Options: importer.Options{Files: files, URL: url, Key: "KEY", Format: "combined", RetryFor: time.Minute, JSON: true},
		Client:  http.DefaultClient,
		Clock:   func() time.Time { return now },
		Wait: func(ctx context.Context, d time.Duration) error {
			now = now.Add(d)
			return ctx.Err()
		},
		Stdin: strings.NewReader(""), Stdout: &r.out, Stderr: &r.errs,
	}
	return r
}

// counts returns the part of a report that most tests are about.
func counts(r importer.Report) [5]int {
	return [5]int{r.Lines, r.Accepted, r.Duplicates, r.Rejected, r.Unsent}
}

func writeLog(t *testing.T, name string, content []byte) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, content, 0o644); err != nil {
		t.Fatal(err)
	}
	return path
}

// roundTripper is an http.RoundTripper.
type roundTripper func(*http.Request) (*http.Response, error)

func (f roundTripper) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

func TestImportIsAKongCommand(t *testing.T) {
	var cli struct {
		Import importCmd `cmd:"" help:"Import access logs."`
	}
	p, err := kong.New(&cli, kong.Name("weir"), kong.Exit(func(int) {}))
	if err != nil {
		t.Fatal(err)
	}
	t.Setenv("WEIR_KEY", "FROM_ENV")
	if _, err := p.Parse([]string{"import", "--format", "json", "--map", "ts=time,path=url", "--retry-for", "30s", "a", "-"}); err != nil {
		t.Fatal(err)
	}
	want := importCmd{
		Files: []string{"a", "-"}, URL: "http://127.0.0.1:8080", Key: "FROM_ENV", Format: "json",
		Map: "ts=time,path=url", Timezone: "UTC", RetryFor: 30 * time.Second,
	}
	if diff := cmp.Diff(want, cli.Import); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}
