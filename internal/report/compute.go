package report

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	weir "github.com/weir-analytics/weir"
	"github.com/weir-analytics/weir/internal/hot"
)

const (
	// attempts is how often a report is computed again because events of its day arrived
	// meanwhile, or because another node stored one.
	attempts = 3
	// patience is how long a report waits until all acknowledged events are in the
	// cold tier.
	patience = 30 * time.Second
	// atOnce is less than a barrier takes that waits in vain.
	atOnce = 100 * time.Millisecond
	// maxTime is the longest that one report may take.
	maxTime = 4 * time.Minute
)

// Compute computes the report of a day and stores it, in place of the one that is
// there. The revision grows if a number changed. A day whose events are no longer
// kept keeps its report, in which only the counters are made new. Errors: EINVALID
// for a day that is not over, or that is too long ago; EUNAVAILABLE.
func (r *Reporter) Compute(ctx context.Context, p *weir.Project, d weir.Date) (*weir.Report, error) {
	if r.cfg.Source == nil {
		return nil, weir.Errorf(weir.EUNAVAILABLE, "this node computes no reports: it does not have the cold tier open")
	}
	if err := r.check(p, d); err != nil {
		return nil, err
	}
	select {
	case r.turn <- struct{}{}:
		defer func() { <-r.turn }()
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	began := r.cfg.Clock.Now()
	limited, cancel := context.WithTimeout(ctx, maxTime)
	defer cancel()
	a, err := r.computeAndSave(limited, p, d)
	if err != nil {
		if ctx.Err() == nil && limited.Err() != nil {
			err = weir.Wrap(err, weir.EUNAVAILABLE, "the report of %s takes too long", d)
		}
		return nil, err
	}
	r.metrics.seconds.Observe(r.cfg.Clock.Now().Sub(began).Seconds())
	return a, nil
}

// check refuses days that have no report.
func (r *Reporter) check(p *weir.Project, d weir.Date) error {
	if p.Recounting.Running {
		return weir.Errorf(weir.EUNAVAILABLE, "the project's timezone changed, and its counters are being rebuilt (%d %%): reports follow", p.Recounting.Percent)
	}
	loc, today := p.Location(), r.today(p)
	if _, err := weir.ParseDate(string(d)); err != nil {
		return err
	}
	switch from, to := d.Span(loc); {
	case d >= today:
		return weir.Errorf(weir.EINVALID, "%s is not over in %s", d, loc)
	case d < today.Add(-Kept):
		return weir.Errorf(weir.EINVALID, "%s is over %d days ago: reports are not kept for so long", d, Kept)
	case !from.Before(to):
		return weir.Errorf(weir.EINVALID, "there was no %s in %s", d, loc)
	}
	return nil
}

func (r *Reporter) computeAndSave(ctx context.Context, p *weir.Project, d weir.Date) (*weir.Report, error) {
	for range attempts {
		before, err := r.cfg.Store.Report(ctx, p.ID, d)
		if err != nil && weir.ErrorCode(err) != weir.ENOTFOUND {
			return nil, err
		}
		a, err := r.compute(ctx, p, d, before)
		if err != nil {
			return nil, err
		}
		after, changed := 0, true
		if before != nil {
			after = before.Revision
			if changed, err = differ(before, a); err != nil {
				return nil, err
			}
		}
		a.Revision = after
		if changed {
			a.Revision++
		}
		saved, err := r.cfg.Store.SaveReport(ctx, a, after)
		if err != nil {
			return nil, err
		}
		if saved {
			r.saved(p, a, changed && after > 0)
			return r.Daily(ctx, p, d)
		}
		// Another node stored one, of perhaps fewer events. What is computed after
		// that has them all.
	}
	return nil, weir.Errorf(weir.EUNAVAILABLE, "others compute the report of %s at the same time: try again", d)
}

func (r *Reporter) saved(p *weir.Project, a *weir.Report, revised bool) {
	r.metrics.computed.Inc()
	if revised {
		r.metrics.revised.Inc()
	}
	attrs := []any{"project", p.ID, "date", a.Date, "revision", a.Revision, "events", a.Totals.Events, "calls", a.Totals.Calls}
	if a.Difference != nil {
		for _, why := range a.Difference.Reasons {
			if why.Reason == weir.ReasonUnknown {
				r.metrics.unknown.Inc()
				r.log.Warn("a report differs from the counters and nothing explains it", append(attrs, "counted", a.Head().Counted)...)
				return
			}
		}
	}
	r.log.Info("computed a report", attrs...)
}

// compute computes a report without a revision; before is the stored one, or nil.
func (r *Reporter) compute(ctx context.Context, p *weir.Project, d weir.Date, before *weir.Report) (*weir.Report, error) {
	from, to := d.Span(p.Location())
	if forgotten := from.Before(p.RetainedFrom(r.cfg.Clock.Now())); forgotten && before == nil {
		return nil, weir.Errorf(weir.EINVALID, "the events of %s are no longer kept", d)
	} else if forgotten {
		return r.recount(ctx, p, before)
	}
	var a *weir.Report
	for range attempts {
		first, err := r.counted(ctx, p, from)
		if err != nil {
			return nil, err
		}
		asked := r.cfg.Clock.Now()
		asOf, err := r.flush(ctx, asked)
		if err != nil {
			return nil, err
		}
		a = &weir.Report{
			ProjectID: p.ID, Date: d, Timezone: p.Timezone, From: from.In(p.Location()), To: to.In(p.Location()),
			ComputedAt: asked.In(p.Location()), AsOf: asOf.In(p.Location()),
		}
		if err := r.ask(ctx, p, a); err != nil {
			return nil, err
		}
		last, err := r.counted(ctx, p, from)
		if err != nil {
			return nil, err
		}
		a.Counters = last.counters(a.Calls.ByAPI)
		x := explanation{waiting: asOf.Before(asked), arrived: last.since(first)}
		if err := r.explain(ctx, p, a, last, x); err != nil {
			return nil, err
		}
		if x.arrived == (pair{}) {
			break
		}
	}
	return a, nil
}

// recount updates the counters in a report when its events are no longer kept.
func (r *Reporter) recount(ctx context.Context, p *weir.Project, before *weir.Report) (*weir.Report, error) {
	now, err := r.counted(ctx, p, before.From)
	if err != nil {
		return nil, err
	}
	a := *before
	a.ComputedAt, a.Compare = r.cfg.Clock.Now().In(p.Location()), nil
	a.Counters = now.counters(a.Calls.ByAPI)
	return &a, r.explain(ctx, p, &a, now, explanation{forgotten: true})
}

// flush waits until what came in before asked is in the cold tier, or for as long
// as it has patience.
func (r *Reporter) flush(ctx context.Context, asked time.Time) (asOf time.Time, err error) {
	for {
		began := r.cfg.Clock.Now()
		if asOf, err = r.cfg.Source.Flush(ctx); err != nil {
			return asOf, fmt.Errorf("report: barrier: %w", err)
		}
		// A barrier that returns at once cannot wait: to try again would be to spin.
		now := r.cfg.Clock.Now()
		if !asOf.Before(asked) || now.Sub(asked) >= patience || now.Sub(began) < atOnce {
			return asOf, nil
		}
	}
}

// ask fills in what the cold tier says.
func (r *Reporter) ask(ctx context.Context, p *weir.Project, a *weir.Report) (err error) {
	s := r.cfg.Source
	if a.Totals, err = s.Totals(ctx, p, a.From, a.To); err != nil {
		return fmt.Errorf("report: totals: %w", err)
	}
	if a.Calls, err = s.Calls(ctx, p, a.From, a.To, TopAPIs); err != nil {
		return fmt.Errorf("report: calls: %w", err)
	}
	if a.Growth, err = s.Growth(ctx, p, a.From, a.To); err != nil {
		return fmt.Errorf("report: growth: %w", err)
	}
	if a.Visits, err = s.Visits(ctx, p, a.From, a.To, topPages); err != nil {
		return fmt.Errorf("report: visits: %w", err)
	}
	a.Totals.Calls = a.Calls.Calls
	// JSON has no nil lists in it.
	if a.Calls.ByAPI == nil {
		a.Calls.ByAPI = []weir.ReportAPI{}
	}
	if a.Visits.Pages == nil {
		a.Visits.Pages = []weir.ReportPage{}
	}
	return nil
}

// differ says whether the numbers of two reports of a day differ.
func differ(a, b *weir.Report) (bool, error) {
	one, err1 := numbers(a)
	other, err2 := numbers(b)
	return !bytes.Equal(one, other), errors.Join(err1, err2)
}

// numbers are a report without what changes each time.
func numbers(a *weir.Report) ([]byte, error) {
	n := *a
	n.Revision, n.ComputedAt, n.AsOf, n.Compare = 0, time.Time{}, time.Time{}, nil
	b, err := json.Marshal(&n)
	if err != nil {
		return nil, fmt.Errorf("report: %w", err)
	}
	return b, nil
}

// tally is what the counters say of a day.
type dayCounts struct {
	pair
	expired bool // they are not kept any more
	apis    []hot.Member
}

// pair is a number of events, and of the calls among them.
type pair struct{ events, calls int64 }

func (a pair) minus(b pair) pair { return pair{a.events - b.events, a.calls - b.calls} }

// since is how much was counted after an earlier reading. Counters only grow, so
// without any the reading is of one moment.
func (t *dayCounts) since(earlier *dayCounts) pair {
	if t.expired || earlier.expired {
		return pair{}
	}
	return t.minus(earlier.pair)
}

// named adds up the APIs that are one page by the project's URL rules, as the report does.
func named(apis []hot.Member, p *weir.Project) []hot.Member {
	page := p.URLRules.Namer()
	if page == nil {
		return apis
	}
	sums, rest := make(map[string]int64, len(apis)), int64(0)
	for _, m := range apis {
		if m.Rest {
			rest += m.Count
		} else {
			sums[page(m.Name)] += m.Count
		}
	}
	return hot.Ranked(sums, rest, 0)
}

// counted reads the counters of the day that begins at from.
func (r *Reporter) counted(ctx context.Context, p *weir.Project, from time.Time) (*dayCounts, error) {
	t := &dayCounts{expired: r.cfg.Clock.Now().Sub(from) >= hot.Day.Kept()}
	if t.expired {
		return t, nil
	}
	to := from.Add(time.Second) // of the range of bucket starts
	var err error
	one := func(d hot.Dimension) int64 {
		if err != nil {
			return 0
		}
		var points []hot.Point
		if points, err = r.cfg.Counters.Series(ctx, p.ID, hot.Day, d, "", from, to); len(points) == 0 {
			return 0
		}
		return points[0].Count
	}
	// Calls first: so an event in between is never a call without an event.
	t.calls = one(hot.Calls)
	t.events = one(hot.Total)
	if err == nil {
		t.apis, err = r.cfg.Counters.Members(ctx, p.ID, hot.Day, hot.Route, from, to, 0)
		t.apis = named(t.apis, p)
	}
	if err != nil {
		return nil, fmt.Errorf("report: counters: %w", err)
	}
	return t, nil
}
