package main

import (
	"context"
	"log/slog"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	weir "github.com/weir-analytics/weir"
	"github.com/weir-analytics/weir/internal/cold"
)

// retentionEvery is how often it is looked whether a project's day has passed.
const retentionEvery = time.Hour

// projects knows all projects. *meta.Store does.
type projects interface {
	Projects(ctx context.Context) ([]*weir.Project, error)
}

// retention deletes from the cold tier what projects no longer keep.
type retention struct {
	projects projects
	cold     cold.Forgetter
	once     func(context.Context, time.Duration) (bool, error) // lets one of several nodes do it
	clock    weir.Clock
	log      *slog.Logger

	failures prometheus.Counter
	done     map[string]time.Time // by project: before which this process has deleted
}

func newRetention(p projects, f cold.Forgetter, once func(context.Context, time.Duration) (bool, error), clock weir.Clock, log *slog.Logger, reg prometheus.Registerer) *retention {
	r := &retention{
		projects: p, cold: f, once: once, clock: clock, log: log, done: make(map[string]time.Time),
		failures: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "weir_retention_failures_total", Help: "Failed tries to delete what projects no longer keep; they are made again within the hour.",
		}),
	}
	reg.MustRegister(r.failures)
	return r
}

// run deletes at the start and every hour, until ctx is done.
func (r *retention) run(ctx context.Context) error {
	t := time.NewTicker(retentionEvery)
	defer t.Stop()
	for {
		mine, err := r.once(ctx, 2*retentionEvery)
		if mine {
			r.enforce(ctx)
		}
		if err != nil {
			r.failed(ctx, "tell which node is to do it", err)
		}
		select {
		case <-ctx.Done():
			return nil
		case <-t.C:
		}
	}
}

// enforce goes through the projects. One that fails does not hold up the others.
func (r *retention) enforce(ctx context.Context) {
	all, err := r.projects.Projects(ctx)
	if err != nil {
		r.failed(ctx, "look up the projects", err)
		return
	}
	now := r.clock.Now()
	for _, p := range all {
		before := p.RetainedFrom(now)
		// The zones of long ago had days that begin with no quarter of an hour.
		before = before.UTC().Truncate(cold.QuarterSeconds * time.Second)
		if before.Before(cold.Earliest) || !before.After(r.done[p.ID]) {
			continue // all is kept, or no day has passed
		}
		if err := r.cold.Forget(ctx, p.ID, before); err != nil {
			r.failed(ctx, "delete", err, "project", p.ID, "before", before)
			continue
		}
		r.done[p.ID] = before
		r.log.Info("deleted what a project no longer keeps", "project", p.ID, "before", before)
	}
}

func (r *retention) failed(ctx context.Context, step string, err error, more ...any) {
	if ctx.Err() != nil {
		return // the server stops
	}
	r.failures.Inc()
	r.log.Error("what projects no longer keep may not be deleted; trying again in an hour", append(more, "step", step, "error", err)...)
}
