package main

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	weir "github.com/weir-analytics/weir"
	"github.com/weir-analytics/weir/internal/clickhousetest"
	"github.com/weir-analytics/weir/internal/cold"
	"github.com/weir-analytics/weir/internal/cold/duckdb"
)

// pastFile returns a DuckDB file with 3 days of 100 events of two projects each.
func pastFile(t *testing.T) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "cold.duckdb")
	s, err := duckdb.Open(path, duckdb.Options{Threads: 1})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	for day := range 3 {
		for shard, project := range []string{"shop", "blog"} {
			at := time.Date(2026, 3, 1+day, 12, 0, 0, 0, time.UTC)
			b := &cold.Batch{Token: fmt.Sprint("log-", shard, "-", day), Log: "log", Shard: shard, First: uint64(day*100 + 1), Last: uint64(day*100 + 100), Now: at}
			for i := range 100 {
				b.Events = append(b.Events, weir.EventRow{Shard: shard, Seq: b.First + uint64(i), Event: weir.Event{
					ID: fmt.Sprintf("%s-%d-%d", project, day, i), ProjectID: project, Name: "click", DeviceID: "d", Time: at, ReceivedAt: at,
				}})
			}
			b.Visits = []weir.VisitRow{{ProjectID: project, DeviceID: "d", SessionID: fmt.Sprint(day), Sign: 1, Version: 1, Start: at, End: at, Events: 100}}
			if err := s.Write(t.Context(), b); err != nil {
				t.Fatal(err)
			}
		}
	}
	return path
}

func TestMigrateCopiesThereAndBackAndSaysSo(t *testing.T) {
	there := clickhousetest.Start(t).URL("weir")
	from, back := "duckdb:"+pastFile(t), "duckdb:"+filepath.Join(t.TempDir(), "back.duckdb")
	for _, way := range [][2]string{{from, there}, {there, back}} {
		got := weirs(t, "migrate", "--from", way[0], "--to", way[1])
		if got.status != 0 || !strings.Contains(got.out, "600 events, 6 visits, 0 links, 0 changes of traits and 0 dead letters, of 2 projects on 6 days, are there\n") {
			t.Fatalf("%v: %+v", way, got)
		}
		if !strings.Contains(got.stderr, "shop 2026-03-01  606 of 606 rows  100.0 %  ") {
			t.Errorf("%v: progress is %q", way, got.stderr)
		}
	}
	if got := weirs(t, "migrate", "--from", from, "--to", back, "--project", "shop"); got.status != 0 || !strings.Contains(got.out, "300 events") {
		t.Errorf("one project, to where it is: %+v", got)
	}
	if got := weirs(t, "migrate", "--from", from, "--to", back, "--project", "shop"); got.status != 0 || !strings.Contains(got.out, "3 of these days were finished by an earlier run") {
		t.Errorf("again: %+v", got)
	}
}

func TestMigrateSaysWhatDiffersAndFails(t *testing.T) {
	from, to := pastFile(t), pastFile(t)
	s, err := duckdb.Open(to, duckdb.Options{Threads: 1})
	if err != nil {
		t.Fatal(err)
	}
	rows, err := s.Query(t.Context(), "UPDATE events SET title = 'other' WHERE id = 'shop-1-42'")
	if err != nil {
		t.Fatal(err)
	}
	rows.Close()
	s.Close()
	got := weirs(t, "migrate", "--from", "duckdb:"+from, "--to", "duckdb:"+to)
	if got.status != 1 || got.out != "" || !strings.Contains(got.stderr, "project shop, 2026-03-01 to 2026-03-03, events: 1 with other values: shop-1-42\n") ||
		!strings.Contains(got.stderr, "weir: migrate: transfer: the destination is not what the source is") {
		t.Errorf("%+v", got)
	}
}

func TestMigrateThatIsInterruptedSaysHowItGoesOn(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	var out, stderr bytes.Buffer
	args := []string{"migrate", "--from", "duckdb:" + pastFile(t), "--to", "duckdb:" + filepath.Join(t.TempDir(), "to.duckdb")}
	if status := run(ctx, args, &out, &stderr); status != 1 || stderr.String() != "weir: migrate: stopped; the same command goes on where this one was\n" {
		t.Errorf("%d %q", status, stderr.String())
	}
}

func TestMigrateThatCannotBeginSaysWhyInOneLine(t *testing.T) {
	from, to := "duckdb:"+pastFile(t), "duckdb:"+filepath.Join(t.TempDir(), "to.duckdb")
	const password = "0123456789abcdef"
	for name, c := range map[string]struct {
		from, to string
		more     []string
		want     string
	}{
		"no such file":         {"duckdb:" + filepath.Join(t.TempDir(), "none.duckdb"), to, nil, "none.duckdb"},
		"another kind":         {"mysql://u:" + password + "@h/d", to, nil, "--from: want duckdb:FILE or clickhouse://"},
		"a slip in the scheme": {from, "clickhous://u:" + password + "@h/d", nil, "--to: want duckdb:FILE or clickhouse://"},
		"an unknown option":    {from, "clickhouse://u:" + password + "@h/d?clutser=x", nil, "clutser"},
		"no place":             {from, "duckdb:", nil, "--to"},
		"to itself":            {from, from, nil, "the same"},
		"to itself, further":   {"clickhouse://h/d", "clickhouse://u:" + password + "@h/d", nil, "the same"},
		"an unknown project":   {from, to, []string{"--project", "shop", "--project", "nope"}, "nope"},
	} {
		got := weirs(t, append([]string{"migrate", "--from", c.from, "--to", c.to}, c.more...)...)
		status := 2
		if name == "an unknown project" {
			status = 1
		}
		if got.status != status || got.out != "" || !oneLine(got.stderr) || !strings.Contains(got.stderr, c.want) || strings.Contains(got.stderr, password) {
			t.Errorf("%s: %+v", name, got)
		}
	}
}

// holdEnv makes a test process that holds a file open until its input ends.
const holdEnv = "WEIR_TEST_HOLD"

func TestMigrateOfAFileThatAServerHoldsSaysToStopIt(t *testing.T) {
	if path := os.Getenv(holdEnv); path != "" {
		s, err := duckdb.Open(path, duckdb.Options{Threads: 1})
		if err != nil {
			t.Fatal(err)
		}
		defer s.Close()
		fmt.Fprintln(os.Stdout, "open")
		_, _ = io.Copy(io.Discard, os.Stdin)
		return
	}
	path := pastFile(t)
	server := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^"+t.Name()+"$")
	server.Env = append(os.Environ(), holdEnv+"="+path)
	in, err := server.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := server.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := server.Start(); err != nil {
		t.Fatal(err)
	}
	for lines := bufio.NewScanner(out); lines.Scan() && lines.Text() != "open"; {
	}
	to := "duckdb:" + filepath.Join(t.TempDir(), "to.duckdb")
	got := weirs(t, "migrate", "--from", "duckdb:"+path, "--to", to)
	if got.status != 1 || !oneLine(got.stderr) || !strings.Contains(got.stderr, "stop it") || !strings.Contains(got.stderr, path) {
		t.Errorf("%+v", got)
	}
	in.Close()
	_ = server.Wait() // what matters is that the file is free
	if got := weirs(t, "migrate", "--from", "duckdb:"+path, "--to", to); got.status != 0 {
		t.Errorf("when it is free: %+v", got)
	}
}
