package coldtest

import (
	"slices"
	"sort"
	"time"

	weir "github.com/weir-analytics/weir"
	"github.com/weir-analytics/weir/internal/insight"
)

// sitting is a visit, as its events tell it.
type sitting struct {
	start, end  time.Time
	views       []*weir.EventRow
	interactive int
	chosen      bool // has a screen view that the query is about
}

// bot reports whether the visit is a bot's: if all its views are.
func (s *sitting) bot() bool {
	return !slices.ContainsFunc(s.views, func(e *weir.EventRow) bool { return !e.Bot })
}

func (s *sitting) bounced() bool {
	return len(s.views) == 1 && s.interactive == 0 && s.end.Sub(s.start) < 10*time.Second
}

// pages answers a query of kind pages.
func (o *oracle) pages(q weir.Pages) *insight.Pages {
	chosen := make(map[*weir.EventRow]bool)
	pages := make(map[string]*insight.Page)
	persons := make(map[string]map[[2]string]bool)
	everybody := make(map[[2]string]bool)
	a := &insight.Pages{Pages: []insight.Page{}}
	for _, e := range o.match(q.From, q.To, q.Filter, weir.NameScreenView) {
		if !q.Bots.OfPeople().Counts(e.Bot) {
			continue
		}
		a.Totals.Views++
		if isErased(e) { // no page that has no name
			continue
		}
		chosen[e] = true
		path := o.page(e.Path)
		p := pages[path]
		if p == nil {
			p = &insight.Page{Path: path}
			pages[path], persons[path] = p, make(map[[2]string]bool)
		}
		p.Views++
		if who, ok := o.person(e); ok {
			persons[path][who], everybody[who] = true, true
		}
	}
	a.Totals.Visitors = int64(len(everybody))
	o.pageTimes(chosen, pages)
	visits := make(map[[2]string]string) // those that count, with their entries
	bounces := o.pageVisits(q, chosen, pages, &a.Totals, visits)
	for path, p := range pages {
		p.Visitors = int64(len(persons[path]))
		if p.Entries > 0 {
			rate := float64(bounces[path]) / float64(p.Entries)
			p.BounceRate = &rate
		}
		a.Pages = append(a.Pages, *p)
	}
	sort.Slice(a.Pages, func(i, j int) bool {
		if a.Pages[i].Views != a.Pages[j].Views {
			return a.Pages[i].Views > a.Pages[j].Views
		}
		return a.Pages[i].Path < a.Pages[j].Path
	})
	if q.Limit == 0 {
		q.Limit = 100
	}
	if len(a.Pages) > q.Limit {
		a.Pages = a.Pages[:q.Limit]
	}
	if q.Goal != "" {
		o.goal(q, visits, a)
	}
	a.BotsLeftOut = o.leftOut(q.Common, weir.NameScreenView)
	return a
}

// pageTimes fills in the mean time of the chosen views that something closed within a day.
func (o *oracle) pageTimes(chosen map[*weir.EventRow]bool, pages map[string]*insight.Page) {
	type view struct{ device, id string }
	closedBy := make(map[view]*weir.EventRow)
	for i := range o.w.events {
		if e := &o.w.events[i]; e.ClosesEventID != "" {
			closedBy[view{e.DeviceID, e.ClosesEventID}] = e
		}
	}
	sum, n := make(map[string]float64), make(map[string]float64)
	for e := range chosen {
		if c := closedBy[view{e.DeviceID, e.ID}]; c != nil && c.ClosesMS < 24*time.Hour.Milliseconds() {
			path := o.page(e.Path)
			sum[path] += float64(c.ClosesMS)
			n[path]++
		}
	}
	for path, p := range pages {
		if n[path] > 0 {
			mean := sum[path] / n[path]
			p.PageTime = &mean
		}
	}
}

// pageVisits fills in what is about visits, and returns the bounces by entry.
func (o *oracle) pageVisits(q weir.Pages, chosen map[*weir.EventRow]bool, pages map[string]*insight.Page, totals *insight.PageTotals, visits map[[2]string]string) map[string]int64 {
	sittings := make(map[[2]string]*sitting)
	for i := range o.w.events {
		e := &o.w.events[i]
		if isErased(e) || e.SessionID == "" { // in no visit
			continue
		}
		key := [2]string{e.DeviceID, e.SessionID}
		s := sittings[key]
		if s == nil {
			s = &sitting{start: e.Time, end: e.Time}
			sittings[key] = s
		}
		if e.Time.Before(s.start) {
			s.start = e.Time
		}
		if e.Time.After(s.end) {
			s.end = e.Time
		}
		s.chosen = s.chosen || chosen[e]
		if e.IsScreenView() {
			s.views = append(s.views, e)
		}
		if e.IsInteractive() {
			s.interactive++
		}
	}
	bounces := make(map[string]int64)
	var duration, bounced float64
	for key, s := range sittings {
		if len(s.views) == 0 || s.start.Before(q.From) || !s.start.Before(q.To) || !q.Bots.OfPeople().Counts(s.bot()) || len(q.Filter) > 0 && !s.chosen {
			continue
		}
		totals.Visits++
		duration += float64(s.end.Sub(s.start).Microseconds()) / 1000
		sort.Slice(s.views, func(i, j int) bool { return s.views[i].Time.Before(s.views[j].Time) })
		first, last := o.page(s.views[0].Path), o.page(s.views[len(s.views)-1].Path)
		visits[key] = first
		if p := pages[first]; p != nil {
			p.Entries++
		}
		if p := pages[last]; p != nil {
			p.Exits++
		}
		if s.bounced() {
			bounced++
			bounces[first]++
		}
	}
	if totals.Visits > 0 {
		mean := duration / float64(totals.Visits)
		totals.VisitDuration = &mean
		rate := bounced / float64(totals.Visits)
		totals.BounceRate = &rate
	}
	return bounces
}
