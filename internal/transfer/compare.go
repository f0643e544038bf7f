package transfer

import (
	"context"
	"database/sql"
	"fmt"
	"strings"
	"time"

	weir "github.com/weir-analytics/weir"
)

// Difference says how the destination differs from the source, for some days of one
// project and table.
type Difference struct {
	Project   string
	Day, Last time.Time // first and last day, UTC midnight; often the same
	Table     string

	Missing    int // rows that are not there
	Altered    int // rows whose name is there with other values
	Duplicated int // rows that are there more often than in the source
	Refused    int // events that the destination can never hold
	NoSighting int // persons and quarters of events that sightings does not have

	Names  []string // some of the rows
	Reason string   // why one was refused
}

func (d *Difference) empty() bool {
	return d.Missing+d.Altered+d.Duplicated+d.Refused+d.NoSighting == 0
}

const maxNames = 5

func (d *Difference) add(other Difference) {
	d.Missing += other.Missing
	d.Altered += other.Altered
	d.Duplicated += other.Duplicated
	d.Refused += other.Refused
	d.NoSighting += other.NoSighting
	d.Names = append(d.Names, other.Names[:min(len(other.Names), maxNames-min(len(d.Names), maxNames))]...)
	if d.Reason == "" {
		d.Reason = other.Reason
	}
}

// String returns one line for a person to read.
func (d Difference) String() string {
	var parts []string
	for _, p := range []struct {
		n    int
		what string
	}{
		{d.Missing, "missing"},
		{d.Altered, "with other values"},
		{d.Duplicated, "stored more than once"},
		{d.Refused, "refused (" + d.Reason + ")"},
		{d.NoSighting, "missing in sightings"},
	} {
		if p.n > 0 {
			parts = append(parts, fmt.Sprintf("%d %s", p.n, p.what))
		}
	}
	days := d.Day.Format(time.DateOnly)
	if !d.Last.Equal(d.Day) {
		days += " to " + d.Last.Format(time.DateOnly)
	}
	s := fmt.Sprintf("project %s, %s, %s: %s", d.Project, days, d.Table, strings.Join(parts, ", "))
	if len(d.Names) > 0 {
		s += ": " + strings.Join(d.Names, ", ")
	}
	return s
}

// missingRows returns the rows that the destination lacks. want counts the rows of the
// source, have those of the destination. Example: want {a: 2, b: 1}, have {a: 1, b: 1}
// gives {a}. A count below 0 is a cancellation of a visit; there it is the other way round.
func missingRows(want, have rowCounts) map[sum]bool {
	out := map[sum]bool{}
	for s, n := range want {
		if n > 0 && have[s] < n || n < 0 && have[s] > n {
			out[s] = true
		}
	}
	return out
}

// alteredNames returns the names (sum.key) of rows that the destination has with values
// that the source does not have. Erased events are left out: they are compared as a whole.
func alteredNames(want, have rowCounts) map[uint64]bool {
	out := map[uint64]bool{}
	for s, n := range have {
		if _, ok := want[s]; !ok && n > 0 && !s.erased {
			out[s.key] = true
		}
	}
	return out
}

// retryDelays are the pauses before a comparison is repeated. A row may not be visible
// right after the write: another replica may answer.
var retryDelays = []time.Duration{time.Second, 2 * time.Second, 4 * time.Second}

// compare compares the destination with the source. After a write it repeats the
// comparison if rows are missing.
func (j *job[T]) compare(ctx context.Context) (Difference, error) {
	for try := 0; ; try++ {
		d, err := j.diff(ctx)
		if err != nil {
			return d, err
		}
		if d.Missing+d.NoSighting == 0 || !j.wrote || try == len(retryDelays) || j.waited >= len(retryDelays) {
			return d, nil
		}
		j.waited++ // counts in the whole run: if everything differs, waiting in each window would take forever
		if err := j.o.Pause(ctx, retryDelays[try]); err != nil {
			return d, err
		}
	}
}

// diff compares once.
func (j *job[T]) diff(ctx context.Context) (d Difference, err error) {
	have := j.have
	if j.wrote || have == nil {
		if have, err = j.destination(ctx); err != nil {
			return d, err
		}
	}
	d.Refused, d.Reason = len(j.refused), j.reason
	missing, altered := missingRows(j.want, have), alteredNames(j.want, have)
	if len(missing) > 0 && j.t.findSuccessors != nil {
		if err := j.dropCancelled(ctx, missing, have); err != nil {
			return d, err
		}
	}
	examples := map[sum]bool{}
	for s := range missing {
		examples[s] = true
		if altered[s.key] && !s.erased {
			d.Altered++
		} else {
			d.Missing += abs(j.want[s] - have[s])
		}
	}
	for s, n := range j.want {
		if n > 0 && have[s] > n {
			examples[s] = true
			d.Duplicated += have[s] - n
		}
	}
	for _, s := range j.refused {
		examples[s] = true
	}
	if len(examples) > 0 {
		if d.Names, err = j.names(ctx, examples); err != nil {
			return d, err
		}
	}
	if j.t.person != nil {
		d.NoSighting, err = j.missingSightings(ctx)
	}
	return d, err
}

func abs(n int) int { return max(n, -n) }

// dropCancelled removes from missing the states of visits that are not missing: the
// destination has a later state of the same visit, which cancelled them.
func (j *job[T]) dropCancelled(ctx context.Context, missing map[sum]bool, have rowCounts) error {
	var rows []T
	var sums []sum
	err := j.source(ctx, false, func(row *T, n int, s sum, _ int) error {
		if missing[s] && n > 0 && have[s] == 0 {
			rows, sums = append(rows, *row), append(sums, s)
		}
		return nil
	})
	if err != nil || len(rows) == 0 {
		return err
	}
	others, err := j.t.findSuccessors(ctx, j.run, rows)
	for i, over := range others.superseded {
		if over {
			delete(missing, sums[i])
		}
	}
	return err
}

// names returns labels of the given rows of the source, at most maxNames.
func (j *job[T]) names(ctx context.Context, of map[sum]bool) ([]string, error) {
	var out []string
	err := j.source(ctx, true, func(row *T, _ int, s sum, _ int) error {
		if of[s] && len(out) < maxNames {
			out = append(out, j.t.label(row))
		}
		return nil
	})
	return out, err
}

// missingSightings counts the pairs (person, quarter of an hour) of the source's events
// that have no row in the destination's sightings.
func (j *job[T]) missingSightings(ctx context.Context) (int, error) {
	if len(j.persons) == 0 || !j.w.possible() {
		return 0, nil
	}
	seen := map[uint64]bool{}
	err := each(ctx, j.to, "SELECT DISTINCT quarter, person FROM sightings WHERE project_id = ? AND quarter >= ? AND quarter <= ?",
		[]any{j.u.project, int64(weir.Quarter(time.UnixMicro(j.w.from))), int64(weir.Quarter(time.UnixMicro(j.w.to - 1)))}, func(rows *sql.Rows) error {
			var at int32
			var person string
			err := rows.Scan(&at, &person)
			seen[presence(at, person)] = true
			return err
		})
	if err != nil {
		return 0, fmt.Errorf("read sightings: %w", err)
	}
	n := 0
	for p := range j.persons {
		if !seen[p] {
			n++
		}
	}
	return n, nil
}
