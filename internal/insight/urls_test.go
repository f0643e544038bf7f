package insight_test

import (
	"testing"
	"time"

	weir "github.com/weir-analytics/weir"
	"github.com/weir-analytics/weir/internal/insight"
)

// A visit of two products is one visit of one page: one visitor, one entry, one exit, and the
// mean time of both views.
func TestPathsThatAreOnePageByTheURLRulesCountAsOne(t *testing.T) {
	one, two, other := view("d1", "/product/1", 1), view("d1", "/product/2/", 1), view("d2", "/about", 1)
	two.Time = two.Time.Add(4 * time.Second)
	e := newEngine(t, &barrier{}, one, closedBy(one, time.Second), two, closedBy(two, 3*time.Second), other)
	p := berlin(t)
	p.URLRules = weir.URLRules{StripSlash: true, Rules: []weir.URLRule{{From: "/product/*", To: "/product/:id"}}}
	a, err := insight.Ask[insight.Pages](t.Context(), e, p, dayPages(), 0)
	if err != nil {
		t.Fatal(err)
	}
	sameJSON(t, a.Pages, `[
		{"path": "/product/:id", "views": 2, "visitors": 1, "page_time_ms": 2000, "entries": 1, "exits": 1, "bounce_rate": 0},
		{"path": "/about", "views": 1, "visitors": 1, "page_time_ms": null, "entries": 1, "exits": 1, "bounce_rate": 1}]`)

	q := dayPages()
	for path, want := range map[string]int64{"/product/:id": 2, "/product/1": 0} { // the filter compares the page
		q.Filter = weir.Filter{{Column: "path", Op: "=", Values: []string{path}}}
		if a, err := insight.Ask[insight.Pages](t.Context(), e, p, q, 0); err != nil || a.Totals.Views != want {
			t.Errorf("%s: %+v, %v, want %d views", path, a.Totals, err, want)
		}
	}
	list, err := e.Events(t.Context(), p, insight.EventsQuery{Filter: weir.Filter{{Column: "path", Op: "=", Values: []string{"/product/:id"}}}}, 0)
	if err != nil || len(list.Events) != 4 || list.Events[3].Path != "/product/1" {
		t.Errorf("listed %+v, %v; want 4 events with the paths that they came with", list, err)
	}
}
