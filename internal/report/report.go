// Package report computes, once a night, what is known of each project's day, and
// keeps it. A report is computed from the cold tier and set against the counters of
// the hot tier: they agree, or the report says why not.
//
// Days are the project's. A report that is stored is replaced when more events of
// its day come in; its revision counts that.
package report

import (
	"context"
	"iter"
	"log/slog"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	weir "github.com/weir-analytics/weir"
	"github.com/weir-analytics/weir/internal/hot"
)

const (
	// Kept is for how many days before today reports are kept.
	Kept = 365
	// MaxDays is the most days that may be read at once.
	MaxDays = 366
	// TopAPIs is how many APIs a report lists by name.
	TopAPIs = 100

	topPages = 20
	// page is how many reports are in memory while they are read.
	page = 31
)

// Store keeps reports. *meta.Store does.
type Store interface {
	Report(ctx context.Context, projectID string, d weir.Date) (*weir.Report, error)
	Reports(ctx context.Context, projectID string, first, last weir.Date) ([]*weir.Report, error)
	ReportHeads(ctx context.Context, projectID string, first, last weir.Date) ([]weir.ReportHead, error)
	SaveReport(ctx context.Context, r *weir.Report, after int) (saved bool, err error)
	PruneReports(ctx context.Context, projectID string, before weir.Date) error
	ReportTimes(ctx context.Context) (map[string]string, error)
	ReportTime(ctx context.Context, projectID string) (string, error)
	SetReportTime(ctx context.Context, projectID, at string) error
}

// Source answers about a stretch of a project's time from the cold tier, of all
// that was acknowledged before it is asked.
type Source interface {
	// Flush waits until what was acknowledged is in the cold tier, for a while;
	// asOf is the time up to which it is.
	Flush(ctx context.Context) (asOf time.Time, err error)
	Totals(ctx context.Context, p *weir.Project, from, to time.Time) (weir.ReportTotals, error)
	// Calls lists the top APIs by calls, and the others as one.
	Calls(ctx context.Context, p *weir.Project, from, to time.Time, top int) (weir.ReportCalls, error)
	Growth(ctx context.Context, p *weir.Project, from, to time.Time) (weir.ReportGrowth, error)
	// Visits lists the top pages by views.
	Visits(ctx context.Context, p *weir.Project, from, to time.Time, top int) (weir.ReportVisits, error)
	// Dead counts the events that the cold tier refused for ever, and the calls among
	// them.
	Dead(ctx context.Context, p *weir.Project, from, to time.Time) (events, calls int64, err error)
	// Events is the number of events by day, as of a minute ago at most. Days
	// without any may be missing.
	Events(ctx context.Context, p *weir.Project, from, to time.Time) (map[weir.Date]int64, error)
}

// Config is what a Reporter works with.
type Config struct {
	Store    Store
	Source   Source       // nil where there is no cold tier: then reports are read, not computed
	Counters hot.Counters // what Source is set against
	At       At           // of projects without a time of their own
	Clock    weir.Clock
	// Today is the time that old reports are deleted by; nil is the clock's.
	Today    func(ctx context.Context) (time.Time, error)
	Logger   *slog.Logger          // nil logs nothing
	Registry prometheus.Registerer // nil is one of its own
}

// Reporter computes reports and reads them. It is safe for concurrent use.
type Reporter struct {
	cfg     Config
	log     *slog.Logger
	metrics *metrics
	turn    chan struct{} // one report at a time is computed: each asks much of the cold tier
}

// New makes a Reporter.
func New(c Config) *Reporter {
	r := &Reporter{cfg: c, log: c.Logger, turn: make(chan struct{}, 1)}
	if r.log == nil {
		r.log = slog.New(slog.DiscardHandler)
	}
	if c.Registry == nil {
		c.Registry = prometheus.NewRegistry()
	}
	r.metrics = newMetrics(c.Registry)
	return r
}

// Daily is the report of a day, compared with earlier ones. A day that is not over has
// none, though a clock that was ahead may have stored one. Error: ENOTFOUND.
func (r *Reporter) Daily(ctx context.Context, p *weir.Project, d weir.Date) (*weir.Report, error) {
	if d >= r.today(p) {
		return nil, weir.Errorf(weir.ENOTFOUND, "there is no report of %s: the day is not over", d)
	}
	a, err := r.cfg.Store.Report(ctx, p.ID, d)
	if err != nil {
		return nil, err
	}
	before := make(map[weir.Date]*weir.Report, 2)
	for _, earlier := range []weir.Date{d.Add(-1), d.Add(-7)} {
		b, err := r.cfg.Store.Report(ctx, p.ID, earlier)
		if err != nil && weir.ErrorCode(err) != weir.ENOTFOUND {
			return nil, err
		}
		before[earlier] = b
	}
	compare(a, before)
	return a, nil
}

// today returns the project's current date.
func (r *Reporter) today(p *weir.Project) weir.Date {
	return weir.DateOf(r.cfg.Clock.Now(), p.Location())
}

// Days yields the stored reports of the days from first to last, oldest first,
// compared with earlier ones. It reads a month at a time, and nothing stays open
// while the caller has one. Error: EINVALID for more than MaxDays, then and there.
func (r *Reporter) Days(ctx context.Context, p *weir.Project, first, last weir.Date) (iter.Seq2[*weir.Report, error], error) {
	if last < first {
		return nil, weir.Errorf(weir.EINVALID, "from must not be after to")
	}
	if last >= first.Add(MaxDays) {
		return nil, weir.Errorf(weir.EINVALID, "more than %d days: ask for fewer at once", MaxDays)
	}
	last = min(last, r.today(p).Add(-1))
	return func(yield func(*weir.Report, error) bool) {
		known := make(map[weir.Date]*weir.Report)
		// A week earlier, for the comparisons.
		for begin := first.Add(-7); begin <= last; {
			end := min(begin.Add(page-1), last)
			all, err := r.cfg.Store.Reports(ctx, p.ID, begin, end)
			if err != nil {
				yield(nil, err)
				return
			}
			for _, a := range all {
				known[a.Date] = a
				if a.Date >= first {
					compare(a, known)
					if !yield(a, nil) {
						return
					}
				}
			}
			begin = end.Add(1)
			for d := range known {
				if d < begin.Add(-7) {
					delete(known, d)
				}
			}
		}
	}, nil
}

// Schedule says when a project's reports are computed.
type Schedule struct {
	At       string     `json:"at" doc:"the project's own time of day, HH:MM in its timezone, or off; empty for the server's"`
	Used     string     `json:"used" doc:"the time that counts"`
	Timezone string     `json:"timezone"`
	Next     *time.Time `json:"next,omitempty" doc:"when the next report is due; missing when reports are off"`
}

// Schedule is a project's.
func (r *Reporter) Schedule(ctx context.Context, p *weir.Project) (*Schedule, error) {
	own, err := r.cfg.Store.ReportTime(ctx, p.ID)
	if err != nil {
		return nil, err
	}
	return r.schedule(p, own), nil
}

func (r *Reporter) schedule(p *weir.Project, own string) *Schedule {
	at := r.at(own)
	s := &Schedule{At: own, Used: at.String(), Timezone: p.Timezone}
	if loc := p.Location(); !at.off {
		next := at.Due(at.last(r.cfg.Clock.Now(), loc).Add(1), loc).In(loc)
		s.Next = &next
	}
	return s
}

// at returns the report time of a project: its own if the stored text is one, otherwise the
// server's.
func (r *Reporter) at(own string) At {
	if a, err := ParseAt(own); err == nil {
		return a
	}
	return r.cfg.At
}

// SetSchedule gives a project a time of its own, or with "" the server's. Error:
// EINVALID, ENOTFOUND.
func (r *Reporter) SetSchedule(ctx context.Context, p *weir.Project, own string) (*Schedule, error) {
	if own != "" {
		if _, err := ParseAt(own); err != nil {
			return nil, err
		}
	}
	if err := r.cfg.Store.SetReportTime(ctx, p.ID, own); err != nil {
		return nil, err
	}
	return r.schedule(p, own), nil
}
