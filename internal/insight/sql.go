package insight

import (
	"strconv"
	"strings"
)

// fragment is a piece of SQL with the arguments of its "?", in order.
type fragment struct {
	sql  string
	args []any
}

// raw returns SQL of our own making. Nothing that a client sent may go through it.
func raw(sql string) fragment { return fragment{sql: sql} }

// bind returns a placeholder for one value.
func bind(v any) fragment { return fragment{sql: "?", args: []any{v}} }

// sql replaces each "@" of the format by a part, in order.
//
//	sql("name = @ AND ts < @", bind("signup"), raw("now()"))  is  name = ? AND ts < now()
func sql(format string, parts ...fragment) fragment {
	var b strings.Builder
	var args []any
	for i, text := range strings.Split(format, "@") {
		if i > 0 {
			p := parts[i-1]
			b.WriteString(p.sql)
			args = append(args, p.args...)
		}
		b.WriteString(text)
	}
	return fragment{sql: b.String(), args: args}
}

// list joins parts. Empty ones are left out.
func list(parts []fragment, separator string) fragment {
	var f fragment
	for _, p := range parts {
		switch {
		case p.sql == "":
			continue
		case f.sql != "":
			f.sql += separator
		}
		f.sql += p.sql
		f.args = append(f.args, p.args...)
	}
	return f
}

// comma joins columns or values.
func comma(parts ...fragment) fragment { return list(parts, ", ") }

// all joins conditions that must all hold.
func all(parts ...fragment) fragment { return list(parts, " AND ") }

// names are columns by name, for a list that must not be empty.
func names(columns ...string) fragment { return raw(strings.Join(columns, ", ")) }

// isOneOf is the condition that a column has one of the values. There is at least one.
func isOneOf(column fragment, values []fragment) fragment {
	return sql("@ IN (@)", column, comma(values...))
}

// call passes a fragment through a function of the dialect, which keeps its
// placeholders as they are.
func call(fn func(string) string, f fragment) fragment {
	return fragment{sql: fn(f.sql), args: f.args}
}

// selection is a SELECT by its parts. Parts that are empty are left out.
type selection struct {
	columns fragment
	from    fragment
	where   fragment
	groupBy string
	having  fragment
	orderBy string
	limit   int
}

// statement returns the SELECT.
func (s selection) statement() fragment {
	f := sql("SELECT @ FROM @", s.columns, s.from)
	if s.where.sql != "" {
		f = sql("@ WHERE @", f, s.where)
	}
	if s.groupBy != "" {
		f.sql += " GROUP BY " + s.groupBy
	}
	if s.having.sql != "" {
		f = sql("@ HAVING @", f, s.having)
	}
	if s.orderBy != "" {
		f.sql += " ORDER BY " + s.orderBy
	}
	if s.limit > 0 {
		f.sql += " LIMIT " + strconv.Itoa(s.limit)
	}
	return f
}

// as returns the SELECT as a table with a name, for another one's from.
func (s selection) as(name string) fragment {
	return sql("(@) AS "+name, s.statement())
}

// whole is a sum or a count as a whole number, 0 of no rows. Without the casts here, engines
// return NULL, or types of their own.
func whole(expr string) string { return "CAST(COALESCE(" + expr + ", 0) AS BIGINT)" }

// double is the same as a floating-point number.
func double(expr string) string { return "CAST(COALESCE(" + expr + ", 0) AS DOUBLE)" }

// countIf counts the rows for which a condition holds.
func countIf(condition string) string { return "SUM(CASE WHEN " + condition + " THEN 1 ELSE 0 END)" }
