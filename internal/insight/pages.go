package insight

import (
	"context"
	"fmt"
	"time"

	weir "github.com/weir-analytics/weir"
)

const (
	defaultPages = 100
	maxPages     = 1000

	// A bounce lasts less than this.
	bounceLimit = 10 * time.Second
)

// pagesPlan is a pages query whose every part was found to be allowed.
type pagesPlan struct {
	project  *weir.Project
	from, to int64 // µs
	limit    int
	bots     bool
	views    fragment // filter of screen views
	closes   fragment // filter of the events that close one
	filtered bool
}

func (e *Engine) planPages(p *weir.Project, l linkState, q weir.Query) (*pagesPlan, error) {
	if q.Kind != "" && q.Kind != weir.KindPages {
		return nil, weir.Errorf(weir.EINVALID, "kind %q is not pages", q.Kind)
	}
	if !q.From.Before(q.To) {
		return nil, weir.Errorf(weir.EINVALID, "from must be before to")
	}
	if q.Limit < 0 || q.Limit > maxPages {
		return nil, weir.Errorf(weir.EINVALID, "limit must be 1 to %d", maxPages)
	}
	if len(q.Series) > 0 || q.Breakdown != "" || q.Compare != weir.CompareNone || q.Sort != "" {
		return nil, weir.Errorf(weir.EINVALID, "pages take no series, breakdown, compare or sort")
	}
	pl := &pagesPlan{project: p, from: q.From.UnixMicro(), to: q.To.UnixMicro(), limit: q.Limit, bots: q.Bots, filtered: len(q.Filter) > 0}
	if pl.limit == 0 {
		pl.limit = defaultPages
	}
	var err error
	if pl.views, err = e.filter(p, l, q.Filter); err != nil {
		return nil, err
	}
	// What closes a view may be on another path already.
	if pl.closes, err = e.filterOn(p, l, q.Filter, map[string]string{"path": "closes_path"}); err != nil {
		return nil, err
	}
	if !q.Bots {
		pl.views = sql("@ AND bot = FALSE", pl.views)
		pl.closes = sql("@ AND bot = FALSE", pl.closes)
	}
	return pl, nil
}

// Pages answers a query of kind pages. A filter chooses screen views; a visit
// then counts when it has one of them in the range. freshness is as in Trend.
// Error: EINVALID for a query that is not allowed.
func (e *Engine) Pages(ctx context.Context, p *weir.Project, q weir.Query, freshness time.Duration) (*Pages, error) {
	ctx, cancel := e.within(ctx)
	defer cancel()
	return cached(ctx, e, weir.KindPages, p, q, freshness, func(a *Pages) *Meta { return &a.Meta }, func(q weir.Query) (*Pages, error) {
		return e.pages(ctx, p, q, freshness)
	})
}

func (e *Engine) pages(ctx context.Context, p *weir.Project, q weir.Query, freshness time.Duration) (*Pages, error) {
	pl, err := e.planPages(p, linkState{}, q)
	if err != nil {
		return nil, err
	}
	release, err := e.hold(ctx, answerBytes)
	if err != nil {
		return nil, err
	}
	defer release()
	done, err := e.begin(ctx, p, freshness)
	if err != nil {
		return nil, err
	}
	if l, err := e.linkStateForTraits(ctx, p, q); err != nil {
		return nil, fmt.Errorf("insight: pages: %w", err)
	} else if l.aliases {
		if pl, err = e.planPages(p, l, q); err != nil {
			return nil, err
		}
	}
	a := &Pages{Pages: []Page{}}
	links, err := e.linkState(ctx, p)
	if err != nil {
		return nil, fmt.Errorf("insight: pages: %w", err)
	}
	for _, f := range []func() error{
		func() error { return e.pageViews(ctx, pl, a) },
		func() error { return e.pageVisitors(ctx, pl, links, a) },
		func() error { return e.pageTimes(ctx, pl, a) },
		func() error { return e.pageVisits(ctx, pl, a) },
	} {
		if err := f(); err != nil {
			return nil, fmt.Errorf("insight: pages: %w", err)
		}
	}
	a.Meta = done()
	return a, nil
}

// screenViews selects the views of the range.
func (e *Engine) screenViews(pl *pagesPlan) fragment {
	return sql("@ AND name = @@", e.window(pl.project, "ts", pl.from, pl.to), bind(weir.NameScreenView), pl.views)
}

// pageViews fills in the pages and their views.
func (e *Engine) pageViews(ctx context.Context, pl *pagesPlan, a *Pages) error {
	counted := sql("(SELECT path, COUNT(*) AS n FROM events WHERE @ GROUP BY path) AS counted", e.screenViews(pl))
	q := sql("SELECT GROUPING(path), COALESCE(path, ''), CAST(COALESCE(SUM(n), 0) AS BIGINT) AS views FROM @ "+
		fmt.Sprintf("GROUP BY GROUPING SETS ((path), ()) ORDER BY GROUPING(path) DESC, views DESC, path LIMIT %d", pl.limit+1), counted)
	return e.each(ctx, q, func(scan func(...any) error) error {
		var all int64
		var pg Page
		if err := scan(&all, &pg.Path, &pg.Views); err != nil {
			return err
		}
		if all == 1 {
			a.Totals.Views = pg.Views
			return nil
		}
		a.Pages = append(a.Pages, pg)
		return nil
	})
}

// among is the test that a column is one of the answer's paths, and the pages
// by path.
func among(column string, a *Pages) (fragment, map[string]*Page) {
	paths := make([]fragment, len(a.Pages))
	byPath := make(map[string]*Page, len(a.Pages))
	for i := range a.Pages {
		paths[i] = bind(a.Pages[i].Path)
		byPath[a.Pages[i].Path] = &a.Pages[i]
	}
	return sql(column+" IN (@)", list(paths, ", ")), byPath
}

// pageTimes fills in the mean time of the views that were closed within the
// range.
func (e *Engine) pageTimes(ctx context.Context, pl *pagesPlan, a *Pages) error {
	if len(a.Pages) == 0 {
		return nil
	}
	in, byPath := among("closes_path", a)
	if byPath[""] != nil { // what closes nothing names no path either; ids are slow to read
		in = sql("@ AND closes_event_id <> ''", in)
	}
	q := sql("SELECT closes_path, AVG(closes_ms) FROM events WHERE @ AND @@ GROUP BY closes_path",
		e.window(pl.project, "ts", pl.from, pl.to), in, pl.closes)
	return e.each(ctx, q, func(scan func(...any) error) error {
		var path string
		var mean *float64
		if err := scan(&path, &mean); err != nil {
			return err
		}
		byPath[path].PageTime = finite(mean)
		return nil
	})
}

// visits are the rows of the visits that began within the range. Their sums are
// those of the visits, as weir.VisitRow says, where each value is multiplied by
// sign.
func (e *Engine) visits(pl *pagesPlan) fragment {
	v := sql("visits WHERE @", e.window(pl.project, "start_at", pl.from, pl.to))
	if !pl.bots {
		v = sql("@ AND bot = FALSE", v)
	}
	if pl.filtered {
		v = sql("@ AND (device_id, session_id) "+e.d.InQuery()+" (SELECT device_id, session_id FROM events WHERE @)", v, e.screenViews(pl))
	}
	return v
}

// pageVisits fills in entries, exits, bounce rates and what is about all visits:
// in one pass, which leaves few pairs of entry and exit to be added up.
func (e *Engine) pageVisits(ctx context.Context, pl *pagesPlan, a *Pages) error {
	wanted, byPath := sql("FALSE"), map[string]*Page{}
	if len(a.Pages) > 0 {
		var first, last fragment
		first, byPath = among("entry", a)
		last, _ = among("exit", a)
		wanted = sql("@ OR @", first, last)
	}
	lasted := e.d.Micros("end_at") + " - " + e.d.Micros("start_at")
	pairs := sql("SELECT entry, exit, SUM(sign) AS n, SUM(sign * ("+lasted+")) AS lasted, "+
		"SUM(CASE WHEN screen_views > 0 THEN sign ELSE 0 END) AS seen, "+
		"SUM(CASE WHEN screen_views = 1 AND interactive = 0 AND "+lasted+" < @ THEN sign ELSE 0 END) AS bounced "+
		"FROM @ GROUP BY entry, exit", bind(bounceLimit.Microseconds()), e.visits(pl))
	q := sql(`SELECT GROUPING(entry), GROUPING(exit), COALESCE(entry, ''), COALESCE(exit, ''), CAST(COALESCE(SUM(n), 0) AS BIGINT),
CAST(COALESCE(SUM(lasted), 0) AS DOUBLE), CAST(COALESCE(SUM(seen), 0) AS BIGINT), CAST(COALESCE(SUM(bounced), 0) AS BIGINT) FROM (@) AS pairs
GROUP BY GROUPING SETS ((entry), (exit), ()) HAVING GROUPING(entry) + GROUPING(exit) = 2 OR @`, pairs, wanted)
	return e.each(ctx, q, func(scan func(...any) error) error {
		var byEntry, byExit int64 // 1 where the row is not by that path
		var first, last string
		var all, seen, bounces int64 // seen: visits with a screen view
		var lasted float64           // all of them, µs
		if err := scan(&byEntry, &byExit, &first, &last, &all, &lasted, &seen, &bounces); err != nil {
			return err
		}
		switch {
		case byEntry == 1 && byExit == 1:
			a.Totals.Visits = all
			a.Totals.BounceRate = ratio(bounces, seen)
			if all > 0 {
				ms := lasted / float64(all) / 1000
				a.Totals.VisitDuration = &ms
			}
		case byEntry == 0:
			byPath[first].Entries = seen
			byPath[first].BounceRate = ratio(bounces, seen)
		default:
			byPath[last].Exits = seen
		}
		return nil
	})
}

// ratio is nil for a part of nothing.
func ratio(part, whole int64) *float64 {
	if whole == 0 {
		return nil
	}
	r := float64(part) / float64(whole)
	return &r
}
