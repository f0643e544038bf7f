package coldtest

import (
	"testing"
	"time"

	weir "github.com/weir-analytics/weir"
	"github.com/weir-analytics/weir/internal/cold"
	"github.com/weir-analytics/weir/internal/insight"
)

// BenchDiscovery measures what builders of questions ask, and questions about goals and groups,
// over a million events.
func BenchDiscovery(b *testing.B, open func(b *testing.B, dir string) cold.Store) {
	s := open(b, b.TempDir())
	defer s.Close()
	w := sorted(b, 300_000, false)
	for _, batch := range w.batches(10_000) {
		if err := s.Write(b.Context(), batch); err != nil {
			b.Fatal(err)
		}
	}
	e := insight.New(s, written{time.Now()}, time.Now, insight.Options{Actions: savedActions{}})
	q := insight.Discovery{From: w.from, To: w.from.AddDate(0, 0, w.days)}
	common := weir.Common{From: q.From, To: q.To, Interval: weir.Day}
	run := func(name string, ask func() error) {
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				if err := ask(); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
	run("names", func() error { _, err := e.Names(b.Context(), w.project, q, 0); return err })
	run("columns", func() error { _, err := e.Columns(b.Context(), w.project, q, 0); return err })
	people := q
	people.People = true
	run("columns with traits", func() error { _, err := e.Columns(b.Context(), w.project, people, 0); return err })
	for _, column := range []string{"route", "country", "channel", "properties.plan"} {
		run("values of "+column, func() error { _, err := e.ColumnValues(b.Context(), w.project, column, q, 0); return err })
	}
	for name, question := range map[string]weir.Question{
		"unique persons":     weir.Trend{Common: common, Series: []weir.Series{{Event: "click", Math: weir.MathUnique}}},
		"unique companies":   weir.Trend{Common: common, Series: []weir.Series{{Event: "click", Math: weir.MathUnique, Of: "groups.company"}}},
		"pages":              weir.Pages{Common: common},
		"pages with a goal":  weir.Pages{Common: common, Goal: "signup"},
		"trend of an action": weir.Trend{Common: common, Series: []weir.Series{{Math: weir.MathTotal, Action: "odd"}}},
	} {
		run(name, func() error { _, err := e.Ask(b.Context(), w.project, question, 0); return err })
	}
}
