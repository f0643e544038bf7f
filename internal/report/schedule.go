package report

import (
	"context"
	"fmt"
	"maps"
	"slices"
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
	// maxPause is the longest time between two tries of a day whose report fails.
	maxPause = time.Hour
)

// Projects lists all projects. *meta.Store is one.
type Projects interface {
	Projects(ctx context.Context) ([]*weir.Project, error)
}

// Scheduler computes the reports that are due. One at a time may run.
type Scheduler struct {
	r        *Reporter
	projects Projects
	once     func(ctx context.Context, ttl time.Duration) (bool, error)

	done    map[string]weir.Date   // by project: the last day that was due when no report was missing
	stale   map[string][]weir.Date // by project: what the last check found that says something else now
	trouble map[day]*trouble
	checked time.Time
	pruned  map[string]weir.Date // by project
}

// day is a project's. The empty date is of what comes before all days: which are missing.
type day struct {
	project string
	date    weir.Date
}

// trouble is the retry of a day's report that failed.
type trouble struct {
	pause time.Duration
	until time.Time
}

// NewScheduler makes a Scheduler. once says whether this node may compute reports for the next
// ttl: of several nodes, one may. If two do so all the same, it does no harm.
func NewScheduler(r *Reporter, p Projects, once func(ctx context.Context, ttl time.Duration) (bool, error)) *Scheduler {
	return &Scheduler{
		r: r, projects: p, once: once,
		done: make(map[string]weir.Date), stale: make(map[string][]weir.Date), trouble: make(map[day]*trouble), pruned: make(map[string]weir.Date),
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
	defer func() { s.r.metrics.failing.Set(float64(s.failing())) }()
	if !s.mine(ctx) {
		if ctx.Err() != nil {
			return // the server stops
		}
		s.r.metrics.overdue.Set(0) // for the node whose turn it is to say
		clear(s.done)
		clear(s.stale)
		clear(s.trouble)
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
	since := now.Sub(s.checked)
	check := since < 0 || since >= checkEvery // a clock that was wrong, and is ahead no more, holds up nothing
	if check {
		s.checked = now
		s.forget(ctx, projects, now)
	}
	var overdue time.Duration
	for _, p := range projects {
		if p.Recounting.Running {
			continue
		}
		at := s.r.at(times[p.ID])
		if ctx.Err() != nil {
			return
		}
		overdue = max(overdue, s.catchUp(ctx, p, at, now))
		if at.off {
			delete(s.stale, p.ID)
			continue
		}
		if check {
			s.check(ctx, p, now)
		}
		if some := s.stale[p.ID]; len(some) > 0 {
			s.stale[p.ID], _ = s.compute(ctx, p, some, now)
		}
	}
	s.r.metrics.overdue.Set(overdue.Seconds())
}

// forget begins an hour's check: days before the project was made may have got events,
// old reports go, and so does the trouble of days that are looked after no more.
func (s *Scheduler) forget(ctx context.Context, projects []*weir.Project, now time.Time) {
	clear(s.done)
	clear(s.stale)
	maps.DeleteFunc(s.trouble, func(_ day, t *trouble) bool { return now.Sub(t.until) > 2*maxPause || t.ahead(now) })
	today := now
	if s.r.cfg.Today != nil {
		var err error
		if today, err = s.r.cfg.Today(ctx); err != nil {
			s.failed(ctx, "look at the clock", err)
			return
		}
	}
	for _, p := range projects {
		s.prune(ctx, p, today)
	}
}

// failing is how many days are in trouble.
func (s *Scheduler) failing() (n int) {
	for d := range s.trouble {
		if d.date != "" {
			n++
		}
	}
	return n
}

func (s *Scheduler) mine(ctx context.Context) bool {
	mine, err := s.once(ctx, turnFor)
	if err != nil {
		s.failed(ctx, "choose the node", err)
	}
	return mine && ctx.Err() == nil
}

// catchUp computes the reports that are due and missing, oldest first, and returns
// for how long the first that is still missing has been due.
func (s *Scheduler) catchUp(ctx context.Context, p *weir.Project, at At, now time.Time) (overdue time.Duration) {
	last := at.last(now, p.Location())
	before := day{project: p.ID}
	if last == "" || s.done[p.ID] == last || s.paused(before, now) {
		return 0
	}
	missing, err := s.missing(ctx, p, last)
	if err != nil {
		s.troubled(ctx, before, "look for missing reports", err, now)
		return 0
	}
	delete(s.trouble, before)
	left, mine := s.compute(ctx, p, missing, now)
	switch {
	case !mine:
		return 0
	case len(left) == 0:
		s.done[p.ID] = last
		return 0
	}
	return now.Sub(at.Due(left[0], p.Location()))
}

// compute computes reports, in the order given but those last that failed before, and
// returns the days that are left, in order. What fails is left for a later round, so that
// a day that cannot be computed holds up no other; and so is what comes after it, so that
// a round of a project takes no longer than one failure. mine is false when it is another
// node's turn.
func (s *Scheduler) compute(ctx context.Context, p *weir.Project, days []weir.Date, now time.Time) (left []weir.Date, mine bool) {
	var first, again []weir.Date
	for _, d := range days {
		switch at := (day{p.ID, d}); {
		case s.trouble[at] == nil:
			first = append(first, d)
		case s.paused(at, now):
			left = append(left, d)
		default:
			again = append(again, d)
		}
	}
	all := slices.Concat(first, again)
	for i, d := range all {
		if !s.mine(ctx) {
			return nil, false
		}
		if _, err := s.r.Compute(ctx, p, d); err != nil {
			s.troubled(ctx, day{p.ID, d}, "compute", err, now)
			left = append(left, all[i:]...)
			break
		}
		delete(s.trouble, day{p.ID, d})
	}
	slices.Sort(left)
	return left, true
}

// paused says whether it is too early to try again.
func (s *Scheduler) paused(d day, now time.Time) bool {
	t := s.trouble[d]
	return t != nil && now.Before(t.until) && !t.ahead(now)
}

// ahead says whether the trouble began while the clock was ahead.
func (t *trouble) ahead(now time.Time) bool { return t.until.Sub(now) > maxPause }

// troubled puts the next try off, ever longer.
func (s *Scheduler) troubled(ctx context.Context, d day, step string, err error, now time.Time) {
	t := s.trouble[d]
	if t == nil {
		t = &trouble{pause: lookEvery}
		s.trouble[d] = t
	}
	t.until, t.pause = now.Add(t.pause), min(2*t.pause, maxPause)
	s.failed(ctx, step, err, "project", d.project, "date", d.date, "again", t.until)
}

// missing are the days up to last that should have a report and have none: those
// since the project was made, and those before that events came in for.
func (s *Scheduler) missing(ctx context.Context, p *weir.Project, last weir.Date) ([]weir.Date, error) {
	loc := p.Location()
	first := last.Add(1 - CatchUp)
	now := s.r.cfg.Clock.Now()
	if kept := p.RetainedFrom(now); first.Begin(loc).Before(kept) {
		first = weir.DateOf(kept, loc)
	}
	heads, err := s.r.cfg.Store.ReportHeads(ctx, p.ID, first, last)
	if err != nil {
		return nil, err
	}
	there := make(map[weir.Date]bool, len(heads))
	for _, h := range heads {
		// What was computed while the clock was ahead may be of a day that was not over.
		there[h.Date] = !h.ComputedAt.After(now)
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

// check finds the stored reports of the last days that say something else than the
// counters, or the number of stored events, do now.
func (s *Scheduler) check(ctx context.Context, p *weir.Project, now time.Time) {
	days, err := s.differing(ctx, p, now)
	if err != nil {
		s.failed(ctx, "look after stored reports", err, "project", p.ID)
		return
	}
	s.stale[p.ID] = days
}

func (s *Scheduler) differing(ctx context.Context, p *weir.Project, now time.Time) ([]weir.Date, error) {
	loc := p.Location()
	last := weir.DateOf(now, loc).Add(-1)
	first := last.Add(1 - CatchUp)
	heads, err := s.r.cfg.Store.ReportHeads(ctx, p.ID, last.Add(1-Kept), last)
	kept := p.RetainedFrom(now)
	heads = slices.DeleteFunc(heads, func(h weir.ReportHead) bool {
		if h.Counted == weir.CountedElsewhere { // as far back as its events are there
			return h.Date.Begin(loc).Before(kept)
		}
		return h.Date < first
	})
	if err != nil || len(heads) == 0 {
		return nil, err
	}
	first = heads[0].Date
	counted, err := s.counted(ctx, p, first, last)
	if err != nil {
		return nil, err
	}
	_, end := last.Span(loc)
	stored, err := s.r.cfg.Source.Events(ctx, p, first.Begin(loc), end)
	if err != nil {
		return nil, fmt.Errorf("report: events by day: %w", err)
	}
	var days []weir.Date
	for _, h := range heads {
		forgotten := h.Date.Begin(loc).Before(kept)
		if h.Counted != counted[h.Date] || !forgotten && h.Events != stored[h.Date] {
			days = append(days, h.Date)
		}
	}
	return days, nil
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
