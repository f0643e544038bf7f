package transfer

import (
	"context"
	"database/sql"
	"fmt"
	"strings"
	"time"

	"github.com/weir-analytics/weir/internal/cold"
)

// Difference is what the destination lacks of a project's days of a table.
type Difference struct {
	Project   string
	Day, Last time.Time // UTC midnight of the first and of the last; often the same
	Table     string

	Missing int // rows that are not there
	Altered int // rows whose name is there with other values
	Twice   int // rows that are there more often than in the source
	Refused int // events that the destination can never hold
	Unseen  int // persons and quarters of events that sightings does not have

	Names  []string // some of the rows
	Reason string   // why one was refused
}

func (d *Difference) none() bool {
	return d.Missing+d.Altered+d.Twice+d.Refused+d.Unseen == 0
}

// namesKept is how many rows a difference names.
const namesKept = 5

func (d *Difference) add(other Difference) {
	d.Missing += other.Missing
	d.Altered += other.Altered
	d.Twice += other.Twice
	d.Refused += other.Refused
	d.Unseen += other.Unseen
	d.Names = append(d.Names, other.Names[:min(len(other.Names), namesKept-min(len(d.Names), namesKept))]...)
	if d.Reason == "" {
		d.Reason = other.Reason
	}
}

// String is one line for people.
func (d Difference) String() string {
	var parts []string
	for _, p := range []struct {
		n    int
		what string
	}{
		{d.Missing, "missing"},
		{d.Altered, "with other values"},
		{d.Twice, "there twice"},
		{d.Refused, "refused (" + d.Reason + ")"},
		{d.Unseen, "persons missing in sightings"},
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

// lacking returns the rows that the destination lacks.
func lacking(want, have tally) map[sum]bool {
	out := map[sum]bool{}
	for s, n := range want {
		if n > 0 && have[s] < n || n < 0 && have[s] > n {
			out[s] = true
		}
	}
	return out
}

// strangers returns the names of rows in have that want does not have with these values.
// Erased events are left out: they are compared as a whole.
func strangers(want, have tally) map[uint64]bool {
	out := map[uint64]bool{}
	for s, n := range have {
		if _, ok := want[s]; !ok && n > 0 && !s.erased {
			out[s.key] = true
		}
	}
	return out
}

// lags are how long what was written may take to be seen: another replica may answer.
var lags = []time.Duration{time.Second, 2 * time.Second, 4 * time.Second}

// compare looks whether the destination has what is wanted.
func (j *job[T]) compare(ctx context.Context) (Difference, error) {
	for try := 0; ; try++ {
		d, err := j.look(ctx)
		if err != nil {
			return d, err
		}
		if d.Missing+d.Unseen == 0 || !j.wrote || try == len(lags) || j.waited >= len(lags) {
			return d, nil
		}
		j.waited++ // of the whole run: where all differs waiting for each window leads nowhere
		if err := j.o.Pause(ctx, lags[try]); err != nil {
			return d, err
		}
	}
}

func (j *job[T]) look(ctx context.Context) (d Difference, err error) {
	have := j.have
	if j.wrote || have == nil {
		if have, err = j.destination(ctx); err != nil {
			return d, err
		}
	}
	d.Refused, d.Reason = len(j.refused), j.reason
	lacks, strange := lacking(j.want, have), strangers(j.want, have)
	if len(lacks) > 0 && j.t.settle != nil {
		if err := j.forgive(ctx, lacks, have); err != nil {
			return d, err
		}
	}
	named := map[sum]bool{}
	for s := range lacks {
		named[s] = true
		if strange[s.key] && !s.erased {
			d.Altered++
		} else {
			d.Missing += abs(j.want[s] - have[s])
		}
	}
	for s, n := range j.want {
		if n > 0 && have[s] > n {
			named[s] = true
			d.Twice += have[s] - n
		}
	}
	for _, s := range j.refused {
		named[s] = true
	}
	if len(named) > 0 {
		if d.Names, err = j.names(ctx, named); err != nil {
			return d, err
		}
	}
	if j.t.person != nil {
		d.Unseen, err = j.unseen(ctx)
	}
	return d, err
}

func abs(n int) int { return max(n, -n) }

// forgive takes out of lacks the states that a later one has cancelled.
func (j *job[T]) forgive(ctx context.Context, lacks map[sum]bool, have tally) error {
	var rows []T
	var sums []sum
	err := j.source(ctx, false, func(row *T, n int, s sum, _ int) error {
		if lacks[s] && n > 0 && have[s] == 0 {
			rows, sums = append(rows, *row), append(sums, s)
		}
		return nil
	})
	if err != nil || len(rows) == 0 {
		return err
	}
	others, err := j.t.settle(ctx, j.run, rows)
	for i, over := range others.over {
		if over {
			delete(lacks, sums[i])
		}
	}
	return err
}

// names are the labels of some rows of the source.
func (j *job[T]) names(ctx context.Context, of map[sum]bool) ([]string, error) {
	var out []string
	err := j.source(ctx, true, func(row *T, _ int, s sum, _ int) error {
		if of[s] && len(out) < namesKept {
			out = append(out, j.t.label(row))
		}
		return nil
	})
	return out, err
}

// unseen is how many persons were there, as the events say, of whom sightings does
// not know it.
func (j *job[T]) unseen(ctx context.Context) (int, error) {
	if len(j.persons) == 0 || !j.w.possible() {
		return 0, nil
	}
	const quarter = cold.QuarterSeconds * 1_000_000
	seen := map[uint64]bool{}
	err := each(ctx, j.to, "SELECT DISTINCT quarter, person FROM sightings WHERE project_id = ? AND quarter >= ? AND quarter <= ?",
		[]any{j.u.project, floorDiv(j.w.from, quarter), floorDiv(j.w.to-1, quarter)}, func(rows *sql.Rows) error {
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

func floorDiv(a, b int64) int64 {
	q := a / b
	if a%b < 0 {
		q--
	}
	return q
}
