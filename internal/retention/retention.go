// Package retention deletes what is old: from the cold tier what projects no longer keep,
// from meta the salts that device ids were derived under.
package retention

import (
	"context"
	"log/slog"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	weir "github.com/weir-analytics/weir"
	"github.com/weir-analytics/weir/internal/cold"
	"github.com/weir-analytics/weir/internal/meta"
)

// retentionEvery is how often retention checks whether a new day has begun for a project.
const retentionEvery = time.Hour

// Keeper says which projects there are, what day it is, and what is deleted already.
// *meta.Store does.
type Keeper interface {
	Projects(ctx context.Context) ([]*weir.Project, error)
	Today(ctx context.Context) (meta.Today, error)
	Forgotten(ctx context.Context) (map[string]time.Time, error)
	SetForgotten(ctx context.Context, before map[string]time.Time) error
}

// Retention deletes from the cold tier what projects no longer keep.
type Retention struct {
	keeper Keeper
	cold   cold.Forgetter
	mayRun func(context.Context, time.Duration) (bool, error) // says whether this node may delete now
	log    *slog.Logger

	failures prometheus.Counter
}

// New makes a Retention and registers its metrics. mayRun says whether this node may delete
// now: of several nodes, one may.
func New(k Keeper, f cold.Forgetter, mayRun func(context.Context, time.Duration) (bool, error), log *slog.Logger, reg prometheus.Registerer) *Retention {
	r := &Retention{
		keeper: k, cold: f, mayRun: mayRun, log: log,
		failures: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "weir_retention_failures_total", Help: "Failed attempts to delete data that is older than the projects' retention; they are retried within the hour.",
		}),
	}
	reg.MustRegister(r.failures)
	return r
}

// Run deletes at the start and every hour, until ctx is done.
func (r *Retention) Run(ctx context.Context) error {
	t := time.NewTicker(retentionEvery)
	defer t.Stop()
	for {
		mine, err := r.mayRun(ctx, 2*retentionEvery)
		if mine {
			r.enforce(ctx)
		}
		if err != nil {
			r.failed(ctx, "choose the node", err)
		}
		select {
		case <-ctx.Done():
			return nil
		case <-t.C:
		}
	}
}

// enforce deletes for the projects whose boundary has moved since the last time, many in one
// statement. A statement that fails is retried the next time.
func (r *Retention) enforce(ctx context.Context) {
	today, err := r.keeper.Today(ctx)
	if err != nil {
		r.failed(ctx, "read the clock", err)
		return
	}
	logClockDoubt(r.log, today, "retention uses the last trusted time")
	all, err := r.keeper.Projects(ctx)
	if err != nil {
		r.failed(ctx, "read the projects", err)
		return
	}
	done, err := r.keeper.Forgotten(ctx)
	if err != nil {
		r.failed(ctx, "read what is deleted already", err)
		return
	}
	for _, some := range cold.GroupDeletions(deletionsOf(all, done, today.Time)) {
		if err := r.cold.Forget(ctx, some...); err != nil {
			r.failed(ctx, "delete", err, "projects", len(some), "first", some[0].ProjectID)
			continue
		}
		before := make(map[string]time.Time, len(some))
		for _, c := range some {
			before[c.ProjectID] = c.Before
		}
		if err := r.keeper.SetForgotten(ctx, before); err != nil {
			r.failed(ctx, "store what was deleted", err)
			continue
		}
		r.log.Info("retention: deleted old data", "projects", len(some), "first", some[0].ProjectID, "before", some[0].Before)
	}
}

// deletionsOf returns the boundaries of the projects with a retention, without those that are
// done already.
func deletionsOf(all []*weir.Project, done map[string]time.Time, today time.Time) []cold.Deletion {
	var deletions []cold.Deletion
	for _, p := range all {
		// Long ago some timezones had days that do not begin with a quarter of an hour.
		before := p.RetainedFrom(today).UTC().Truncate(cold.QuarterSeconds * time.Second)
		if before.Before(cold.Earliest) {
			continue // there can be no older data
		}
		// A stored boundary in the future was made under a wrong clock, so it is ignored.
		if last := done[p.ID]; !before.After(last) && !last.After(today) {
			continue
		}
		deletions = append(deletions, cold.Deletion{ProjectID: p.ID, Before: before})
	}
	return deletions
}

func (r *Retention) failed(ctx context.Context, step string, err error, more ...any) {
	if ctx.Err() != nil {
		return // the server is stopping
	}
	r.failures.Inc()
	r.log.Error("retention: deletion failed, retrying in 1h", append(more, "step", step, "error", err)...)
}

// logClockDoubt logs that the clock is not trusted, and the consequence.
func logClockDoubt(log *slog.Logger, t meta.Today, means string) {
	if t.InDoubt() {
		log.Error("the clock jumped far ahead and may be wrong; it is trusted after 24h",
			"until_then", means, "ahead", t.Ahead, "as_of", t.Time, "believed_at", t.Until)
	}
}
