package main

import (
	"path/filepath"
	"strings"
	"testing"

	"github.com/weir-analytics/weir/internal/meta"
	"github.com/weir-analytics/weir/internal/postgrestest"
)

func TestUsersAndProjectsMoveToPostgreSQLAndBack(t *testing.T) {
	data := t.TempDir()
	file := filepath.Join(data, "meta.db")
	serves(t, data).stops()
	before, err := meta.Open(t.Context(), file, nil)
	if err != nil {
		t.Fatal(err)
	}
	p, key, err := before.CreateProject(t.Context(), meta.NewProject{Name: "Shop"})
	if err != nil {
		t.Fatal(err)
	}
	if err := before.Close(); err != nil {
		t.Fatal(err)
	}
	url := postgrestest.Start(t).URL("postgres")
	t.Setenv("WEIR_TO", url)
	if got := weirs(t, "migrate", "--meta", "--from", "sqlite:"+file); got.status != 0 || !strings.Contains(got.out, "rows are there") {
		t.Fatalf("there: %+v", got)
	}
	if got := weirs(t, "migrate", "--meta", "--from", "sqlite:"+file); got.status != 1 || !strings.Contains(got.stderr, "not empty") || strings.Contains(got.stderr, postgrestest.Password) {
		t.Errorf("there once more: %+v", got)
	}
	// The server of the moved store has the data folder's key ring.
	if got := serves(t, data, "--meta", url).stops(); got != 0 {
		t.Errorf("a server on the moved store: %d", got)
	}
	t.Setenv("WEIR_TO", "sqlite:"+filepath.Join(data, "back.db"))
	t.Setenv("WEIR_FROM", url)
	if got := weirs(t, "migrate", "--meta"); got.status != 0 {
		t.Fatalf("back: %+v", got)
	}
	for _, place := range []string{url, filepath.Join(data, "back.db")} {
		s, err := meta.Open(t.Context(), place, nil)
		if err != nil {
			t.Fatal(err)
		}
		defer s.Close()
		if got, err := s.ProjectByKey(t.Context(), key); err != nil || got.ID != p.ID {
			t.Errorf("project %v, %v", got, err)
		}
		if s.ID() != before.ID() {
			t.Error("the store has another id")
		}
	}
	for _, args := range [][]string{
		{"--from", "sqlite:" + filepath.Join(data, "none.db")}, {"--from", "duckdb:x"}, {"--project", "p"},
	} {
		if got := weirs(t, append([]string{"migrate", "--meta"}, args...)...); got.status != 2 {
			t.Errorf("%v: %+v", args, got)
		}
	}
}
