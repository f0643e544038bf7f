package duckdb

import (
	"context"
	"fmt"
	"os"
	"sort"
	"testing"
	"time"

	weir "github.com/weir-analytics/weir"
	"github.com/weir-analytics/weir/internal/insight"
)

type nob struct{}
func (nob) Flush(context.Context) (time.Time, error) { return time.Now(), nil }
func (nob) AsOf() time.Time { return time.Now() }

func TestTenInsight(t *testing.T) {
	s, err := Open("/tmp/ten.duckdb", Options{})
	if err != nil { t.Fatal(err) }
	defer s.Close()
	if os.Getenv("LINKS") != "" {
		s.db.Exec("INSERT INTO identities SELECT 'demo1234', md5(range::varchar), 'user' || range, make_timestamp(1767225600000000) FROM range(0,400000,20)")
	}
	tz := "UTC"
	if v := os.Getenv("ZONE"); v != "" { tz = v }
	p := &weir.Project{ID: "demo1234", Timezone: tz}
	if err := p.Resolve(); err != nil { t.Fatal(err) }
	e := insight.New(s, nob{}, nil, insight.Options{})
	from := time.Date(2026, 1, 1, 0, 0, 0, 0, p.Location())
	tu := []weir.Series{{Math: weir.MathTotal}, {Math: weir.MathUnique}}
	for _, c := range []struct{ name string; q weir.Query }{
		{"total", weir.Query{Series: tu[:1], Interval: weir.Day}},
		{"unique", weir.Query{Series: tu[1:], Interval: weir.Day}},
		{"total+unique", weir.Query{Series: tu, Interval: weir.Day}},
		{"total+unique screen_view", weir.Query{Series: []weir.Series{{Event: "screen_view", Math: "total"}, {Event: "screen_view", Math: "unique"}}, Interval: weir.Day}},
		{"total+unique hour", weir.Query{Series: tu, Interval: weir.Hour}},
		{"total by country", weir.Query{Series: tu[:1], Interval: weir.Day, Breakdown: "country"}},
		{"unique by country", weir.Query{Series: tu[1:], Interval: weir.Day, Breakdown: "country"}},
		{"p95 price", weir.Query{Series: []weir.Series{{Math: "p95", Property: "properties.price"}}, Interval: weir.Day}},
		{"filter country", weir.Query{Series: tu, Interval: weir.Day, Filter: []weir.Condition{{Column: "country", Op: "=", Values: []string{"DE"}}}}},
	} {
		c.q.From, c.q.To = from, from.AddDate(0, 0, 30)
		var ds, cs []time.Duration
		n := 7
		for range n {
			t0 := time.Now(); c0 := cpu()
			if _, err := e.Trend(context.Background(), p, c.q, 0); err != nil { t.Fatal(err) }
			ds = append(ds, time.Since(t0)); cs = append(cs, (cpu()-c0)/2)
		}
		sort.Slice(ds, func(i, j int) bool { return ds[i] < ds[j] })
		sort.Slice(cs, func(i, j int) bool { return cs[i] < cs[j] })
		fmt.Printf("%-26s cpu/2 min %v median %v; wall min %v median %v\n", c.name, cs[0].Round(time.Millisecond), cs[n/2].Round(time.Millisecond), ds[0].Round(time.Millisecond), ds[n/2].Round(time.Millisecond))
	}
	for name, f := range map[string]func() error {
		"pages": func() error { _, err := e.Pages(context.Background(), p, weir.Query{From: from, To: from.AddDate(0, 0, 30)}, 0); return err },
		"events": func() error { _, err := e.Events(context.Background(), p, insight.EventsQuery{Limit: 100}, 0); return err },
		"events profile": func() error { _, err := e.Events(context.Background(), p, insight.EventsQuery{Limit: 100, ProfileID: "user40"}, 0); return err },
	} {
		t0 := time.Now()
		if err := f(); err != nil { t.Fatal(err) }
		fmt.Println(name, time.Since(t0))
	}
	fmt.Println("rss", rss())
}
