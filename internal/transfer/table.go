package transfer

import (
	"cmp"
	"context"
	"database/sql"
	"fmt"
	"slices"
	"strings"

	"github.com/cespare/xxhash/v2"
	"github.com/weir-analytics/weir/internal/cold"
	"github.com/weir-analytics/weir/internal/cold/schema"
)

// relation describes a table for SQL.
type relation struct {
	name    string
	from    string // what is read, if it is not the table itself
	at      string // column of the row's time
	columns string
	group   string // GROUP BY and HAVING, or ""
	order   string // ORDER BY; the same on every run
	count   string // SQL expression: how many rows to copy
}

func (t *relation) source() string { return cmp.Or(t.from, t.name) }

// where returns the condition for a project's rows of a window. Its arguments are args.
func (t *relation) where(d cold.Dialect) string {
	return " WHERE project_id = ? AND " + t.at + " >= " + d.Time("?") + " AND " + t.at + " < " + d.Time("?")
}

func (t *relation) args(project string, w window) []any { return []any{project, w.from, w.to} }

// namedColumns are columns of a table, those that name a row first.
type namedColumns[R any] struct {
	columns []schema.Column[R]
	names   int
}

// named moves the columns that name a row to the front. Without names, all columns
// together name a row.
func named[R any](columns []schema.Column[R], names ...string) namedColumns[R] {
	var key, rest []schema.Column[R]
	for _, name := range names {
		i := slices.IndexFunc(columns, func(c schema.Column[R]) bool { return c.Name == name })
		key = append(key, columns[i])
	}
	for _, c := range columns {
		if !slices.Contains(names, c.Name) {
			rest = append(rest, c)
		}
	}
	if len(names) == 0 {
		return namedColumns[R]{rest, len(rest)}
	}
	return namedColumns[R]{append(key, rest...), len(names)}
}

func (c namedColumns[R]) all() []schema.Column[R] { return slices.Clone(c.columns) }

// encoder is table.encode.
func (c namedColumns[R]) encoder() func(encoding, *R) (encoding, int) {
	name, rest := encoderOf(c.columns[:c.names]), encoderOf(c.columns[c.names:])
	return func(b encoding, row *R) (encoding, int) {
		b = name(b, row)
		key := len(b)
		return rest(b, row), key
	}
}

// scannerOf is table.scanner for a table without repeated rows.
func scannerOf[R any](columns []schema.Column[R]) func() func(func(...any) error, *R) (int, error) {
	return func() func(func(...any) error, *R) (int, error) {
		read := schema.Scanner(columns)
		return func(scan func(...any) error, row *R) (int, error) { return 1, read(scan, row) }
	}
}

// table says how rows of a table are read, hashed and written.
type table[T any] struct {
	relation
	// scanner makes a function that reads a row, and how often it is there: below 0
	// for a cancellation of a visit.
	scanner func() func(scan func(...any) error, row *T) (n int, err error)
	// encode appends all columns of a row. The first key bytes are the row's name.
	encode func(b encoding, row *T) (all encoding, key int)
	put    func(b *cold.Batch, row *T, n int)
	rows   func(b *cold.Batch) []T // what put puts
	label  func(row *T) string     // for people

	// place returns the row's shard and seq; nil if rows of this table have none.
	place func(row *T) (shard int, seq uint64)
	// person returns a hash of the row's person and quarter of an hour, 0 without a
	// person; nil if rows of this table have no person.
	person func(row *T) uint64
	// time returns the row's time in microseconds. It is set only for tables in which an
	// erasure changes the time (it truncates it to the minute); nil otherwise.
	time func(row *T) int64
	// named is how many of the first bytes that encode adds are a name which says
	// nothing but that the row is erased; 0 where the row is not. nil where rows are not.
	nameLen func(row *T) int
	// set: the rows are a set, and copying other tables may already have written some of
	// them. Rows that the destination has are not written again.
	set bool
	// findSuccessors looks for other states of the visits whose states the destination
	// lacks. nil for tables other than visits.
	findSuccessors func(ctx context.Context, r *run, rows []T) (successors, error)
}

// sum stands for a row: a hash of what names it, and one of all its columns. The key of an
// erased event is a hash of all but its id. If that id is the former one, which is the
// same for all of them, then all is the key.
type sum struct {
	key, all uint64
	erased   bool
}

func (s sum) former() sum { return sum{s.key, s.key, true} }

// rowCounts counts equal rows.
type rowCounts map[sum]int

// read calls f for each row of a window, sorted if ordered. Each row goes through change
// first, which may alter it or return false to leave it out; nil changes nothing. f must
// not keep the pointer. size is the row's size in bytes, roughly.
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
	if t.nameLen != nil {
		if n := t.nameLen(row); n > 0 {
			s := sum{xxhash.Sum64(all[n:]), xxhash.Sum64(all), true}
			if string(all[:n]) == string(encoding{}.text(cold.FormerErasedID)) {
				s = s.former()
			}
			return s
		}
	}
	return sum{xxhash.Sum64(all[:key]), xxhash.Sum64(all), false}
}

// countRows counts the rows of a window. It is empty for a window outside the times that
// a store accepts.
func countRows[T any](ctx context.Context, from cold.Reader, t *table[T], project string, w window, change func(*T) bool) (rowCounts, error) {
	out := rowCounts{}
	if !w.possible() {
		return out, nil
	}
	err := read(ctx, from, t, project, w, false, change, func(_ *T, n int, s sum, _ int) error {
		out[s] += n
		return nil
	})
	return out, err
}
