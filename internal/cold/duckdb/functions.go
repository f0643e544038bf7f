package duckdb

import (
	"context"
	"database/sql"
	"fmt"
	"strconv"
	"strings"

	weir "github.com/weir-analytics/weir"
	"github.com/weir-analytics/weir/internal/cold"
)

// LikePattern is the pattern: LIKE has no escape character here.
func (Dialect) LikePattern(pattern string) string { return pattern }

// timeForm matches a text that is a time. Others would be infinite, or of a zone.
const timeForm = `^[0-9][0-9][0-9][0-9]-[0-9][0-9]-[0-9][0-9]([ T][0-9][0-9]:[0-9][0-9](:[0-9][0-9]([.][0-9]+)?)?)?$`

// functions are written in another way than as their name. None of them fails for a value: see package sqlgate.
var functions = map[string]string{
	"text of time":      "strftime({1}, '%Y-%m-%d %H:%M:%S')",
	"time of text":      "TRY_CAST(regexp_extract({1}, '" + timeForm + "') AS TIMESTAMP)",
	"integer of number": "TRY_CAST(trunc({1}) AS BIGINT)",
	"integer":           "TRY_CAST({1} AS BIGINT)",
	"count_if":          "COUNT(CASE WHEN {1} THEN 1 END)",
	"stddev":            "stddev_samp({1})",
	"sqrt":              "power({1}, 0.5)", // sqrt fails for a negative number
	"regexp_replace":    "regexp_replace({1}, {2}, {3}, 'g')",
	"strftime":          "strftime({1}, {2})",
}

// Function finds it in functions. Units of time are arguments.
func (Dialect) Function(name string) string {
	if of, unit, found := strings.Cut(name, " "); found {
		switch of {
		case "date_trunc", "date_part":
			return of + "('" + unit + "', {1})"
		case "date_diff":
			return "date_diff('" + unit + "', {1}, {2})"
		}
	}
	return functions[name]
}

// Statement runs a statement of package sqlgate. It takes one turn, and is not run again alone where it
// finds no memory: it would hold all questions up.
func (s *Store) Statement(ctx context.Context, query string, _ cold.Bounds, args ...any) (rows *sql.Rows, err error) {
	s.asked.Add(1)
	query, args = numbered(query, args)
	err = s.turns.with(ctx, 1, func() error {
		rows, err = s.query(ctx, query, args...) //nolint:rowserrcheck,sqlclosecheck // the caller's to do
		return err
	})
	switch {
	case err == nil:
		return rows, nil
	case ctx.Err() != nil:
		err = ctx.Err()
	case outOfMemory(err):
		err = weir.Wrap(err, weir.EUNAVAILABLE, "the statement needs more memory than the cold tier has: read fewer rows, or group by fewer values")
	default:
		err = fmt.Errorf("%w: %w", cold.ErrStatement, err)
	}
	return nil, fmt.Errorf("duckdb: statement: %w", err)
}

// numbered gives each "?" a number, equal values the same one: only then is an expression with a value in it the
// same in SELECT and in GROUP BY.
func numbered(query string, args []any) (string, []any) {
	var b strings.Builder
	var out []any
	numbers := map[any]int{}
	inText := false
	n := 0
	for i := range len(query) {
		switch c := query[i]; {
		case c == '\'':
			inText = !inText
			b.WriteByte(c)
		case c == '?' && !inText && n < len(args):
			v := args[n]
			n++
			if numbers[v] == 0 {
				out = append(out, v)
				numbers[v] = len(out)
			}
			b.WriteString("$" + strconv.Itoa(numbers[v]))
		default:
			b.WriteByte(c)
		}
	}
	return b.String(), out
}
