package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/alecthomas/kong"
	"github.com/google/go-cmp/cmp"
	"github.com/weir-analytics/weir/bench"
)

func newBenchCmd(url string) *benchCmd {
	return &benchCmd{URL: url, Key: "KEY", Duration: 50 * time.Millisecond, Connections: 2, Batch: 5, Devices: 10}
}

// benchServer takes every event.
func benchServer(t *testing.T) *httptest.Server {
	t.Helper()
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		fmt.Fprint(w, `{"accepted":5,"duplicates":0,"rejected":[]}`)
	}))
	t.Cleanup(s.Close)
	return s
}

func TestBenchReportsAsTextAndAsJSON(t *testing.T) {
	cmd := newBenchCmd(benchServer(t).URL)
	var text, out bytes.Buffer
	if err := cmd.Run(t.Context(), &text); err != nil {
		t.Fatal(err)
	}
	if !strings.HasPrefix(text.String(), "load          closed loop, 2 connections, 5 events a request") {
		t.Errorf("text is %s", text.String())
	}
	cmd.JSON = true
	if err := cmd.Run(t.Context(), &out); err != nil {
		t.Fatal(err)
	}
	var rep bench.Report
	if err := json.Unmarshal(out.Bytes(), &rep); err != nil {
		t.Fatal(err)
	}
	if rep.Accepted == 0 || rep.Accepted != 5*rep.Requests {
		t.Errorf("%d accepted in %d requests", rep.Accepted, rep.Requests)
	}
}

func TestBenchSaysWhatShareOfABareHandlersRateTheServerHas(t *testing.T) {
	t.Setenv(childEnv, "1") // makes the child, which is this program, a weir
	cmd := newBenchCmd(benchServer(t).URL)
	cmd.JSON, cmd.Bare = true, true
	var out bytes.Buffer
	if err := cmd.Run(t.Context(), &out); err != nil {
		t.Fatal(err)
	}
	var rep bench.Report
	if err := json.Unmarshal(out.Bytes(), &rep); err != nil {
		t.Fatal(err)
	}
	if b := rep.Bare; b == nil || b.AcceptedPerSecond <= 0 || b.Share != rep.AcceptedPerSecond/b.AcceptedPerSecond {
		t.Errorf("%+v of %.0f/s", b, rep.AcceptedPerSecond)
	}
}

func TestBenchLoadsAnotherMachineOnlyWhenToldTo(t *testing.T) {
	cmd := newBenchCmd("http://weir.invalid:8080")
	if err := cmd.Run(t.Context(), io.Discard); err == nil || !strings.Contains(err.Error(), "add --yes") {
		t.Errorf("error is %v", err)
	}
	cmd.Yes = true
	if err := cmd.Run(t.Context(), io.Discard); err == nil || strings.Contains(err.Error(), "add --yes") {
		t.Errorf("with --yes, error is %v, want that the host is unknown", err)
	}
}

func TestBenchNeedsAKey(t *testing.T) {
	cmd := newBenchCmd("http://127.0.0.1:1")
	cmd.Key = ""
	if err := cmd.Run(t.Context(), io.Discard); err == nil || !strings.Contains(err.Error(), "--key is missing") {
		t.Errorf("error is %v", err)
	}
}

func TestBenchIsAKongCommand(t *testing.T) {
	var cli struct {
		Bench benchCmd `cmd:"" help:"Load a server and measure."`
	}
	p, err := kong.New(&cli, kong.Name("weir"), kong.Exit(func(int) {}))
	if err != nil {
		t.Fatal(err)
	}
	t.Setenv("WEIR_TOKEN", "FROM_ENV")
	if _, err := p.Parse([]string{"bench", "--key", "K", "--rate", "500.5", "--duration", "10s"}); err != nil {
		t.Fatal(err)
	}
	want := benchCmd{
		URL: "http://127.0.0.1:8080", Key: "K", Token: "FROM_ENV", Duration: 10 * time.Second,
		Connections: 4, Batch: 100, Rate: 500.5, Devices: 10_000, Seed: 1,
	}
	if diff := cmp.Diff(want, cli.Bench); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}
