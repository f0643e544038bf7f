package main

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/weir-analytics/weir/internal/clickhousetest"
	"github.com/weir-analytics/weir/internal/cold"
	"github.com/weir-analytics/weir/internal/cold/duckdb"
)

// TestTheCommandsOfTheManualMoveThereAndBack runs the commands of docs/migrate.md as they
// stand there, with erasures in between.
func TestTheCommandsOfTheManualMoveThereAndBack(t *testing.T) {
	manual, err := os.ReadFile("../../docs/migrate.md")
	if err != nil {
		t.Fatal(err)
	}
	server := clickhousetest.Start(t)
	past, dir := pastFile(t), t.TempDir()
	place := strings.NewReplacer(
		"/var/lib/weir/cold.duckdb", past, "/var/lib/weir/", dir+"/",
		"clickhouse://10.0.0.7/weir", server.URL("weir"), "clickhouse://weir:PASSWORD@10.0.0.7/weir", server.URL("weir"),
	)
	var commands [][]string
	for _, m := range regexp.MustCompile(`(?m)^    ((?:WEIR_TO=\S+ )?)weir (migrate .*)$`).FindAllStringSubmatch(string(manual), -1) {
		args := strings.Fields(place.Replace(m[2]))
		if to, ok := strings.CutPrefix(strings.TrimSpace(m[1]), "WEIR_TO="); ok {
			args = append(args, "--to", place.Replace(to))
		}
		commands = append(commands, args)
	}
	if len(commands) != 3 {
		t.Fatalf("the manual has the commands %q", commands)
	}
	move := func(args []string, want string) {
		t.Helper()
		if got := weirs(t, args...); got.status != 0 || !strings.Contains(got.out, want) {
			t.Fatalf("%q: %+v", args, got)
		}
	}
	erase := func(path, project string) {
		t.Helper()
		s, err := duckdb.Open(path, duckdb.Options{Threads: 1})
		if err != nil {
			t.Fatal(err)
		}
		defer s.Close()
		if err := s.Erase(t.Context(), cold.Erasure{ProjectID: project, Devices: []string{"d"}, At: time.Date(2026, 4, 1, 0, 0, 0, 0, time.UTC)}); err != nil {
			t.Fatal(err)
		}
	}
	there, back, again := commands[0], commands[1], commands[2]
	move(there, "600 events, 6 visits")
	erase(past, "shop")
	move(again, "600 events, 3 visits")
	if n := server.Do("SELECT count(), countIf(device_id = ''), uniqExact(id) FROM weir.events"); n != "600\t300\t600" {
		t.Errorf("after an erasure in the old place the new one has %q events, without their device, ids", n)
	}
	move(back, "600 events, 3 visits")
	erase(filepath.Join(dir, "back.duckdb"), "blog")
	move(back, "600 events, 0 visits")
	move(there, "600 events, 3 visits")
}
