// Package recount counts a project's events again after its timezone changed: its hours and days
// begin at other times, so the hot tier's counters of the past are made from the cold tier.
//
// See DESIGN.md beside package stats.
package recount

import (
	"cmp"
	"context"
	"crypto/rand"
	"fmt"
	"log/slog"
	"slices"
	"time"

	weir "github.com/weir-analytics/weir"
	"github.com/weir-analytics/weir/internal/cold"
	"github.com/weir-analytics/weir/internal/hot"
	"golang.org/x/time/rate"
)

// Meta stores which projects are recounted. *meta.Store implements it.
type Meta interface {
	Recounts(ctx context.Context) ([]weir.Recount, error)
	SaveRecount(ctx context.Context, r weir.Recount) (current bool, err error)
	EndRecount(ctx context.Context, r weir.Recount) error
}

// Hot is what a recount needs of the hot tier. A hot.Store implements it.
type Hot interface {
	hot.Corrector
	Series(ctx context.Context, project string, g hot.Grain, d hot.Dimension, member string, from, to time.Time) ([]hot.Point, error)
}

// Barrier waits until all acknowledged events are in the cold tier. *drain.Drain implements it.
type Barrier interface {
	Flush(ctx context.Context) (asOf time.Time, err error)
}

// Locks let one node at a time do some work. A fleet.Locks is one.
type Locks interface {
	Acquire(ctx context.Context, name, owner string, ttl time.Duration) (ok bool, err error)
	Release(ctx context.Context, name, owner string) error
}

// Config is what a Recounter works with.
type Config struct {
	Meta    Meta
	Hot     Hot
	Cold    cold.Reader
	Barrier Barrier
	Locks   Locks
	Owner   string // of the lock, no other node's
	Clock   weir.Clock
	Logger  *slog.Logger
	Settle  time.Duration // SettleAfter unless set
}

const (
	// every is how often it is looked for projects whose timezone changed.
	every = 2 * time.Second
	// SettleAfter is after how long no event is counted in the former timezone any more:
	// nodes cache projects for a minute, and a request may take as long.
	SettleAfter = 3 * time.Minute
	// daysAtOnce are emptied and counted again at once. With their hours they are
	// less than hot.MaxEmptied buckets.
	daysAtOnce = 7
	lockedFor  = 5 * time.Minute
	// spilled is how old an event may be when the hot tier gets it.
	spilled = 7 * 24 * time.Hour
	// barrierTries is how often a recount tries to pass the barrier completely.
	barrierTries = 10
)

// recounted are the grains whose buckets depend on the timezone.
var recounted = [...]hot.Grain{hot.Day, hot.Hour}

// Recounter does the recounts that projects need.
type Recounter struct {
	c      Config
	failed rate.Sometimes
}

// New makes a Recounter.
func New(c Config) *Recounter {
	if c.Logger == nil {
		c.Logger = slog.New(slog.DiscardHandler)
	}
	if c.Settle == 0 {
		c.Settle = SettleAfter
	}
	return &Recounter{c: c, failed: rate.Sometimes{First: 1, Interval: time.Minute}}
}

// Run looks every two seconds for recounts, until ctx is done; then it returns nil.
func (r *Recounter) Run(ctx context.Context) error {
	t := time.NewTicker(every)
	defer t.Stop()
	for {
		if err := r.Look(ctx); err != nil && ctx.Err() == nil {
			r.failed.Do(func() {
				r.c.Logger.Error("recount: counting events again failed, retrying in 2s", "error", err)
			})
		}
		select {
		case <-ctx.Done():
			return nil
		case <-t.C:
		}
	}
}

// Look does all recounts that there are. After an error the next Look goes on.
func (r *Recounter) Look(ctx context.Context) error {
	all, err := r.c.Meta.Recounts(ctx)
	if err != nil {
		return err
	}
	for _, job := range all {
		if err := r.project(ctx, job); err != nil {
			return fmt.Errorf("recount: project %s: %w", job.ProjectID, err)
		}
	}
	return nil
}

// project does the recount of one project, if no other node does it.
func (r *Recounter) project(ctx context.Context, job weir.Recount) error {
	settled := r.c.Clock.Now().Sub(job.AskedAt) >= r.c.Settle
	if job.Done >= weir.RecountDays && !settled {
		return nil
	}
	loc, err := time.LoadLocation(job.Timezone)
	if err != nil {
		return err
	}
	lock := hot.CorrectionLock(job.ProjectID)
	hold := func() (bool, error) { return r.c.Locks.Acquire(ctx, lock, r.c.Owner, lockedFor) }
	if mine, err := hold(); err != nil || !mine {
		return err
	}
	defer func() { _ = r.c.Locks.Release(context.WithoutCancel(ctx), lock, r.c.Owner) }() // it ends by itself

	y, m, d := weir.CalendarDate(job.AskedAt, loc)
	begin := func(n int) time.Time { return weir.Midnight(y, m, d+2-n, loc) } // of the n-th day
	for job.Done < weir.RecountDays {
		if mine, err := hold(); err != nil || !mine {
			return err
		}
		days := min(daysAtOnce, weir.RecountDays-job.Done)
		if err := r.days(ctx, job.ProjectID, loc, begin(job.Done+days-1), begin(job.Done-1)); err != nil {
			return err
		}
		job.Done += days
		if current, err := r.c.Meta.SaveRecount(ctx, job); err != nil || !current {
			return err
		}
	}
	if !settled {
		r.c.Logger.Info("recounted a project in its new timezone", "project", job.ProjectID, "timezone", job.Timezone)
		return nil
	}
	if err := r.strays(ctx, job.ProjectID, loc); err != nil {
		return err
	}
	return r.c.Meta.EndRecount(ctx, job)
}

// strays counts the days again in which a node has counted events in the former timezone
// since they were counted.
func (r *Recounter) strays(ctx context.Context, project string, loc *time.Location) error {
	now := r.c.Clock.Now()
	buckets, err := r.existing(ctx, project, now.Add(-hot.Day.Kept()), now.AddDate(0, 0, 3))
	if err != nil {
		return err
	}
	slices.SortFunc(buckets, func(a, b hot.Bucket) int { return cmp.Compare(a.Start, b.Start) })
	var until time.Time // counted again
	for _, b := range buckets {
		at := time.Unix(b.Start, 0)
		if begins(b, loc) || at.Before(until) {
			continue
		}
		y, m, d := weir.CalendarDate(at, loc)
		until = weir.Midnight(y, m, d+2, loc) // the events of the bucket are of two days at most
		if err := r.days(ctx, project, loc, weir.Midnight(y, m, d, loc), until); err != nil {
			return err
		}
	}
	return nil
}

// existing returns the days and hours in [from, to) that have counters, each grain oldest first.
func (r *Recounter) existing(ctx context.Context, project string, from, to time.Time) (buckets []hot.Bucket, err error) {
	for _, g := range recounted {
		points, err := r.c.Hot.Series(ctx, project, g, hot.Total, "", from, to)
		if err != nil {
			return nil, err
		}
		for _, p := range points {
			buckets = append(buckets, hot.Bucket{Grain: g, Start: p.Start.Unix()})
		}
	}
	return buckets, nil
}

// begins reports whether an hour or a day begins with the bucket.
func begins(b hot.Bucket, loc *time.Location) bool {
	return b.Grain.Start(time.Unix(b.Start, 0), loc).Unix() == b.Start
}

// days counts the events of whole days again: of their days and hours. Buckets of the former timezone
// are deleted last: after a failure they show that it is not done.
func (r *Recounter) days(ctx context.Context, project string, loc *time.Location, from, to time.Time) error {
	var buckets []hot.Bucket
	there, now := map[hot.Bucket]bool{}, r.c.Clock.Now()
	for t := from; t.Before(to); t = t.Add(cold.QuarterSeconds * time.Second) {
		for _, g := range recounted {
			expired := now.Sub(t) >= g.Kept()+2*24*time.Hour // and deleted by the hot tier
			if b := (hot.Bucket{Grain: g, Start: g.Start(t, loc).Unix()}); !there[b] && !expired {
				there[b] = true
				buckets = append(buckets, b)
			}
		}
	}
	c := &count{r: r, project: project, loc: loc, from: from, to: to, id: rand.Text(), cut: now}
	var err error
	if c.heads, err = r.c.Hot.Empty(ctx, project, c.id, buckets); err != nil {
		return err
	}
	if err := r.complete(ctx); err != nil {
		return err
	}
	if err := c.amounts(ctx); err != nil {
		return err
	}
	if err := c.devices(ctx); err != nil {
		return err
	}
	former, err := r.existing(ctx, project, from, to)
	former = slices.DeleteFunc(former, func(b hot.Bucket) bool { return begins(b, loc) })
	if err != nil || len(former) == 0 {
		return err
	}
	_, err = r.c.Hot.Empty(ctx, project, rand.Text(), former)
	return err
}

// complete waits until all that was acknowledged is in the cold tier. Error: EUNAVAILABLE.
func (r *Recounter) complete(ctx context.Context) error {
	asked := r.c.Clock.Now()
	for range barrierTries {
		asOf, err := r.c.Barrier.Flush(ctx)
		if err != nil {
			return err
		}
		if !asOf.Before(asked) {
			return nil
		}
	}
	return weir.Errorf(weir.EUNAVAILABLE, "not all events are in the cold tier")
}
