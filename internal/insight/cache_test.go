package insight_test

import (
	"context"
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	weir "github.com/weir-analytics/weir"
	"github.com/weir-analytics/weir/internal/fleet"
	"github.com/weir-analytics/weir/internal/fleet/local"
	"github.com/weir-analytics/weir/internal/insight"
)

func TestAnAnswerIsKeptForThoseWhoAcceptAnOlderOne(t *testing.T) {
	b := &barrier{asOf: noon.Add(-time.Minute)}
	e := newEngine(t, b, weir.EventRow{Event: weir.Event{ID: "1", Name: "x", Time: noon.Add(-time.Hour), DeviceID: "d"}})
	p := berlin(t)
	q := weir.Trend{Common: weir.Common{From: noon.Add(-24 * time.Hour), To: noon, Interval: weir.Hour}, Series: []weir.Series{{Math: weir.MathTotal}}}
	ask := func(p *weir.Project, q weir.Trend, freshness time.Duration) (total float64, cached bool) {
		t.Helper()
		a, err := insight.Ask[insight.Trend](t.Context(), e, p, q, freshness)
		if err != nil {
			t.Fatal(err)
		}
		return *a.Series[0].Total, a.Cached
	}
	steps := []struct {
		name      string
		project   *weir.Project
		query     weir.Trend
		freshness time.Duration
		total     float64
		cached    bool
	}{
		{"the first asker waits", p, q, 30 * time.Second, 1, false},
		{"the same question is answered again", p, q, 30 * time.Second, 1, true},
		{"who wants what is now gets it", p, q, 0, 1, false},
		{"another question is another", p, with(q, func(q *weir.Trend) { q.Interval = weir.Day }), 30 * time.Second, 1, false},
		{"another project gets nothing of the first", &weir.Project{ID: "q", Timezone: "Europe/Berlin"}, q, 30 * time.Second, 0, false},
	}
	for _, s := range steps {
		if total, cached := ask(s.project, s.query, s.freshness); total != s.total || cached != s.cached {
			t.Errorf("%s: total %v, cached %v; want %v, %v", s.name, total, cached, s.total, s.cached)
		}
	}
	if d := cmp.Diff(insight.CacheStats{Hits: 1, Misses: 3, Exact: 1}, e.CacheStats()); d != "" {
		t.Error(d)
	}
}

func TestCachedAnswerIsNotUsedOnceItIsTooOld(t *testing.T) {
	b := &barrier{asOf: noon.Add(-time.Minute)} // an answer that does not flush is as old
	e := newEngine(t, b)
	q := weir.Pages{Common: weir.Common{From: noon.Add(-24 * time.Hour), To: noon}}
	for i, want := range []bool{false, true} {
		a, err := insight.Ask[insight.Pages](t.Context(), e, berlin(t), q, 2*time.Minute)
		if err != nil || a.Cached != want {
			t.Fatalf("question %d: cached %v, want %v (%v)", i, a.Cached, want, err)
		}
	}
	if a, err := insight.Ask[insight.Pages](t.Context(), e, berlin(t), q, 30*time.Second); err != nil || a.Cached {
		t.Fatalf("an answer of a minute ago was given to who accepts half of one (%v)", err)
	}
}

func TestAKeptAnswerSaysTheSameAsTheFirst(t *testing.T) {
	e := newEngine(t, &barrier{}, rows()...)
	trend := dayQuery(
		weir.Series{Math: weir.MathTotal},
		weir.Series{Event: "screen_view", Math: weir.MathAvg, Property: "properties.price"},
	)
	grouped := with(trend, func(q *weir.Trend) { q.Breakdown, q.Compare = "country", weir.ComparePrevious })
	few := with(grouped, func(q *weir.Trend) { q.Limit = 1 })
	pages := dayPages()
	for name, q := range map[string]weir.Question{"trend": trend, "groups": grouped, "few groups": few, "pages": pages} {
		t.Run(name, func(t *testing.T) {
			ask := func() any {
				t.Helper()
				a, err := e.Ask(t.Context(), berlin(t), q, time.Hour)
				if err != nil {
					t.Fatal(err)
				}
				return a
			}
			first, err := json.Marshal(ask())
			if err != nil {
				t.Fatal(err)
			}
			if name == "groups" && !strings.Contains(string(first), `"breakdown":null`) {
				t.Fatalf("no group without a value in %s", first)
			}
			want := strings.Replace(string(first), `"cached":false`, `"cached":true`, 1)
			sameJSON(t, ask(), want)
		})
	}
}

func TestNodesThatShareACacheShareAnswers(t *testing.T) {
	c := local.New(local.Options{}).Cache
	s := newStore(t, rows()...)
	var last *insight.Trend
	for i, cached := range []bool{false, true} {
		e := insight.New(s, &barrier{}, func() time.Time { return noon }, insight.Options{Cache: c})
		a, err := insight.Ask[insight.Trend](t.Context(), e, berlin(t), dayQuery(weir.Series{Math: weir.MathTotal}), time.Minute)
		if err != nil || a.Cached != cached {
			t.Fatalf("node %d: cached %v, want %v (%v)", i, a.Cached, cached, err)
		}
		last = a
	}
	if *last.Series[0].Total != 3 {
		t.Fatalf("total %v, want 3", *last.Series[0].Total)
	}
}

// oneValue is a cache that mistakes the key of every answer for the same one.
type oneValue struct{ value []byte }

func (c *oneValue) Get(_ context.Context, key string) ([]byte, bool, error) {
	if strings.Contains(key, ":erased:") { // no answer
		return nil, false, nil
	}
	return c.value, c.value != nil, nil
}

func (c *oneValue) Set(_ context.Context, _ string, value []byte, _ time.Duration) error {
	c.value = value
	return nil
}

func TestNoMistakeAboutKeysGivesOneProjectTheRowsOfAnother(t *testing.T) {
	e := insight.New(newStore(t, rows()...), &barrier{}, func() time.Time { return noon }, insight.Options{Cache: &oneValue{}})
	q := dayQuery(weir.Series{Math: weir.MathTotal})
	other := &weir.Project{ID: "p2", Timezone: "Europe/Berlin"}
	elsewhere := &weir.Project{ID: "p", Timezone: "UTC"}
	for _, p := range []*weir.Project{other, elsewhere} {
		if err := p.Resolve(); err != nil {
			t.Fatal(err)
		}
	}
	total := func(p *weir.Project, q weir.Trend) (float64, bool) {
		t.Helper()
		a, err := insight.Ask[insight.Trend](t.Context(), e, p, q, time.Hour)
		if err != nil {
			t.Fatal(err)
		}
		return *a.Series[0].Total, a.Cached
	}
	if n, _ := total(berlin(t), q); n != 3 {
		t.Fatalf("total %v, want 3", n)
	}
	if n, cached := total(berlin(t), q); n != 3 || !cached {
		t.Fatalf("total %v, cached %v: the cache proves nothing", n, cached)
	}
	if n, cached := total(other, q); n != 0 || cached {
		t.Fatalf("another project: total %v, cached %v", n, cached)
	}
	if _, cached := total(elsewhere, q); cached {
		t.Fatal("another timezone: cached")
	}
	ruled := berlin(t)
	ruled.URLRules.StripSlash = true
	if _, cached := total(ruled, q); cached {
		t.Fatal("other URL rules: cached")
	}
	if _, cached := total(ruled, q); !cached {
		t.Fatal("the same URL rules: not cached")
	}
	if _, cached := total(berlin(t), with(q, func(q *weir.Trend) { q.Bots = weir.BotsIn })); cached {
		t.Fatal("another question: cached")
	}
	if _, err := insight.Ask[insight.Trend](t.Context(), e, berlin(t), dayQuery(), time.Hour); err == nil {
		t.Fatal("a trend of no series was answered")
	}
	if a, err := insight.Ask[insight.Pages](t.Context(), e, berlin(t), dayPages(), time.Hour); err != nil || a.Cached || len(a.Pages) == 0 {
		t.Fatalf("pages: %+v, %v", a, err)
	}
}

// badCache fails.
type badCache struct{}

func (badCache) Get(context.Context, string) ([]byte, bool, error) {
	return nil, false, errors.New("the cache is away")
}

func (badCache) Set(context.Context, string, []byte, time.Duration) error {
	return errors.New("the cache is away")
}

func TestAFailedCacheIsNoFailedQuestion(t *testing.T) {
	for name, c := range map[string]fleet.Cache{"away": badCache{}, "garbage": &oneValue{[]byte("{")}} {
		e := insight.New(newStore(t, rows()...), &barrier{}, func() time.Time { return noon }, insight.Options{Cache: c})
		for _, freshness := range []time.Duration{0, time.Hour} {
			a, err := insight.Ask[insight.Trend](t.Context(), e, berlin(t), dayQuery(weir.Series{Math: weir.MathTotal}), freshness)
			if err != nil || *a.Series[0].Total != 3 {
				t.Errorf("%s: %+v, %v", name, a, err)
			}
		}
	}
}

func with[Q weir.Question](q Q, change func(*Q)) Q {
	change(&q)
	return q
}
