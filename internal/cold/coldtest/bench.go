package coldtest

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	weir "github.com/weir-analytics/weir"
	"github.com/weir-analytics/weir/internal/cold"
	"github.com/weir-analytics/weir/internal/insight"
)

// Bench measures a backend: batches of 10,000 events as a drain writes them, and
// daily trends over a million events, and over one with aliases.
func Bench(b *testing.B, open func(b *testing.B, dir string) cold.Store) {
	b.Run("write 10k", func(b *testing.B) {
		s := open(b, b.TempDir())
		defer s.Close()
		w := sorted(b, 10_000, false)
		batch := w.batches(10_000)[0]
		for i := 0; b.Loop(); i++ {
			batch.Token = fmt.Sprint("bench-", i)
			if err := s.Write(b.Context(), batch); err != nil {
				b.Fatal(err)
			}
		}
		b.ReportMetric(float64(len(batch.Events))*float64(b.N)/b.Elapsed().Seconds(), "rows/s")
	})
	for name, aliases := range map[string]bool{"trend 1M": false, "trend 1M with aliases": true} {
		b.Run(name, func(b *testing.B) { benchTrend(b, open, aliases) })
	}
}

func benchTrend(b *testing.B, open func(b *testing.B, dir string) cold.Store, aliases bool) {
	s := open(b, b.TempDir())
	defer s.Close()
	w := sorted(b, 1_000_000, aliases)
	for _, batch := range w.batches(10_000) {
		if err := s.Write(b.Context(), batch); err != nil {
			b.Fatal(err)
		}
	}
	e := insight.New(s, written{time.Now()}, time.Now, insight.Options{})
	for name, q := range map[string]weir.Trend{
		"total and unique":  {Series: []weir.Series{{Math: weir.MathTotal}, {Math: weir.MathUnique}}},
		"unique by country": {Series: []weir.Series{{Math: weir.MathUnique}}, Breakdown: "country"},
		"unique by channel": {Series: []weir.Series{{Math: weir.MathUnique}}, Breakdown: "channel"},
		"by event_channel":  {Series: []weir.Series{{Math: weir.MathUnique}}, Breakdown: "event_channel"},
		"p95 of a property": {Series: []weir.Series{{Math: weir.MathP95, Property: "properties.amount"}}},
	} {
		q.From, q.To, q.Interval = w.from, w.from.AddDate(0, 0, w.days), weir.Day
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				if _, err := insight.Ask[insight.Trend](b.Context(), e, w.project, q, 0); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// sorted is a world of n events in the order of their time, as they come in.
func sorted(b *testing.B, n int, aliases bool) *world {
	b.Helper()
	w, err := generate(rand.New(rand.NewPCG(1, 1)), "Europe/Berlin", "2026-01-01", n)
	if err != nil {
		b.Fatal(err)
	}
	if !aliases {
		w.links = slices.DeleteFunc(w.links, func(l weir.Link) bool { return l.Alias })
		for i := range w.events {
			if w.events[i].Alias() != "" {
				w.events[i].Properties = nil
			}
		}
	}
	slices.SortStableFunc(w.events, func(x, y weir.EventRow) int { return x.Time.Compare(y.Time) })
	return w
}
