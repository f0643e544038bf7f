// Package sqlgate reads a SELECT that a user wrote, checks it, and writes another one in its place, for the cold
// tier to run. It has its own small parser, the same for every engine.
//
// What runs is never the user's text. A statement becomes a tree; the tree is checked; and new SQL is written from the
// tree. Of what the user wrote nothing goes into it but whole numbers: texts and other values are bound, names of
// columns are looked up, and tables, columns and expressions get new names (t1, c1). So a statement can reach what
// Catalog offers, and nothing else.
//
// Each expression that is written has a value for each row there may be: a text that is no number becomes NULL, not an
// error. An engine may compute an expression of rows that a condition removes later, also of other projects; an
// error would say something about them.
package sqlgate

import (
	"fmt"
	"strings"
	"unicode/utf8"
)

// Limits of a statement.
const (
	MaxBytes   = 32 << 10 // of its text
	MaxParams  = 100
	MaxColumns = 100 // of each SELECT
	maxTokens  = 5000
	maxDepth   = 40        // of expressions and queries in each other
	maxTables  = 16        // in all of it
	maxWritten = 512 << 10 // bytes of the SQL that is written
	maxGrowth  = 32        // texts that are joined: see growth
)

// Error says what is wrong with a statement, and where. It is made to be shown to who wrote it.
type Error struct {
	Line, Column int // from 1; the column counts characters
	Message      string
	Allowed      []string // what may stand there, if that is a list
}

func (e *Error) Error() string {
	return fmt.Sprintf("line %d, column %d: %s", e.Line, e.Column, e.Message)
}

// Kind is what a value is.
type Kind uint8

// Kinds of values.
const (
	Null Kind = iota // NULL alone
	Text
	Int
	Float
	Bool
	Time // UTC
	JSON // a text with a JSON object; its members are read by ->> or a dot
	interval
)

var kindNames = [...]string{"null", "text", "integer", "number", "boolean", "time", "json", "interval"}

func (k Kind) String() string { return kindNames[k] }

// Column is a column of a table, or of an answer.
type Column struct {
	Name string
	Kind Kind
	Doc  string
}

// Table is a table that statements may name.
type Table struct {
	Name    string
	Doc     string
	Columns []Column
	// Source returns the SELECT that takes the place of the table, with the values of its "?". It has the columns
	// used, which are some of Columns, and perhaps others; a row for each row of the table.
	Source func(used []string) (sql string, args []any)
}

// Dialect is what differs between engines. cold.Dialect is one, and says what each method does.
type Dialect interface {
	Micros(expr string) string
	Time(expr string) string
	Number(expr string) string
	Sum(expr string) string
	Quantile(expr string, q float64) string
	ArgMin(value, by string) string
	ArgMax(value, by string) string
	PropertyText(column, name string) (expr string, arg any)
	MemberText(column, property, member string) (expr string, args []any)
	Contains(text, part string) string
	StartsWith(text, part string) string
	Matches(text, pattern string) string
	// Function returns how the engine writes one of Functions, with {1}, {2} … for its arguments; "" is as the
	// name and its arguments in parentheses.
	Function(name string) string
	// LikePattern returns a pattern of LIKE in which a backslash stands for itself.
	LikePattern(pattern string) string
}

// Catalog is what a statement may use.
type Catalog struct {
	Tables  []Table
	Dialect Dialect
	Now     int64 // the time that now() is, in microseconds since 1970
	// Local returns a time of UTC as the time that clocks of the project showed.
	Local func(time string) string
}

// Statement is a statement that was checked, and written anew.
type Statement struct {
	SQL     string
	Args    []any // of its "?", in order: string, int64, float64 or bool
	Columns []Column
	Limit   int // rows that it returns at most
}

// Check checks a statement and writes the SQL to run. limit is the most rows. params are the values of $1, $2 …, or of
// "?": string, int64, float64, bool or nil. The error is an *Error.
func Check(sql string, params []any, limit int, c Catalog) (*Statement, error) {
	if len(sql) > MaxBytes {
		return nil, &Error{Line: 1, Column: 1, Message: fmt.Sprintf("the statement has more than %d bytes", MaxBytes)}
	}
	if len(params) > MaxParams {
		return nil, &Error{Line: 1, Column: 1, Message: fmt.Sprintf("the statement has more than %d values", MaxParams)}
	}
	for i, v := range params {
		if s, ok := v.(string); ok && (!utf8.ValidString(s) || strings.ContainsRune(s, 0)) {
			return nil, &Error{Line: 1, Column: 1, Message: fmt.Sprintf("value %d is no text that can be stored", i+1)}
		}
	}
	q, err := parse(sql, params)
	if err == nil {
		w := &writer{catalog: c, d: c.Dialect, functions: functionsByName()}
		var st *Statement
		if st, err = w.statement(q, limit); err == nil {
			return st, nil
		}
	}
	f, ok := err.(*fault) //nolint:errorlint // parse and statement return nothing else
	if !ok {
		return nil, err
	}
	return nil, f.in(sql)
}

// fault is an error at a byte of the statement.
type fault struct {
	at      int
	message string
	allowed []string
}

func (f *fault) Error() string { return f.message }

func (f *fault) in(sql string) *Error {
	before := strings.ToValidUTF8(sql[:min(f.at, len(sql))], "?")
	line := strings.Count(before, "\n")
	return &Error{
		Line: line + 1, Column: utf8.RuneCountInString(before[strings.LastIndexByte(before, '\n')+1:]) + 1,
		Message: f.message, Allowed: f.allowed,
	}
}

func faultf(at int, format string, args ...any) *fault {
	return &fault{at: at, message: fmt.Sprintf(format, args...)}
}
