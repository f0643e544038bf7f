package main

import (
	"context"

	"github.com/weir-analytics/weir/internal/retention"
)

// projectDeleter returns what deletes projects from the stores of events until ctx is done.
func (s *server) projectDeleter(ctx context.Context) func() error {
	d := &retention.ProjectDeleter{
		Deletions: s.meta, Cold: s.cold, Hot: s.hot, Flush: s.drain.Flush, MayRun: s.once("projects"), Log: s.log,
	}
	return func() error { return d.Run(ctx) }
}
