package main

import (
	"context"
	"fmt"
	"time"

	weir "github.com/weir-analytics/weir"
	"github.com/weir-analytics/weir/internal/deletion"
	"github.com/weir-analytics/weir/internal/insight"
	"github.com/weir-analytics/weir/internal/report"
)

// newDeletions returns what deletes events. Nodes with the role jobs run it.
func (s *server) newDeletions(e *insight.Engine) *deletion.Deletions {
	return deletion.New(deletion.Config{
		Cold: s.cold, Hot: s.hot, Select: deletedEvents{e}, Locks: s.shared.locks, Clock: s.clock, Logger: s.log, Projects: s.meta.Projects, Report: s.reportAgain,
	})
}

// deletedEvents finds the events of a deletion.
type deletedEvents struct{ *insight.Engine }

func matchOf(s deletion.Spec, before time.Time) insight.Match {
	return insight.Match{Filter: s.Conditions(), From: s.From, To: s.To, Before: before}
}

// Count implements deletion.Selector.
func (s deletedEvents) Count(ctx context.Context, p *weir.Project, spec deletion.Spec) (deletion.Numbers, error) {
	n, err := s.Matched(ctx, p, matchOf(spec, time.Time{}))
	return deletion.Numbers{Events: n.Events, Visits: n.Visits, Days: n.Days}, err
}

// Page implements deletion.Selector.
func (s deletedEvents) Page(ctx context.Context, p *weir.Project, spec deletion.Spec, before time.Time, after *weir.EventRow, limit int) ([]weir.EventRow, error) {
	return s.MatchPage(ctx, p, matchOf(spec, before), after, limit)
}

// reportAgain computes the stored reports of some days again.
func (s *server) reportAgain(ctx context.Context, p *weir.Project, first, last weir.Date) error {
	if s.reports == nil {
		return nil
	}
	oldest := weir.DateOf(s.clock.Now(), p.Location()).Add(-report.Kept)
	heads, err := s.meta.ReportHeads(ctx, p.ID, max(first, oldest), last)
	if err != nil {
		return err
	}
	for _, h := range heads {
		if _, err := s.reports.Compute(ctx, p, h.Date); err != nil {
			return fmt.Errorf("%s: %w", h.Date, err)
		}
	}
	return nil
}
