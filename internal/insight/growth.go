package insight

import (
	"context"
	"time"
)

func (pl *growthPlan) answer(ctx context.Context, r *reader) (Answer, error) {
	of := pl.persons(r)
	ranges := withEarlier(pl.now, pl.before)
	found := make([]*growthOfRange, len(ranges))
	var parts []func(context.Context) error
	for i, b := range ranges {
		g := &growthOfRange{b: b, loc: r.project.Location(), asOf: r.asOf.UnixMicro()}
		found[i] = g
		parts = append(parts,
			func(ctx context.Context) error { return pl.active(ctx, r, of, g) },
			func(ctx context.Context) error { return pl.firsts(ctx, r, of, g) },
			func(ctx context.Context) error { return pl.signedUp(ctx, r, of, g) })
	}
	if err := r.parallel(ctx, parts...); err != nil {
		return nil, err
	}
	left, err := pl.leftOut(ctx, r)
	if err != nil {
		return nil, err
	}
	a := &Growth{About: About{BotsLeftOut: left}, Points: found[0].points(), Totals: found[0].totals()}
	if pl.before != nil {
		a.Compare = &GrowthComparison{
			From: r.local(pl.before.starts[1]), To: r.local(pl.before.to), Points: found[1].points(), Totals: found[1].totals(),
		}
	}
	return a, nil
}

// leftOut counts the bots that are left out of the range.
func (pl *growthPlan) leftOut(ctx context.Context, r *reader) (*int64, error) {
	whole := buckets{from: pl.now.starts[1], to: pl.now.to, starts: pl.now.starts[1:2]}
	return r.leftOut(ctx, pl.bots, whole, pl.filter, fragment{})
}

// growthOfRange is what is counted over one range. Bucket 0 is the one before it. Slices
// by bucket begin with one for all time before bucket 0, so bucket i is at index i+1.
type growthOfRange struct {
	b    buckets
	loc  *time.Location
	asOf int64

	active     map[span]int64 // distinct persons
	firsts     []int64        // persons by the bucket of their first event
	signups    []int64        // persons by the bucket of their first signup
	activeThen []int64        // those of the signups who were active in the bucket after
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

// active counts the active persons of all spans that the answer is made of. Persons who
// were active in both of two buckets need no count of their own: there are as many in both
// as in the one and in the other, less those in either. Of 5 and 4 persons, 7 together, 2
// were in both.
func (pl *growthPlan) active(ctx context.Context, r *reader, of *personScope, g *growthOfRange) error {
	spans := []span{g.b.bucket(0)}
	for i := 1; i < len(g.b.starts); i++ {
		day, week, month := g.windows(i)
		spans = append(spans, g.b.bucket(i), g.with(i), day, week, month)
	}
	var err error
	g.active, err = r.countPersons(ctx, of, append(spans, g.whole()))
	return err
}

// firsts counts the persons by the bucket of their first ever event.
func (pl *growthPlan) firsts(ctx context.Context, r *reader, of *personScope, g *growthOfRange) error {
	b := g.b.withPast()
	rows, err := r.personRows(ctx, of, b)
	if err != nil {
		return err
	}
	g.firsts, err = r.countsByBucket(ctx, len(b.starts), selection{columns: raw("b, COUNT(*)"), from: r.firstBuckets(rows), groupBy: "b"})
	return err
}

// signedUp counts the persons by the bucket of their first ever signup, and which of them
// were active in the bucket after.
func (pl *growthPlan) signedUp(ctx context.Context, r *reader, of *personScope, g *growthOfRange) error {
	b := g.b.withPast()
	rows, err := r.personRows(ctx, pl.signups(of), b)
	if err != nil {
		return err
	}
	firsts := r.firstBuckets(rows)
	if g.signups, err = r.countsByBucket(ctx, len(b.starts), selection{columns: raw("b, COUNT(*)"), from: firsts, groupBy: "b"}); err != nil {
		return err
	}
	g.activeThen = make([]int64, len(b.starts))
	// The first and the last bucket of the range that has signups, and a bucket after it.
	first, last := 0, 0
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
	// Only the buckets after those are read. They are numbered from 0, so bucket b comes
	// just after bucket b + first.
	after := buckets{from: b.starts[first+1], to: b.end(last + 1), starts: b.starts[first+1 : last+2]}
	if rows, err = r.personRows(ctx, of, after); err != nil {
		return err
	}
	if r.linked {
		rows = r.resolved("b", rows)
	}
	seen := selection{columns: sql("person, b + @ AS before", bind(first)), from: rows}
	signups := selection{columns: raw("person AS who, b AS signed"), from: firsts}
	stayed := selection{columns: raw("DISTINCT who, signed"), from: sql("@ JOIN @ ON who = person AND signed = before", seen.as("seen"), signups.as("signups"))}
	g.activeThen, err = r.countsByBucket(ctx, len(b.starts), selection{columns: raw("signed, COUNT(*)"), from: stayed.as("stayed"), groupBy: "signed"})
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
