package coldtest

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	weir "github.com/weir-analytics/weir"
	"github.com/weir-analytics/weir/internal/cold"
	"github.com/weir-analytics/weir/internal/insight"
)

// testURLs asks about the same events under random URL rules: every path has characters that
// mean something in a glob, in a regular expression, in SQL or in a URL.
func testURLs(t *testing.T, open func(t *testing.T, dir string) cold.Store, p Part) {
	s := begin(t, open)
	r := rand.New(rand.NewPCG(7, 0))
	w, err := generate(r, "Asia/Kolkata", "2025-02-20", 900)
	if err != nil {
		t.Fatal(err)
	}
	w.wander(r)
	for _, b := range w.batches(200) {
		write(t, s, b)
	}
	e := insight.New(s, written{time.Now()}, time.Now, insight.Options{})
	all := weir.Common{From: w.from, To: w.from.AddDate(0, 0, w.days), Interval: weir.Week, Bots: weir.BotsIn}
	calls := all
	calls.Interval = ""
	w.project.URLRules = weir.URLRules{StripSlash: true, LowerCase: true}
	for i := range weir.MaxURLRules / p.Of {
		w.project.URLRules.Rules = append(w.project.URLRules.Rules, weir.URLRule{From: fmt.Sprintf("/product%d/*", i), To: fmt.Sprintf("/product%d/:id", i)})
	}
	most := weir.Pages{Common: all, Limit: 1000} // a long statement
	for range 10 {
		most.Filter = append(most.Filter, weir.Condition{Column: "path", Op: "!=", Values: []string{"/nowhere"}})
	}
	(&asker{e: e, w: w, want: newOracle(w)}).ask(t, most)
	for range max(1, rounds(20)/p.Of) {
		w.project.URLRules = randomRules(r, w)
		o := newOracle(w)
		a := &asker{e: e, w: w, want: o}
		a.ask(t, weir.Pages{Common: all, Limit: 1000})
		a.ask(t, weir.Calls{Common: calls})
		a.ask(t, weir.Trend{Common: all, Series: []weir.Series{{Math: weir.MathTotal}, {Math: weir.MathUnique}}, Breakdown: "path", Limit: 20})
		a.ask(t, weir.Trend{Common: all, Series: []weir.Series{{Math: weir.MathTotal, Event: weir.NameCall}}, Breakdown: "route", Limit: 20})
		for _, op := range []string{"=", "!=", "contains", "in"}[2*r.IntN(2):][:2] {
			page := o.page(w.events[r.IntN(len(w.events))].Path)
			q := weir.Pages{Common: all}
			q.Filter = weir.Filter{{Column: "path", Op: op, Values: []string{page}}}
			a.ask(t, q)
			q.Filter[0].Column = "route"
			a.ask(t, weir.Growth{Common: weir.Common{From: all.From, To: all.To, Interval: weir.Week, Filter: q.Filter}})
		}
	}
}

// segments are parts of paths.
var segments = []string{
	"a", "B", "product", "7", "42", "ä", "Ä", "用户", "%2F", "%_", ".", "..", "", "it's", `"q"`, "[x]", "(y)", "^", "$", `\`, `\d`, "{1,2}", "+", "a|b", "-", "@", "a.b", "?", "?p1", "\u212a", "İ",
	"{p1:String}", strings.Repeat("long", 300),
}

func randomPath(r *rand.Rand) string {
	parts := make([]string, r.IntN(4))
	for i := range parts {
		parts[i] = segments[r.IntN(len(segments))]
	}
	return []string{"/", "/", "/", ""}[r.IntN(4)] + strings.Join(parts, "/") + []string{"", "", "/", "//"}[r.IntN(4)]
}

// wander gives the world's events random paths and routes: equal ones where they were equal.
func (w *world) wander(r *rand.Rand) {
	other := map[string]string{"": ""}
	of := func(path string) string {
		if _, ok := other[path]; !ok {
			other[path] = randomPath(r)
		}
		return other[path]
	}
	for i := range w.events {
		e := &w.events[i]
		e.Path, e.ClosesPath = of(e.Path), of(e.ClosesPath)
		if e.Call != nil {
			e.Call.Route = of(fmt.Sprint("route", r.IntN(30)))
		}
	}
}

// randomRules are some that match some of the world's paths.
func randomRules(r *rand.Rand, w *world) weir.URLRules {
	u := weir.URLRules{StripSlash: r.IntN(2) == 0, LowerCase: r.IntN(2) == 0}
	for range r.IntN(8) {
		glob := randomPath(r)
		if r.IntN(3) > 0 {
			glob = w.events[r.IntN(len(w.events))].Path
		}
		parts := strings.Split(glob, "/")
		for range r.IntN(3) {
			part := &parts[r.IntN(len(parts))]
			*part = []string{"*", "**", *part + "*", "*" + *part, "B*"}[r.IntN(5)]
		}
		more := u
		more.Rules = append(slices.Clip(more.Rules), weir.URLRule{From: strings.Join(parts, "/"), To: []string{"/:id", "other", `\1 $1 ? '"`, "/a"}[r.IntN(4)]})
		if more, err := more.Normal(); err == nil {
			u = more
		}
	}
	return u
}
