package report_test

import (
	"context"
	"encoding/json"
	"path/filepath"
	"testing"
	"time"

	weir "github.com/weir-analytics/weir"
	"github.com/weir-analytics/weir/internal/clickhousetest"
	"github.com/weir-analytics/weir/internal/cold"
	"github.com/weir-analytics/weir/internal/cold/clickhouse"
	"github.com/weir-analytics/weir/internal/cold/duckdb"
	"github.com/weir-analytics/weir/internal/report"
)

func TestDeadLettersCountOnTheDayOfTheirEvents(t *testing.T) {
	t.Run("DuckDB", func(t *testing.T) {
		s, err := duckdb.Open(filepath.Join(t.TempDir(), "cold.duckdb"), duckdb.Options{})
		if err != nil {
			t.Fatal(err)
		}
		countsDead(t, s)
	})
	t.Run("ClickHouse", func(t *testing.T) {
		u, err := clickhouse.Parse(clickhousetest.Start(t).URL("weir"))
		if err != nil {
			t.Fatal(err)
		}
		s, err := clickhouse.Open(t.Context(), u, clickhouse.Options{})
		if err != nil {
			t.Fatal(err)
		}
		countsDead(t, s)
	})
}

func countsDead(t *testing.T, s cold.Store) {
	t.Cleanup(func() { _ = s.Close() })
	p := &weir.Project{ID: "p", Timezone: "America/New_York"}
	from, to := weir.Date("2026-11-01").Span(p.Location())
	refused := from.Add(60 * time.Hour)
	b := &cold.Batch{Token: "log-0-1", Log: "log", First: 1, Last: 20, Now: refused}
	for i, e := range []weir.Event{
		{ProjectID: "p", Time: from},
		{ProjectID: "p", Time: to.Add(-time.Microsecond), Call: &weir.Call{Route: "/a"}},
		{ProjectID: "p", Time: from.Add(24 * time.Hour), Call: &weir.Call{}}, // the day has 25 hours
		{ProjectID: "p", Time: from.Add(-time.Microsecond)},
		{ProjectID: "p", Time: to},
		{ProjectID: "other", Time: from},
		{ProjectID: "p", Time: time.Date(1700, 1, 1, 0, 0, 0, 0, time.UTC)},
	} {
		raw, err := json.Marshal(&e)
		if err != nil {
			t.Fatal(err)
		}
		b.Dead = append(b.Dead, weir.DeadLetter{ProjectID: e.ProjectID, Seq: uint64(i + 1), Reason: "no", Event: raw, At: refused})
	}
	b.Dead = append(b.Dead, weir.DeadLetter{ProjectID: "p", Seq: 19, Reason: "no JSON", Event: []byte("{"), At: refused})
	// Refused before it happened, as the clock of its sender was ahead.
	early, err := json.Marshal(&weir.Event{ProjectID: "p", Time: to.Add(-time.Hour)})
	if err != nil {
		t.Fatal(err)
	}
	b.Dead = append(b.Dead, weir.DeadLetter{ProjectID: "p", Seq: 20, Reason: "no", Event: early, At: from.Add(-time.Hour)})
	if err := s.Write(t.Context(), b); err != nil {
		t.Fatal(err)
	}
	events, calls, err := report.CountDead(t.Context(), s, p, from, to)
	if err != nil || events != 4 || calls != 2 {
		t.Errorf("%d events, %d calls, %v", events, calls, err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, _, err := report.CountDead(ctx, s, p, from, to); err == nil {
		t.Error("a failure was not told")
	}
}
