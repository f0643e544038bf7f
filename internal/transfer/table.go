package transfer

import (
	"cmp"
	"context"
	"database/sql"
	"fmt"
	"strings"

	"github.com/cespare/xxhash/v2"
	"github.com/weir-analytics/weir/internal/cold"
)

// relation is a table as SQL has it.
type relation struct {
	name    string
	from    string // what is read, if it is not the table itself
	at      string // its time
	columns string
	group   string // GROUP BY and HAVING, if any
	order   string // of the rows of a window: always the same
	count   string // how many rows are to be copied
}

func (t *relation) source() string { return cmp.Or(t.from, t.name) }

// where is a project's rows of a window, whose arguments are args.
func (t *relation) where(d cold.Dialect) string {
	return " WHERE project_id = ? AND " + t.at + " >= " + d.Time("?") + " AND " + t.at + " < " + d.Time("?")
}

func (t *relation) args(project string, w window) []any { return []any{project, w.from, w.to} }

// table says how rows of a table are read, hashed and written.
type table[T any] struct {
	relation
	// scanner makes a function that reads a row, and how often it is there: below 0
	// for a cancellation of a visit.
	scanner func() func(scan func(...any) error, row *T) (n int, err error)
	// encode adds all columns of a row; the first key bytes name it.
	encode func(b encoding, row *T) (all encoding, key int)
	put    func(b *cold.Batch, row *T, n int)
	rows   func(b *cold.Batch) []T // what put puts
	label  func(row *T) string     // for people

	// shard is the one that a batch's rows are of, and seq the row's place in it;
	// nil where rows have none.
	place func(row *T) (shard int, seq uint64)
	// person is a hash of who the row says was there, and when; 0 is nobody. nil
	// where rows say no such thing.
	person func(row *T) uint64
	// time is when the row was, in microseconds, where an erasure moves it: to its
	// minute. nil where it does not.
	time func(row *T) int64
	// named is how many of the first bytes that encode adds are a name which says
	// nothing but that the row is erased; 0 where the row is not. nil where rows are not.
	named func(row *T) int
	// set says that other rows may bring these with them: what is there is not written.
	set bool
	// settle is asked what to do about states of visits that the destination lacks.
	settle func(ctx context.Context, r *run, rows []T) (settled, error)
}

// sum stands for a row: a hash of what names it, and one of all its columns. The key of an
// erased event is a hash of all but its id. If that id is the former one, which is the
// same for all of them, then all is the key.
type sum struct {
	key, all uint64
	erased   bool
}

func (s sum) former() sum { return sum{s.key, s.key, true} }

// tally counts rows by their sums.
type tally map[sum]int

// read calls f for each row of a window, in order if that matters. Each goes through
// change first, which may leave it out; nil changes nothing. f may copy the row, and must
// not hold it; size is its bytes, about.
func read[T any](ctx context.Context, from cold.Reader, t *table[T], project string, w window, ordered bool, change func(*T) bool, f func(row *T, n int, s sum, size int) error) error {
	var q strings.Builder
	fmt.Fprintf(&q, "SELECT %s FROM %s%s%s", t.columns, t.source(), t.where(from.Dialect()), t.group)
	if ordered {
		q.WriteString(" ORDER BY " + t.order)
	}
	scan := t.scanner()
	var buf encoding
	var row, none T
	err := each(ctx, from, q.String(), t.args(project, w), func(rows *sql.Rows) error {
		row = none
		n, err := scan(rows.Scan, &row)
		if err != nil {
			return err
		}
		if change != nil && !change(&row) {
			return nil
		}
		all, key := t.encode(buf[:0], &row)
		buf = all
		return f(&row, n, t.sum(&row, all, key), len(all))
	})
	if err != nil {
		return fmt.Errorf("read %s: %w", t.name, err)
	}
	return nil
}

func (t *table[T]) sum(row *T, all encoding, key int) sum {
	if t.named != nil {
		if n := t.named(row); n > 0 {
			s := sum{xxhash.Sum64(all[n:]), xxhash.Sum64(all), true}
			if string(all[:n]) == string(encoding{}.text(cold.FormerErasedID)) {
				s = s.former()
			}
			return s
		}
	}
	return sum{xxhash.Sum64(all[:key]), xxhash.Sum64(all), false}
}

// tallyOf counts the rows of a window. A window in which a store can hold nothing is
// empty.
func tallyOf[T any](ctx context.Context, from cold.Reader, t *table[T], project string, w window, change func(*T) bool) (tally, error) {
	out := tally{}
	if !w.possible() {
		return out, nil
	}
	err := read(ctx, from, t, project, w, false, change, func(_ *T, n int, s sum, _ int) error {
		out[s] += n
		return nil
	})
	return out, err
}
