// Package schema describes the tables of the cold tier once: each column with its type,
// when it is NULL, and where its value is in a row in Go.
//
// What writes, reads, copies, checks or erases rows goes through these descriptions
// instead of listing columns. The migrations of each engine create the tables; a test
// compares the engine's catalog with this package.
//
// To add a column of events: a field of weir.EventRow or weir.Event, a line in Events (at
// the end, since DuckDB adds columns there), and a migration for each engine.
package schema

import (
	"slices"
	"strings"
)

// Type is the type of a column. Each engine maps it to its own.
type Type uint8

// Types of columns.
const (
	Text  Type = iota // text of many different values, such as an id
	Word              // text of few different values, such as a country
	JSON              // text of a JSON object
	Bytes             // as it came
	Bool
	Int8
	Int32
	Int64 // of a weir.Number too, if that is whole
	Uint32
	Uint64
	Float // 64 bits
	Time  // UTC, microseconds
)

// Null says which values are stored as NULL.
type Null uint8

// Values of Null.
const (
	Never    Null = iota // no value: unknown text is ''
	IfAbsent             // no value: Value returns no pointer, or a weir.Number that is unknown
	IfZero               // the zero value, which means unknown, and as in IfAbsent
)

// Erase says what an erasure leaves of a column of events when the person is erased.
type Erase uint8

// Values of Erase.
const (
	Clear    Erase = iota // nothing. Text of a call becomes ''
	Keep                  // all of it
	ToMinute              // the time, truncated to the minute
	ToHash                // another id, see cold.ErasedID
)

// Column describes a column of a table whose rows are of type R.
type Column[R any] struct {
	Name  string
	Type  Type
	Null  Null
	Erase Erase // for columns of events
	Named bool  // questions may name it, in filters and breakdowns

	// Value says where the value is. It is either a function that returns a pointer into
	// the row:
	//
	//	func(*R) *V with V one of string, []byte, bool, int, int8, int32, int64, uint32, uint64, float64, weir.Number, time.Time
	//
	// or, for a column that is computed from others, one that returns a value:
	//
	//	func(*R) string, func(*R) int32
	//
	// A pointer may be nil only if the column can be NULL.
	Value any

	// Make prepares a row for a value whose pointer would be nil. It is nil if there is
	// no such row.
	Make func(*R)
}

// Computed reports whether the value is computed from other columns.
func (c *Column[R]) Computed() bool {
	switch c.Value.(type) {
	case func(*R) string, func(*R) int32:
		return true
	}
	return false
}

// Table describes a table whose rows are of type R.
type Table[R any] struct {
	Name    string
	Columns []Column[R] // in the order in which DuckDB has them

	// Origin are further columns that say which batch a row comes from. Only ClickHouse
	// has them: DuckDB stores a batch in one transaction.
	Origin []Column[Origin]

	// Checked: the text was checked to be UTF-8. Otherwise the writer replaces what is not.
	Checked bool
}

// Only returns the columns with the given names, in this order.
func (t *Table[R]) Only(names ...string) []Column[R] {
	out := make([]Column[R], len(names))
	for i, name := range names {
		j := slices.IndexFunc(t.Columns, func(c Column[R]) bool { return c.Name == name })
		if j < 0 {
			panic("schema: table " + t.Name + " has no column " + name)
		}
		out[i] = t.Columns[j]
	}
	return out
}

// Stored returns the columns that are not computed from others.
func (t *Table[R]) Stored() []Column[R] {
	return slices.DeleteFunc(slices.Clone(t.Columns), func(c Column[R]) bool { return c.Computed() })
}

// Without returns columns but for those with the given names.
func Without[R any](columns []Column[R], names ...string) []Column[R] {
	return slices.DeleteFunc(slices.Clone(columns), func(c Column[R]) bool { return slices.Contains(names, c.Name) })
}

// Names returns the names of columns for SQL: "a, b, c".
func Names[R any](columns []Column[R]) string {
	names := make([]string, len(columns))
	for i := range columns {
		names[i] = columns[i].Name
	}
	return strings.Join(names, ", ")
}

// Description is a table without the type of its rows.
type Description struct {
	Name    string
	Columns []Field
	Origin  []Field // see Table.Origin
}

// Field is a column without the type of its rows.
type Field struct {
	Name string
	Type Type
	Null bool
}

func (t *Table[R]) describe() Description {
	return Description{t.Name, fields(t.Columns), fields(t.Origin)}
}

func fields[R any](columns []Column[R]) []Field {
	var out []Field
	for _, c := range columns {
		out = append(out, Field{c.Name, c.Type, c.Null != Never})
	}
	return out
}

// All describes all tables.
func All() []Description {
	return []Description{
		Events.describe(), Sightings.describe(), Tallies.describe(), Visits.describe(), Identities.describe(), Aliases.describe(),
		Traits.describe(), Erasures.describe(), Deletions.describe(), DeletedEvents.describe(), DeadLetters.describe(), Batches.describe(),
	}
}
