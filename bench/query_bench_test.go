package bench_test

import (
	"context"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"strconv"
	"testing"
	"time"

	weir "github.com/weir-analytics/weir"
	"github.com/weir-analytics/weir/bench"
	"github.com/weir-analytics/weir/internal/cold"
	"github.com/weir-analytics/weir/internal/cold/duckdb"
	"github.com/weir-analytics/weir/internal/insight"
	"github.com/weir-analytics/weir/internal/visit"
)

// Questions of a dashboard over WEIR_BENCH_EVENTS events of 30 days (a million
// if it is not set). The data is made once and kept in WEIR_BENCH_DIR, if that
// is set.

const queryProject = "p"

var queryEnd = time.Date(2026, 7, 1, 0, 0, 0, 0, time.UTC)

func BenchmarkQuery(b *testing.B) {
	n := 1_000_000
	if s := os.Getenv("WEIR_BENCH_EVENTS"); s != "" {
		var err error
		if n, err = strconv.Atoi(s); err != nil {
			b.Fatal(err)
		}
	}
	dir := os.Getenv("WEIR_BENCH_DIR")
	if dir == "" {
		dir = b.TempDir()
	}
	s := storeOf(b, filepath.Join(dir, fmt.Sprintf("query-%d.duckdb", n)), n)
	defer s.Close()
	e := insight.New(s, complete{}, nil, insight.Options{})
	p := &weir.Project{ID: queryProject, Timezone: "Europe/Berlin"}
	if err := p.Resolve(); err != nil {
		b.Fatal(err)
	}
	month := weir.Query{Kind: weir.KindTrend, From: queryEnd.AddDate(0, 0, -30), To: queryEnd, Interval: weir.Day}
	with := func(change func(*weir.Query)) weir.Query {
		q := month
		change(&q)
		return q
	}
	total, unique := weir.Series{Math: weir.MathTotal}, weir.Series{Math: weir.MathUnique}
	for _, q := range []struct {
		name  string
		query weir.Query
	}{
		{"daily-total", with(func(q *weir.Query) { q.Series = []weir.Series{total} })},
		{"daily-total-and-unique", with(func(q *weir.Query) { q.Series = []weir.Series{total, unique} })},
		{"daily-unique-screen-views", with(func(q *weir.Query) {
			q.Series = []weir.Series{{Event: weir.NameScreenView, Math: weir.MathUnique}}
		})},
		{"daily-total-by-country", with(func(q *weir.Query) { q.Series, q.Breakdown = []weir.Series{total}, "country" })},
		{"hourly-p95-latency", with(func(q *weir.Query) {
			q.Interval = weir.Hour
			q.Series = []weir.Series{{Event: weir.NameCall, Math: weir.MathP95, Property: "latency_ms"}}
		})},
		{"pages", with(func(q *weir.Query) { q.Kind = weir.KindPages })},
	} {
		b.Run(q.name, func(b *testing.B) {
			for b.Loop() {
				var err error
				if q.query.Kind == weir.KindPages {
					_, err = e.Pages(b.Context(), p, q.query, 0)
				} else {
					_, err = e.Trend(b.Context(), p, q.query, 0)
				}
				if err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// complete is a barrier over data that does not change.
type complete struct{}

func (complete) Flush(context.Context) (time.Time, error) { return queryEnd, nil }
func (complete) AsOf() time.Time                          { return queryEnd }

// storeOf opens the store of n events, made as a drain would make it.
func storeOf(b *testing.B, path string, n int) *duckdb.Store {
	b.Helper()
	_, err := os.Stat(path + ".done")
	made := err == nil
	s, err := duckdb.Open(path, duckdb.Options{})
	if err != nil {
		b.Fatal(err)
	}
	if made {
		return s
	}
	open, folder := visit.Open{}, visit.Folder{LogID: "bench"}
	var rows []weir.EventRow
	seq := uint64(0)
	write := func() {
		if len(rows) == 0 {
			return
		}
		r := folder.Fold(open, rows, rows[len(rows)-1].Time)
		maps.Copy(open, r.Changed)
		batch := &cold.Batch{Token: fmt.Sprint(seq), Events: rows, Visits: r.Visits, Links: r.Links, First: seq, Last: seq}
		if err := s.Write(b.Context(), batch); err != nil {
			b.Fatal(err)
		}
		rows = rows[:0]
	}
	plan := bench.Plan{Project: queryProject, From: queryEnd.AddDate(0, 0, -30), To: queryEnd, Events: n, Devices: n / 30}
	for e := range bench.Mix(1, plan) {
		seq++
		rows = append(rows, weir.EventRow{Event: e, Seq: seq})
		if len(rows) == 10_000 {
			write()
		}
	}
	write()
	if err := os.WriteFile(path+".done", nil, 0o600); err != nil {
		b.Fatal(err)
	}
	return s
}
