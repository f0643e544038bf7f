package insight_test

import (
	"testing"
	"time"

	weir "github.com/weir-analytics/weir"
)

func TestAnAnswerIsKeptForThoseWhoAcceptAnOlderOne(t *testing.T) {
	b := &barrier{asOf: noon.Add(-time.Minute)}
	e := newEngine(t, b, weir.EventRow{Event: weir.Event{ID: "1", Name: "x", Time: noon.Add(-time.Hour), DeviceID: "d"}})
	p := berlin(t)
	q := weir.Query{
		Kind: weir.KindTrend, From: noon.Add(-24 * time.Hour), To: noon, Interval: weir.Hour,
		Series: []weir.Series{{Math: weir.MathTotal}},
	}
	ask := func(p *weir.Project, q weir.Query, freshness time.Duration) (total float64, cached bool) {
		t.Helper()
		a, err := e.Trend(t.Context(), p, q, freshness)
		if err != nil {
			t.Fatal(err)
		}
		return *a.Series[0].Total, a.Cached
	}
	steps := []struct {
		name      string
		project   *weir.Project
		query     weir.Query
		freshness time.Duration
		total     float64
		cached    bool
	}{
		{"the first asker waits", p, q, 30 * time.Second, 1, false},
		{"the same question is answered again", p, q, 30 * time.Second, 1, true},
		{"who wants what is now gets it", p, q, 0, 1, false},
		{"another question is another", p, with(q, func(q *weir.Query) { q.Interval = weir.Day }), 30 * time.Second, 1, false},
		{"another project gets nothing of the first", &weir.Project{ID: "q", Timezone: "Europe/Berlin"}, q, 30 * time.Second, 0, false},
	}
	for _, s := range steps {
		if total, cached := ask(s.project, s.query, s.freshness); total != s.total || cached != s.cached {
			t.Errorf("%s: total %v, cached %v; want %v, %v", s.name, total, cached, s.total, s.cached)
		}
	}
	if hits, misses := e.CacheStats(); hits != 1 || misses != 3 {
		t.Errorf("%d hits and %d misses, want 1 and 3", hits, misses)
	}
}

func TestAKeptAnswerGrowsTooOld(t *testing.T) {
	b := &barrier{asOf: noon.Add(-time.Minute)} // an answer that does not flush is as old
	e := newEngine(t, b)
	q := weir.Query{Kind: weir.KindPages, From: noon.Add(-24 * time.Hour), To: noon}
	for i, want := range []bool{false, true} {
		a, err := e.Pages(t.Context(), berlin(t), q, 2*time.Minute)
		if err != nil || a.Cached != want {
			t.Fatalf("question %d: cached %v, want %v (%v)", i, a.Cached, want, err)
		}
	}
	if a, err := e.Pages(t.Context(), berlin(t), q, 30*time.Second); err != nil || a.Cached {
		t.Fatalf("an answer of a minute ago was given to who accepts half of one (%v)", err)
	}
}

func with(q weir.Query, change func(*weir.Query)) weir.Query {
	change(&q)
	return q
}
