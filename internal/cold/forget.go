package cold

import (
	"context"
	"slices"
	"strings"
	"time"

	weir "github.com/weir-analytics/weir"
)

// Forgetter deletes projects' pasts, as their retention asks.
type Forgetter interface {
	// Forget deletes rows of before a time, of each project its own: events, sightings
	// and tallies by when the events happened, visits by when they began, dead letters
	// by when they were refused. Identities and traits stay, since they have no
	// end, and so does batches, which has no project. When it returns without an
	// error the rows are gone for every question that is asked after.
	//
	// It takes as many as Goes puts together, which cost about as much as one: statements
	// are for all of them. Each is at the beginning of a quarter of an hour. EINVALID otherwise.
	// To forget the same again changes nothing, and after an error, when a part may be
	// gone, it deletes the rest. Rows of before that time that are written later are
	// there until the next call. A project that is not known has no rows.
	//
	// It is safe for concurrent use, beside Write too, which may wait for it.
	Forget(ctx context.Context, cuts ...Cut) error
}

// Cut is up to when a project's past is to be forgotten.
type Cut struct {
	ProjectID string
	Before    time.Time
}

// MostCuts is how many one Forget takes, and mostTimes how many different times they may
// have: the conditions of 500 times take ClickHouse seconds to analyse.
const (
	MostCuts  = 500
	mostTimes = 32
)

// Goes puts cuts together so that one Forget takes each group, those of one time first.
func Goes(cuts []Cut) [][]Cut {
	cuts = slices.Clone(cuts)
	slices.SortStableFunc(cuts, func(a, b Cut) int { return a.Before.Compare(b.Before) })
	var out [][]Cut
	from, times := 0, 0
	for i := range cuts {
		if i == from || !cuts[i].Before.Equal(cuts[i-1].Before) {
			times++
		}
		if i-from == MostCuts || times > mostTimes {
			out, from, times = append(out, cuts[from:i]), i, 1
		}
	}
	if from < len(cuts) {
		out = append(out, cuts[from:])
	}
	return out
}

// ForgetTo is the number of the quarter of an hour that begins at before, where
// Forget ends. Error: EINVALID when none does.
func ForgetTo(before time.Time) (quarter int32, err error) {
	if before.Before(Earliest) || before.After(Latest) {
		return 0, weir.Errorf(weir.EINVALID, "cannot forget what was before %s: the cold tier has no such time", before.UTC().Format(time.RFC3339))
	}
	if before.Unix()%QuarterSeconds != 0 || before.Nanosecond() != 0 {
		return 0, weir.Errorf(weir.EINVALID, "cannot forget what was before %s: that is not the beginning of a quarter of an hour", before.UTC().Format(time.RFC3339Nano))
	}
	return Quarter(&weir.Event{Time: before}), nil
}

// ForgetParts are the rows that cuts delete, a part a table. moment makes a timestamp of
// a "?" in microseconds. Error: EINVALID.
func ForgetParts(cuts []Cut, moment string) ([]Part, error) {
	if len(cuts) > MostCuts {
		return nil, weir.Errorf(weir.EINVALID, "cannot forget the pasts of %d projects at once: at most %d", len(cuts), MostCuts)
	}
	projects := map[time.Time][]string{} // by time, of which there are few
	var times []time.Time
	for _, c := range cuts {
		if _, err := ForgetTo(c.Before); err != nil {
			return nil, err
		}
		at := c.Before.UTC()
		if projects[at] == nil {
			times = append(times, at)
		}
		projects[at] = append(projects[at], c.ProjectID)
	}
	if len(times) > mostTimes {
		return nil, weir.Errorf(weir.EINVALID, "cannot forget up to %d different times at once: at most %d", len(times), mostTimes)
	}
	if len(times) == 0 {
		return nil, nil
	}
	slices.SortFunc(times, time.Time.Compare)
	part := func(table, column, moment string, value func(time.Time) int64) Part {
		last := value(times[len(times)-1])
		p := Part{table, column + " < " + moment + " AND (", []any{last}} // lets an engine skip what is newer
		for i, at := range times {
			if i > 0 {
				p.Where += " OR "
			}
			ids := projects[at]
			p.Where += column + " < " + moment + " AND project_id IN (?" + strings.Repeat(", ?", len(ids)-1) + ")"
			p.Args = append(p.Args, value(at))
			for _, id := range ids {
				p.Args = append(p.Args, id)
			}
		}
		p.Where += ")"
		return p
	}
	quarter := func(t time.Time) int64 { return int64(Quarter(&weir.Event{Time: t})) }
	return []Part{
		part("events", "ts", moment, time.Time.UnixMicro),
		part("sightings", "quarter", "?", quarter),
		part("tallies", "quarter", "?", quarter),
		part("visits", "start_at", moment, time.Time.UnixMicro),
		part("dead_letters", "refused_at", moment, time.Time.UnixMicro),
	}, nil
}
