package insight

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"time"

	weir "github.com/weir-analytics/weir"
)

var pagesKind = withTotals(newKind[weir.Pages, Pages](weir.KindPages, nil, planPages),
	func(c weir.Common) weir.Question { return weir.Pages{Common: c, Limit: 1} },
	func(a *Pages) (map[weir.AlertValue]*float64, int64) {
		v := &a.Totals
		return map[weir.AlertValue]*float64{
			weir.ValueViews: count(v.Views), weir.ValueVisitors: count(v.Visitors), weir.ValueVisits: count(v.Visits),
			weir.ValueBounceRate: v.BounceRate, weir.ValueVisitDuration: v.VisitDuration,
		}, v.Visits
	},
	Measure{Name: weir.ValueViews, Amount: true}, Measure{Name: weir.ValueVisitors, Amount: true}, Measure{Name: weir.ValueVisits, Amount: true},
	Measure{Name: weir.ValueBounceRate, Unit: Share}, Measure{Name: weir.ValueVisitDuration, Unit: Milliseconds})

// bounceLimit is what a bounce is shorter than.
const bounceLimit = 10 * time.Second

// pagesPlan is a question about pages that was checked.
type pagesPlan struct {
	needs
	buckets
	limit    int
	bots     weir.Bots
	views    filter // of screen views
	filtered bool
	goal     *goal // nil unless it is asked for
}

func planPages(e *Engine, p *weir.Project, q weir.Pages) (plan, error) {
	pl := &pagesPlan{buckets: oneBucket(q.From, q.To), limit: cmp.Or(q.Limit, weir.DefaultPages), bots: q.Bots.OfPeople(), filtered: len(q.Filter) > 0}
	var err error
	if pl.views, err = checkFilter(e.d, p, q.Filter, q.Resolved); err != nil {
		return nil, err
	}
	if q.Goal != "" {
		if pl.goal, err = goalNamed(e.d, p, q.Goal, q.Resolved); err != nil {
			return nil, err
		}
	}
	pl.needs = needs{bytes: answerBytes, identities: true}
	return pl, nil
}

func (pl *pagesPlan) answer(ctx context.Context, r *reader) (Answer, error) {
	a := &Pages{Pages: []Page{}}
	// The pages come first: the others are asked for these.
	for _, f := range []func(context.Context, *reader, *Pages) error{pl.pageViews, pl.pageVisitors, pl.pageTimes, pl.pageVisits, pl.conversions} {
		if err := f(ctx, r, a); err != nil {
			return nil, err
		}
	}
	var err error
	viewed := sql("name = @", bind(weir.NameScreenView))
	a.BotsLeftOut, err = r.leftOut(ctx, pl.bots, pl.buckets, pl.views, viewed)
	return a, err
}

// screenViews is the condition for the views of the range that pass the filter.
func (pl *pagesPlan) screenViews(r *reader) fragment {
	return all(r.window("ts", pl.from, pl.to), r.passes(pl.views), sql("name = @", bind(weir.NameScreenView)), ofBots(pl.bots))
}

// pageViews fills in the pages and their views. Views that lost their page in an erasure count
// in the totals alone, and not for the page without a name. The paths are counted first, so
// that the URL rules are applied once for each of them.
func (pl *pagesPlan) pageViews(ctx context.Context, r *reader, a *Pages) error {
	counted := selection{
		columns: raw("path, COUNT(*) AS n, SUM(CASE WHEN path = '' AND " + r.noLongerNamed() + " THEN 0 ELSE 1 END) AS listed"),
		from:    r.events(pl.span(), pl.views, nil), where: pl.screenViews(r), groupBy: "path",
	}
	named := selection{columns: sql("@ AS page, n, listed", pageOf(r.d, r.project, "path")), from: counted.as("counted")}
	q := selection{
		columns: names("GROUPING(page)", "COALESCE(page, '')", whole("SUM(n)"), whole("SUM(listed)")+" AS views"), from: named.as("named"),
		groupBy: "GROUPING SETS ((page), ())", having: raw("GROUPING(page) = 1 OR SUM(listed) > 0"),
		orderBy: "GROUPING(page) DESC, views DESC, page", limit: pl.limit + 1,
	}
	return r.each(ctx, q.statement(), func(scan func(...any) error) error {
		var all, views int64
		var pg Page
		if err := scan(&all, &pg.Path, &views, &pg.Views); err != nil {
			return err
		}
		if all == 1 {
			a.Totals.Views = views
			return nil
		}
		a.Pages = append(a.Pages, pg)
		return nil
	})
}

// among is the condition that a column has the name of one of the answer's pages. byPath
// has the pages.
func among(column string, a *Pages) (in fragment, byPath map[string]*Page) {
	paths := make([]fragment, len(a.Pages))
	byPath = make(map[string]*Page, len(a.Pages))
	for i := range a.Pages {
		paths[i] = bind(a.Pages[i].Path)
		byPath[a.Pages[i].Path] = &a.Pages[i]
	}
	return isOneOf(raw(column), paths), byPath
}

// visits is the condition for the rows of the visits with a screen view that began in the
// range. A visit that changed has several rows, and each has a sign: +1 for a state that
// begins to count, -1 for a state that no longer does. So a sum over visits is
// SUM(sign * value) over rows.
//
// Example: a visit of 2 views that got a third one is the rows (+1, 2), (-1, 2), (+1, 3).
// The sum of sign is 1 visit, the sum of sign * views is 3.
func (pl *pagesPlan) visits(r *reader) fragment {
	where := all(r.window("start_at", pl.from, pl.to), raw("screen_views > 0"), ofBots(pl.bots))
	if pl.filtered {
		from := r.joined("events", pl.span(), append(slices.Clone(pl.views.sources), visitSession), nil)
		viewed := selection{columns: comma(raw("device_id"), sourceOf(visitSession)), from: from, where: pl.screenViews(r)}
		where = all(where, sql("(device_id, session_id) "+r.d.InQuery()+" (@)", viewed.statement()))
	}
	return where
}

// pageVisits fills in entries, exits, bounce rates and the totals of visits. One pass over
// the visits makes a row for each pair of entry and exit. These are few, and are then added
// up by entry, by exit, and over all.
func (pl *pagesPlan) pageVisits(ctx context.Context, r *reader, a *Pages) error {
	wanted, byPath := raw("FALSE"), map[string]*Page{}
	if len(a.Pages) > 0 {
		var first, last fragment
		first, byPath = among("entry_page", a)
		last, _ = among("exit_page", a)
		wanted = sql("@ OR @", first, last)
	}
	lasted := r.d.Micros("end_at") + " - " + r.d.Micros("start_at")
	bounced := fmt.Sprintf("screen_views = 1 AND interactive = 0 AND %s < %d", lasted, bounceLimit.Microseconds())
	pairs := selection{
		columns: names("entry", "exit", "SUM(sign) AS n", "SUM(sign * ("+lasted+")) AS lasted", "SUM(CASE WHEN "+bounced+" THEN sign ELSE 0 END) AS bounced"),
		from:    raw("visits"),
		where:   pl.visits(r),
		groupBy: "entry, exit",
	}
	named := selection{
		columns: sql("@ AS entry_page, @ AS exit_page, n, lasted, bounced", pageOf(r.d, r.project, "entry"), pageOf(r.d, r.project, "exit")),
		from:    pairs.as("pairs"),
	}
	q := selection{
		columns: names("GROUPING(entry_page)", "GROUPING(exit_page)", "COALESCE(entry_page, '')", "COALESCE(exit_page, '')", whole("SUM(n)"), double("SUM(lasted)"), whole("SUM(bounced)")),
		from:    named.as("named"),
		groupBy: "GROUPING SETS ((entry_page), (exit_page), ())",
		having:  sql("GROUPING(entry_page) + GROUPING(exit_page) = 2 OR @", wanted),
	}
	return r.each(ctx, q.statement(), func(scan func(...any) error) error {
		var byEntry, byExit int64 // 0 if the row is by that path
		var first, last string
		var all, bounces int64
		var lasted float64 // all of them, µs
		if err := scan(&byEntry, &byExit, &first, &last, &all, &lasted, &bounces); err != nil {
			return err
		}
		switch {
		case byEntry == 1 && byExit == 1:
			a.Totals.Visits = all
			a.Totals.BounceRate = ratio(bounces, all)
			if all > 0 {
				ms := lasted / float64(all) / 1000
				a.Totals.VisitDuration = &ms
			}
		case byEntry == 0:
			byPath[first].Entries = all
			byPath[first].BounceRate = ratio(bounces, all)
		default:
			byPath[last].Exits = all
		}
		return nil
	})
}

// ratio returns part / whole, nil if whole is 0.
func ratio(part, whole int64) *float64 {
	if whole == 0 {
		return nil
	}
	r := float64(part) / float64(whole)
	return &r
}
