// Package transfer copies the past from one cold tier to another: events, visits,
// links, changes of traits and dead letters, project by project and day by day, and compares what has
// arrived with what was there.
//
// # What it promises
//
// A copy may be stopped or killed at any moment: started again it goes on, and adds
// nothing twice. What the destination has besides is left alone: it may be in use
// already. Who was erased on either side is copied and compared as erased, and is
// erased in the destination: see applyMarks. Nothing is written to the source, and nobody else may write to it
// meanwhile; if somebody did, Run says so at the end.
//
// # How
//
// The unit is a project's day (UTC), or several that have few rows. Of a unit, the
// rows of a table are read in windows of time that fit into memory, in an order of
// their own, and cut into batches. A batch's token is a function of its rows, so the
// same rows come under the same token however often the unit is begun.
//
// A unit that is begun is marked in the destination, and so is one that is done and
// found equal; a mark is a batch without rows. What is done with a unit depends on
// what is found there at the start: see mode.
//
// After a window is written it is read back. Each row is hashed as a whole, with all
// its columns, and each hash of the source has to be among those of the destination,
// as often as it is in the source. So a row that is missing, altered, or there twice
// is found, and rows of others do not matter.
package transfer

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"time"

	weir "github.com/weir-analytics/weir"
	"github.com/weir-analytics/weir/internal/cold"
)

// Store is the destination.
type Store interface {
	cold.Reader
	cold.Writer
	cold.Eraser
	Add(ctx context.Context, token string, rows cold.Additions) error
}

// Options tune a copy. The zero value is good.
type Options struct {
	Projects []string // ids; nil is all
	// Recheck compares the days, too, that an earlier run has marked as done, and
	// copies what has gone missing from any day.
	Recheck bool

	Batch   int // rows of a batch at most; 0 is 10,000
	Window  int // rows that are read at once, about; 0 is 250,000
	Writers int // batches that are written at once; 0 is 3

	Clock    weir.Clock
	Logger   *slog.Logger                               // nil is silent
	Progress func(Progress)                             // after each batch, by one goroutine at a time
	Pause    func(context.Context, time.Duration) error // nil waits
}

// Progress is how far a copy is.
type Progress struct {
	Project string
	Day     time.Time // UTC midnight; several days may be dealt with as one, of which it is the first
	// Rows have been dealt with in this run, of Total that are to be; days that an
	// earlier run has done are in neither.
	Rows, Total int64
}

// Report is what a copy came to. A row counts when it was found in the destination.
type Report struct {
	Projects, Days int
	Before         int // of the days: done and marked by an earlier run, not looked at again
	Events, Visits int64
	Links, Dead    int64
	Aliases        int64 // of profiles, which are links too
	Traits         int64 // changes of them
	Erased         int   // persons and devices that the source's erasures took out of the destination
	Differences    []Difference
}

// Rows is the sum over the tables.
func (r *Report) Rows() int64 { return r.Events + r.Visits + r.Links + r.Aliases + r.Traits + r.Dead }

// Errors that Run returns, besides those of the stores.
var (
	// ErrDiffers says that the destination has not got all of the source.
	ErrDiffers = errors.New("the destination is not what the source is")
	// ErrChanged says that somebody wrote to the source during the copy.
	ErrChanged = errors.New("the source was written to during the copy: stop the server that uses it, and start the copy again")
	// ErrEmpty says that the source has nothing to copy.
	ErrEmpty = errors.New("the source has no events")
)

// Run copies. It tries what fails several times over some minutes, and returns the
// error when it still does. When ctx is done it stops after the batches that are
// under way, with ctx's error. Differences do not end it: it copies what it can, and
// returns ErrDiffers, with all of them in the report.
func Run(ctx context.Context, from cold.Reader, to Store, o Options) (Report, error) {
	r := newRun(from, to, o)
	err := r.all(ctx)
	if err == nil && len(r.report.Differences) > 0 {
		err = ErrDiffers
	}
	if err != nil {
		err = fmt.Errorf("transfer: %w", err)
	}
	return r.report, err
}

// run is a copy under way.
type run struct {
	from cold.Reader
	to   Store
	o    Options
	log  *slog.Logger

	there  survey // what the destination had at the start
	erased map[string]*erased
	report Report
	meter  meter
	waited int // times that something was looked for again
}

func newRun(from cold.Reader, to Store, o Options) *run {
	if o.Batch <= 0 {
		o.Batch = 10_000
	}
	if o.Window <= 0 {
		o.Window = 250_000
	}
	if o.Writers <= 0 {
		o.Writers = 3
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	if o.Pause == nil {
		o.Pause = pause
	}
	return &run{from: from, to: to, o: o, log: o.Logger, erased: map[string]*erased{}, meter: meter{tell: o.Progress}}
}

func pause(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (r *run) all(ctx context.Context) error {
	source, err := takeSurvey(ctx, r.from, r.o.Projects)
	if err != nil {
		return fmt.Errorf("look at the source: %w", err)
	}
	marks, err := countMarks(ctx, r.from, r.o.Projects)
	if err != nil {
		return fmt.Errorf("look who was erased in the source: %w", err)
	}
	projects := slices.Collect(maps.Keys(source))
	for p := range marks {
		if source[p] == nil {
			projects = append(projects, p)
		}
	}
	slices.Sort(projects)
	if err := r.check(projects); err != nil {
		return err
	}
	if r.there, err = takeSurvey(ctx, r.to, r.o.Projects); err != nil {
		return fmt.Errorf("look at the destination: %w", err)
	}
	if err := r.copyDeletions(ctx); err != nil {
		return err
	}
	for _, p := range projects {
		if err := r.applyMarks(ctx, p); err != nil {
			return fmt.Errorf("project %s: erase who was erased in the source: %w", p, err)
		}
	}
	todo, err := r.plan(ctx, source, projects)
	if err != nil {
		return err
	}
	for _, u := range todo {
		if err := r.unit(ctx, u); err != nil {
			return err
		}
	}
	after, err := takeSurvey(ctx, r.from, r.o.Projects)
	if err != nil {
		return fmt.Errorf("look at the source again: %w", err)
	}
	marksAfter, err := countMarks(ctx, r.from, r.o.Projects)
	if err != nil {
		return fmt.Errorf("look at the source again: %w", err)
	}
	if !source.equal(after) || !maps.Equal(marks, marksAfter) {
		return ErrChanged
	}
	return nil
}

// check refuses a source that cannot be copied as it is.
func (r *run) check(projects []string) error {
	for _, p := range r.o.Projects {
		if !slices.Contains(projects, p) {
			return fmt.Errorf("project %q: %w", p, ErrEmpty)
		}
	}
	if len(projects) == 0 {
		return ErrEmpty
	}
	return nil
}

// unit is what is copied, compared and marked as one: a day of a project, or several
// days of one month that have few rows together.
type unit struct {
	project string
	span    span
	days    int // that have rows
	content content
	erased  string // who was erased, when the mode was chosen
	mode    mode
	done    bool // has the mark of a complete copy, but its rows are checked again
}

// plan returns the units to copy, in order. It adds the units that are complete to the report.
func (r *run) plan(ctx context.Context, source survey, projects []string) ([]unit, error) {
	var todo []unit
	r.report.Projects = len(projects)
	for _, p := range projects {
		marks, err := marksOf(ctx, r.to, p)
		if err != nil {
			return nil, fmt.Errorf("look for marks of an earlier run: %w", err)
		}
		for _, u := range r.units(p, source[p]) {
			u.erased = r.erased[p].name()
			u.done = marks.done[u.name()]
			r.report.Days += u.days
			// Rows may have been deleted since, the marks among them or not.
			if u.done && !r.o.Recheck && r.had(&u).events >= u.content.events {
				r.report.Before += u.days
				r.report.add(u.content)
				continue
			}
			u.mode = r.modeOf(&u, marks.begun[r.begunName(&u)])
			todo = append(todo, u)
			r.meter.total += u.content.rows()
		}
	}
	return todo, nil
}

// units joins days in a row while they have no more rows than one batch. Not over the
// end of a month: ClickHouse takes an insert whole within a month.
func (r *run) units(project string, days map[day]content) []unit {
	var out []unit
	for _, d := range slices.Sorted(maps.Keys(days)) {
		if n := len(out); n > 0 {
			u := &out[n-1]
			if sum := u.content.plus(days[d]); sum.rows() <= int64(r.o.Batch) && sameMonth(u.span.first, d) {
				u.span.last, u.content = d, sum
				u.days++
				continue
			}
		}
		out = append(out, unit{project: project, span: span{d, d}, days: 1, content: days[d]})
	}
	return out
}

func sameMonth(a, b day) bool {
	return a.time().Year() == b.time().Year() && a.time().Month() == b.time().Month()
}

// had is what the destination had of a unit at the start.
func (r *run) had(u *unit) (c content) {
	for d := u.span.first; d <= u.span.last; d++ {
		c = c.plus(r.there[u.project][d])
	}
	return c
}

func (r *Report) add(c content) {
	r.Events += c.events
	r.Visits += c.visits
	r.Links += c.links
	r.Aliases += c.aliases
	r.Traits += c.traits
	r.Dead += c.dead
}
