package insight

import (
	"context"
	"fmt"
	"time"

	weir "github.com/weir-analytics/weir"
	"golang.org/x/sync/errgroup"
)

// Growth answers a query of kind growth: by days, weeks or months, the first of
// which is a whole one. It is about the persons of all events but those of bots; a
// filter chooses events, and all of the answer is about these. freshness is as in
// Trend. Error: EINVALID for a query that is not allowed.
func (e *Engine) Growth(ctx context.Context, p *weir.Project, q weir.Query, freshness time.Duration) (*Growth, error) {
	ctx, cancel := e.within(ctx)
	defer cancel()
	return cached(ctx, e, weir.KindGrowth, p, q, freshness, func(a *Growth) *Meta { return &a.Meta }, func(q weir.Query) (*Growth, error) {
		return e.growth(ctx, p, q, freshness)
	})
}

func (e *Engine) growth(ctx context.Context, p *weir.Project, q weir.Query, freshness time.Duration) (*Growth, error) {
	pl, err := e.planGrowth(p, linkState{}, q)
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
		return nil, fmt.Errorf("insight: growth: %w", err)
	} else if l.aliases {
		if pl, err = e.planGrowth(p, l, q); err != nil {
			return nil, err
		}
	}
	of := &personScope{project: p, filter: pl.filter, all: pl.all, bots: pl.bots}
	if of.links, err = e.linkState(ctx, p); err != nil {
		return nil, fmt.Errorf("insight: growth: %w", err)
	}
	ranges := []buckets{pl.now}
	if pl.before != nil {
		ranges = append(ranges, *pl.before)
	}
	asOf := done().AsOf.UnixMicro()
	parts := make([]*growthOfRange, len(ranges))
	eg, inner := errgroup.WithContext(ctx)
	eg.SetLimit(e.o.Parallel)
	for i, b := range ranges {
		parts[i] = newGrowthOfRange(p.Location(), b, asOf)
		for _, ask := range []func(context.Context, *growthPlan, *personScope, *growthOfRange) error{e.growthActive, e.growthNew, e.growthSignups} {
			eg.Go(func() error { return ask(inner, pl, of, parts[i]) })
		}
	}
	if err := eg.Wait(); err != nil {
		return nil, fmt.Errorf("insight: growth: %w", err)
	}
	a := &Growth{Points: parts[0].points(), Totals: parts[0].totals(), Meta: done()}
	if pl.before != nil {
		loc := p.Location()
		a.Compare = &GrowthComparison{
			From: time.UnixMicro(pl.before.starts[1]).In(loc), To: time.UnixMicro(pl.before.to).In(loc),
			Points: parts[1].points(), Totals: parts[1].totals(),
		}
	}
	return a, nil
}

// growthOfRange is what is counted over one range. Bucket 0 is the one before it.
type growthOfRange struct {
	b    buckets
	loc  *time.Location
	asOf int64

	active     map[span]int64
	firsts     []int64 // by bucket, all of the past before bucket 0 first
	signups    []int64 // the same
	activeThen []int64 // of the signups, those active in the bucket after; the same
}

func newGrowthOfRange(loc *time.Location, b buckets, asOf int64) *growthOfRange {
	return &growthOfRange{b: b, loc: loc, asOf: asOf}
}

// whole is the range.
func (g *growthOfRange) whole() span { return span{g.b.starts[1], g.b.to} }

// with is bucket i and the one before it.
func (g *growthOfRange) with(i int) span { return span{g.b.starts[i-1], g.b.bucket(i).to} }

// windows are the 1, 7 and 30 days that end with bucket i.
func (g *growthOfRange) windows(i int) (day, week, month span) {
	s := g.b.bucket(i)
	return s.days(1, g.asOf, g.loc), s.days(7, g.asOf, g.loc), s.days(30, g.asOf, g.loc)
}

// growthActive counts the active persons of all that growth is made of. Who was
// active in both of two buckets needs no count: those of the one and of the other,
// less those of either.
func (e *Engine) growthActive(ctx context.Context, _ *growthPlan, of *personScope, g *growthOfRange) error {
	spans := []span{g.b.bucket(0)}
	for i := 1; i < len(g.b.starts); i++ {
		day, week, month := g.windows(i)
		spans = append(spans, g.b.bucket(i), g.with(i), day, week, month)
	}
	var err error
	g.active, err = e.countPersons(ctx, of, append(spans, g.whole()))
	return err
}

// growthNew counts the persons by the bucket of their first ever event.
func (e *Engine) growthNew(ctx context.Context, _ *growthPlan, of *personScope, g *growthOfRange) error {
	b := g.b.withPast()
	rows, err := e.personRows(ctx, of, b)
	if err != nil {
		return err
	}
	g.firsts, err = e.countsByBucket(ctx, len(b.starts), sql("SELECT b, COUNT(*) FROM @ GROUP BY b", e.firstBuckets(of, rows)))
	return err
}

// growthSignups counts the persons by the bucket of their first ever signup, and
// which of them were active in the bucket after.
func (e *Engine) growthSignups(ctx context.Context, pl *growthPlan, of *personScope, g *growthOfRange) error {
	b := g.b.withPast()
	signing := *of
	signing.filter, signing.all = sql("@ AND name IN (@)", of.filter, pl.signup), false
	rows, err := e.personRows(ctx, &signing, b)
	if err != nil {
		return err
	}
	firsts := e.firstBuckets(of, rows)
	if g.signups, err = e.countsByBucket(ctx, len(b.starts), sql("SELECT b, COUNT(*) FROM @ GROUP BY b", firsts)); err != nil {
		return err
	}
	g.activeThen = make([]int64, len(b.starts))
	first, last := 0, 0 // buckets of the range in which persons signed up and that have one after them
	for i := 2; i+1 < len(b.starts); i++ {
		if g.signups[i] > 0 {
			if last = i; first == 0 {
				first = i
			}
		}
	}
	if first == 0 {
		return nil
	}
	// Only what follows a bucket of signups has to be read. It is numbered from there.
	after := buckets{from: b.starts[first+1], to: b.bucket(last + 1).to, starts: b.starts[first+1 : last+2]}
	if rows, err = e.personRows(ctx, of, after); err != nil {
		return err
	}
	if of.links.links {
		rows = e.resolved(of.project, of.links, "b", rows)
	}
	stayed := sql("(SELECT DISTINCT who, signed FROM (SELECT person, b + @ AS before FROM @) AS seen JOIN (SELECT person AS who, b AS signed FROM @) AS signups "+
		"ON who = person AND signed = before) AS stayed", bind(first), rows, firsts)
	g.activeThen, err = e.countsByBucket(ctx, len(b.starts), sql("SELECT signed, COUNT(*) FROM @ GROUP BY signed", stayed))
	return err
}

func (g *growthOfRange) points() []GrowthPoint {
	points := make([]GrowthPoint, len(g.b.starts)-1)
	cumulative := g.firsts[0] + g.firsts[1]
	for n := range points {
		i := n + 1
		p := &points[n]
		p.Time = time.UnixMicro(g.b.starts[i]).In(g.loc)
		before := g.active[g.b.bucket(i-1)]
		p.Active, p.New = g.active[g.b.bucket(i)], g.firsts[i+1]
		cumulative += p.New
		p.Cumulative = cumulative
		p.Returning = p.Active + before - g.active[g.with(i)]
		p.Resurrecting = p.Active - p.New - p.Returning
		p.Dormant = p.Returning - before
		p.Net = p.Active - before
		day, week, month := g.windows(i)
		p.DailyActive, p.WeeklyActive, p.MonthlyActive = g.active[day], g.active[week], g.active[month]
		p.Signups = g.signups[i+1]
		if n+1 < len(points) {
			p.SignupsActive = &g.activeThen[i+1]
			p.SignupActiveRate = ratio(*p.SignupsActive, p.Signups)
		}
	}
	return points
}

func (g *growthOfRange) totals() GrowthTotals {
	t := GrowthTotals{Active: g.active[g.whole()]}
	var active, of int64 // of the signups that have a bucket after them
	points := g.points()
	for _, p := range points {
		t.New += p.New
		t.Net += p.Net
		t.Signups += p.Signups
		if p.SignupsActive != nil {
			active += *p.SignupsActive
			of += p.Signups
		}
	}
	if len(points) > 1 {
		t.SignupsActive, t.SignupActiveRate = &active, ratio(active, of)
	}
	last := points[len(points)-1]
	t.Cumulative, t.DailyActive, t.WeeklyActive, t.MonthlyActive = last.Cumulative, last.DailyActive, last.WeeklyActive, last.MonthlyActive
	return t
}
