package insight

import "strings"

// fragment is a piece of SQL with the arguments of its "?", in order.
type fragment struct {
	sql  string
	args []any
}

// raw is SQL of our own making; nothing that a client sent may go through it.
func raw(sql string) fragment { return fragment{sql: sql} }

// bind is a placeholder for one value.
func bind(v any) fragment { return fragment{sql: "?", args: []any{v}} }

// sql puts parts in the place of each "@" of the format, in order.
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

// list joins parts.
func list(parts []fragment, separator string) fragment {
	var f fragment
	for i, p := range parts {
		if i > 0 {
			f.sql += separator
		}
		f.sql += p.sql
		f.args = append(f.args, p.args...)
	}
	return f
}

// call passes a fragment through a function of the dialect, which keeps its
// placeholders as they are.
func call(fn func(string) string, f fragment) fragment {
	return fragment{sql: fn(f.sql), args: f.args}
}
