package report

import (
	"context"
	"fmt"
	"time"

	weir "github.com/weir-analytics/weir"
	"github.com/weir-analytics/weir/internal/hot"
)

const (
	// CatchUp is how many days back a missing report is computed, and a stored one
	// is looked after.
	CatchUp = 35
	// lookEvery is how often it is looked whether a report is due.
	lookEvery = time.Minute
	// checkEvery is how often stored reports are set against the counters.
	checkEvery = time.Hour
	// turnFor is how long one node computes before another may: longer than one
	// report takes, and what it takes to notice that the node is gone.
	turnFor = maxTime + 2*lookEvery
	// maxPause is the longest time between two tries of a project whose reports fail.
	maxPause = time.Hour
)

// Projects knows all projects. *meta.Store does.
type Projects interface {
	Projects(ctx context.Context) ([]*weir.Project, error)
}

// Scheduler computes the reports that are due. One at a time may run.
type Scheduler struct {
	r        *Reporter
	projects Projects
	once     func(ctx context.Context, ttl time.Duration) (bool, error)

	done    map[string]weir.Date // by project: up to when no report is missing
	trouble map[string]*trouble  // by project
	checked time.Time
	pruned  map[string]weir.Date // by project
}

// trouble is a project's whose reports fail.
type trouble struct {
	pause time.Duration
	until time.Time
}

// NewScheduler makes one. once lets one of several nodes go on for so long; a
// second one that goes on all the same does no harm.
func NewScheduler(r *Reporter, p Projects, once func(ctx context.Context, ttl time.Duration) (bool, error)) *Scheduler {
	return &Scheduler{
		r: r, projects: p, once: once,
		done: make(map[string]weir.Date), trouble: make(map[string]*trouble), pruned: make(map[string]weir.Date),
	}
}

// Run looks every minute for reports that are due, and every hour for stored ones
// that events have come in for since, until ctx is done; then it returns nil.
func (s *Scheduler) Run(ctx context.Context) error {
	t := time.NewTicker(lookEvery)
	defer t.Stop()
	for {
		s.Look(ctx)
		select {
		case <-ctx.Done():
			return nil
		case <-t.C:
		}
	}
}

// Look is one round: it computes what is due, and, when an hour has passed since it
// did, what late events have come in for. What fails is logged, counted, and tried
// again in a later round.
func (s *Scheduler) Look(ctx context.Context) {
	if !s.mine(ctx) {
		s.r.metrics.overdue.Set(0) // for the node whose turn it is to say
		s.done = make(map[string]weir.Date)
		return
	}
	projects, err := s.projects.Projects(ctx)
	if err != nil {
		s.failed(ctx, "look up the projects", err)
		return
	}
	times, err := s.r.cfg.Store.ReportTimes(ctx)
	if err != nil {
		s.failed(ctx, "look up the projects' times", err)
		return
	}
	now := s.r.cfg.Clock.Now()
	var overdue time.Duration
	for _, p := range projects {
		if ctx.Err() != nil {
			return
		}
		overdue = max(overdue, s.catchUp(ctx, p, s.r.at(times[p.ID]), now))
	}
	s.r.metrics.overdue.Set(overdue.Seconds())
	if since := now.Sub(s.checked); since >= 0 && since < checkEvery {
		return // a clock that was wrong, and is ahead no more, holds up nothing
	}
	s.checked = now
	for _, p := range projects {
		s.prune(ctx, p, now)
		if s.r.at(times[p.ID]).off {
			continue
		}
		if err := s.check(ctx, p, now); err != nil {
			s.failed(ctx, "look after stored reports", err, "project", p.ID)
		}
	}
}

func (s *Scheduler) mine(ctx context.Context) bool {
	mine, err := s.once(ctx, turnFor)
	if err != nil {
		s.failed(ctx, "tell which node is to do it", err)
	}
	return mine && ctx.Err() == nil
}

// catchUp computes the reports that are due and missing, oldest first, and returns
// for how long the first that is still missing has been due.
func (s *Scheduler) catchUp(ctx context.Context, p *weir.Project, at At, now time.Time) (overdue time.Duration) {
	last := at.last(now, p.Location())
	if last == "" || s.done[p.ID] >= last {
		return 0
	}
	missing, err := s.missing(ctx, p, last)
	if err == nil && len(missing) > 0 {
		overdue = now.Sub(at.Due(missing[0], p.Location()))
	}
	t := s.trouble[p.ID]
	if err == nil && t != nil && now.Before(t.until) && t.until.Sub(now) <= maxPause {
		return overdue
	}
	for err == nil && len(missing) > 0 {
		if !s.mine(ctx) {
			return 0
		}
		if _, err = s.r.Compute(ctx, p, missing[0]); err == nil {
			missing = missing[1:]
			overdue = 0
		}
	}
	if err != nil {
		if t == nil {
			t = &trouble{pause: lookEvery}
			s.trouble[p.ID] = t
		}
		t.until, t.pause = now.Add(t.pause), min(2*t.pause, maxPause)
		s.failed(ctx, "compute", err, "project", p.ID, "again", t.until)
		return overdue
	}
	s.done[p.ID] = last
	delete(s.trouble, p.ID)
	return 0
}

// missing are the days up to last that should have a report and have none: those
// since the project was made, and those before that events came in for.
func (s *Scheduler) missing(ctx context.Context, p *weir.Project, last weir.Date) ([]weir.Date, error) {
	loc := p.Location()
	first := last.Add(1 - CatchUp)
	if kept := p.RetainedFrom(s.r.cfg.Clock.Now()); first.Begin(loc).Before(kept) {
		first = weir.DateOf(kept, loc)
	}
	heads, err := s.r.cfg.Store.ReportHeads(ctx, p.ID, first, last)
	if err != nil {
		return nil, err
	}
	there := make(map[weir.Date]bool, len(heads))
	for _, h := range heads {
		there[h.Date] = true
	}
	var counted map[weir.Date]int64 // looked up when it matters
	var missing []weir.Date
	for d := first; d <= last; d = d.Add(1) {
		if from, to := d.Span(loc); there[d] || !from.Before(to) {
			continue
		}
		if d < weir.DateOf(p.CreatedAt, loc) {
			if counted == nil {
				if counted, err = s.counted(ctx, p, first, last); err != nil {
					return nil, err
				}
			}
			if counted[d] == 0 {
				continue
			}
		}
		missing = append(missing, d)
	}
	return missing, nil
}

// counted is what the counters say of the days from first to last, in one reading.
func (s *Scheduler) counted(ctx context.Context, p *weir.Project, first, last weir.Date) (map[weir.Date]int64, error) {
	loc := p.Location()
	_, end := last.Span(loc)
	points, err := s.r.cfg.Counters.Series(ctx, p.ID, hot.Day, hot.Total, "", first.Begin(loc), end)
	if err != nil {
		return nil, fmt.Errorf("report: counters: %w", err)
	}
	days := make(map[weir.Date]int64, len(points))
	for _, pt := range points {
		days[weir.DateOf(pt.Start, loc)] += pt.Count
	}
	return days, nil
}

// check computes anew the stored reports of the last days that say something else
// than the counters, or the number of stored events, do now.
func (s *Scheduler) check(ctx context.Context, p *weir.Project, now time.Time) error {
	loc := p.Location()
	last := weir.DateOf(now, loc).Add(-1)
	first := last.Add(1 - CatchUp)
	heads, err := s.r.cfg.Store.ReportHeads(ctx, p.ID, first, last)
	if err != nil || len(heads) == 0 {
		return err
	}
	first = heads[0].Date
	counted, err := s.counted(ctx, p, first, last)
	if err != nil {
		return err
	}
	_, end := last.Span(loc)
	stored, err := s.r.cfg.Source.Events(ctx, p, first.Begin(loc), end)
	if err != nil {
		return fmt.Errorf("report: events by day: %w", err)
	}
	kept := p.RetainedFrom(now)
	for _, h := range heads {
		forgotten := h.Date.Begin(loc).Before(kept)
		if h.Counted == counted[h.Date] && (forgotten || h.Events == stored[h.Date]) {
			continue
		}
		if !s.mine(ctx) {
			return nil
		}
		if _, err := s.r.Compute(ctx, p, h.Date); err != nil {
			return err
		}
	}
	return nil
}

// prune deletes what is older than Kept, once a day.
func (s *Scheduler) prune(ctx context.Context, p *weir.Project, now time.Time) {
	before := weir.DateOf(now, p.Location()).Add(-Kept)
	if s.pruned[p.ID] == before {
		return
	}
	if err := s.r.cfg.Store.PruneReports(ctx, p.ID, before); err != nil {
		s.failed(ctx, "delete old reports", err, "project", p.ID)
		return
	}
	s.pruned[p.ID] = before
}

func (s *Scheduler) failed(ctx context.Context, step string, err error, more ...any) {
	if ctx.Err() != nil {
		return // the server stops
	}
	s.r.metrics.failed.Inc()
	s.r.log.Error("daily reports may be late; trying again", append(more, "step", step, "error", err)...)
}
