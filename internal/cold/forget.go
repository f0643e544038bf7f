package cold

import (
	"context"
	"slices"
	"strings"
	"time"

	weir "github.com/weir-analytics/weir"
	"github.com/weir-analytics/weir/internal/cold/schema"
)

// Forgetter deletes old data of projects, for their retention.
type Forgetter interface {
	// Forget deletes each project's rows from before its time: events, sightings and
	// tallies by the time of the event, visits by their start, dead letters by the time
	// of the refusal. Identities, traits and batches stay. After it returns without an
	// error, no question sees the rows.
	//
	// One call handles a group as GroupDeletions makes it, with the same few statements
	// for all its projects. Each time must be the start of a quarter of an hour; otherwise
	// EINVALID. To repeat a call is safe; after an error it deletes the rest. Old rows that
	// are written later stay until the next call.
	//
	// It is safe for concurrent use, also with Write, which may wait for it.
	Forget(ctx context.Context, deletions ...Deletion) error
}

// Deletion says which data of a project to delete: all from before a time.
type Deletion struct {
	ProjectID string
	Before    time.Time
}

// MaxDeletions bounds the deletions of one Forget; maxTimes bounds their different times:
// ClickHouse needs seconds to analyse conditions with 500 times.
const (
	MaxDeletions = 500
	maxTimes     = 32
)

// GroupDeletions divides deletions into groups for one Forget each, sorted by time.
func GroupDeletions(deletions []Deletion) [][]Deletion {
	deletions = slices.Clone(deletions)
	slices.SortStableFunc(deletions, func(a, b Deletion) int { return a.Before.Compare(b.Before) })
	var out [][]Deletion
	from, times := 0, 0
	for i := range deletions {
		if i == from || !deletions[i].Before.Equal(deletions[i-1].Before) {
			times++
		}
		if i-from == MaxDeletions || times > maxTimes {
			out, from, times = append(out, deletions[from:i]), i, 1
		}
	}
	if from < len(deletions) {
		out = append(out, deletions[from:])
	}
	return out
}

// DeletionQuarter returns the number of the quarter of an hour that begins at before.
// Error: EINVALID if before is not the start of a quarter.
func DeletionQuarter(before time.Time) (quarter int32, err error) {
	if before.Before(Earliest) || before.After(Latest) {
		return 0, weir.Errorf(weir.EINVALID, "cannot forget what was before %s: the cold tier has no such time", before.UTC().Format(time.RFC3339))
	}
	if before.Unix()%QuarterSeconds != 0 || before.Nanosecond() != 0 {
		return 0, weir.Errorf(weir.EINVALID, "cannot forget what was before %s: that is not the beginning of a quarter of an hour", before.UTC().Format(time.RFC3339Nano))
	}
	return weir.Quarter(before), nil
}

// DeletionParts returns the rows to delete, one part for each table. moment is SQL that
// converts a "?" in microseconds to a timestamp. Error: EINVALID.
func DeletionParts(deletions []Deletion, moment string) ([]Part, error) {
	if len(deletions) > MaxDeletions {
		return nil, weir.Errorf(weir.EINVALID, "cannot forget the pasts of %d projects at once: at most %d", len(deletions), MaxDeletions)
	}
	projects := map[time.Time][]string{} // by time, of which there are few
	var times []time.Time
	for _, c := range deletions {
		if _, err := DeletionQuarter(c.Before); err != nil {
			return nil, err
		}
		at := c.Before.UTC()
		if projects[at] == nil {
			times = append(times, at)
		}
		projects[at] = append(projects[at], c.ProjectID)
	}
	if len(times) > maxTimes {
		return nil, weir.Errorf(weir.EINVALID, "cannot forget up to %d different times at once: at most %d", len(times), maxTimes)
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
	quarter := func(t time.Time) int64 { return int64(weir.Quarter(t)) }
	return []Part{
		part("events", "ts", moment, time.Time.UnixMicro),
		part("sightings", "quarter", "?", quarter),
		part("tallies", "quarter", "?", quarter),
		part("visits", "start_at", moment, time.Time.UnixMicro),
		part("dead_letters", "refused_at", moment, time.Time.UnixMicro),
		part("deleted_events", "ts", moment, time.Time.UnixMicro),
	}, nil
}

// ProjectParts returns all rows of a project, one part for each table. Batches stay: they are
// not one project's.
func ProjectParts(projectID string) []Part {
	var parts []Part
	for _, t := range schema.All() {
		if slices.ContainsFunc(t.Columns, func(f schema.Field) bool { return f.Name == "project_id" }) {
			parts = append(parts, Part{t.Name, "project_id = ?", []any{projectID}})
		}
	}
	return parts
}
