package sqlgate

import (
	"fmt"
	"strings"
	"time"
)

// fragment is a piece of SQL with the values of its "?", in order.
type fragment struct {
	sql  string
	args []any
}

func raw(sql string) fragment { return fragment{sql: sql} }

// key is equal for fragments that are the same.
func (f fragment) key() string { return f.sql + "\x00" + fmt.Sprintf("%#v", f.args) }

// value is an expression that was written.
type value struct {
	fragment
	at       int
	kind     Kind
	constant any    // the value of a literal
	literal  bool   // constant is set
	growth   int    // the text may be so many times as long as one that is stored
	agg      bool   // it has an aggregate
	windowed bool   // it has a window function
	bare     string // a column that stands outside of aggregates and is not in GROUP BY; "" is none
}

// sql replaces each "@" of the format by a part, in order.
func (w *writer) sql(format string, parts ...fragment) fragment {
	var b strings.Builder
	var args []any
	for i, text := range strings.Split(format, "@") {
		if i > 0 {
			b.WriteString(parts[i-1].sql)
			args = append(args, parts[i-1].args...)
		}
		b.WriteString(text)
	}
	return w.bounded(fragment{b.String(), args})
}

func (w *writer) bounded(f fragment) fragment {
	if len(f.sql) > maxWritten || len(f.args) > maxWritten/64 {
		w.failf(0, "the statement is too large")
	}
	return f
}

func (w *writer) list(parts []fragment) fragment {
	return w.sql(strings.TrimSuffix(strings.Repeat("@, ", len(parts)), ", "), parts...)
}

// filled is a template with {1}, {2} … replaced.
func (w *writer) filled(template string, parts ...fragment) fragment {
	var b strings.Builder
	var args []any
	for {
		before, after, found := strings.Cut(template, "{")
		b.WriteString(before)
		if !found {
			return w.bounded(fragment{b.String(), args})
		}
		p := parts[after[0]-'1']
		b.WriteString(p.sql)
		args = append(args, p.args...)
		template = after[2:]
	}
}

// template is what the engine writes for a function or a conversion.
func (w *writer) template(name, otherwise string, parts ...fragment) fragment {
	t := w.d.Function(name)
	if t == "" {
		t = otherwise
	}
	return w.filled(t, parts...)
}

// of is a value that is made of others.
func (w *writer) of(at int, kind Kind, f fragment, parts ...value) value {
	v := value{fragment: f, at: at, kind: kind, growth: 1}
	for _, p := range parts {
		v.agg, v.windowed, v.growth = v.agg || p.agg, v.windowed || p.windowed, max(v.growth, p.growth)
		if v.bare == "" {
			v.bare = p.bare
		}
	}
	return w.grouped(v)
}

// grown says that a text may be so many times as long as a stored one.
func (w *writer) grown(v value, times int) value {
	v.growth = times
	if w.growth += times; times > maxGrowth || w.growth > 8*maxGrowth {
		w.failf(v.at, "the texts that are made here may become too long")
	}
	return v
}

// literal writes a value.
func (w *writer) literal(at int, v any) value {
	out := value{at: at, constant: v, literal: true, growth: 1}
	switch v := v.(type) {
	case nil:
		out.fragment, out.kind = raw("NULL"), Null
	case string:
		out.fragment, out.kind, out.growth = fragment{"CAST(? AS VARCHAR)", []any{v}}, Text, 1+len(v)/1000
	case int64:
		out.fragment, out.kind = raw(fmt.Sprintf("%d", v)), Int
		if v < 0 {
			out.sql = "(" + out.sql + ")"
		}
	case float64:
		out.fragment, out.kind = fragment{"CAST(? AS DOUBLE)", []any{v}}, Float
	case bool:
		out.fragment, out.kind = raw(upper(fmt.Sprint(v))), Bool
	default:
		w.failf(at, "a value has a type that cannot be bound")
	}
	return out
}

// number is v as a number with a point; a text that is none is NULL.
func (w *writer) number(v value) value {
	switch v.kind {
	case Float, Null:
		return v
	case Int:
		return w.of(v.at, Float, w.sql("CAST(@ AS DOUBLE)", v.fragment), v)
	case Text:
		return w.of(v.at, Float, fragment{w.d.Number(v.sql), v.args}, v)
	}
	w.failf(v.at, "a number is expected here, not a %s", v.kind)
	return v
}

// asText is v as text.
func (w *writer) asText(v value) value {
	switch v.kind {
	case Text, Null:
		return v
	case JSON:
		return w.of(v.at, Text, v.fragment, v)
	case Int, Float:
		return w.of(v.at, Text, w.sql("CAST(@ AS VARCHAR)", v.fragment), v)
	case Bool:
		return w.of(v.at, Text, w.sql("CASE @ WHEN TRUE THEN 'true' WHEN FALSE THEN 'false' END", v.fragment), v)
	case Time:
		return w.of(v.at, Text, w.template("text of time", "", v.fragment), v)
	}
	w.failf(v.at, "a text is expected here, not an interval")
	return v
}

// cast writes CAST. A value that has no equal in the type is NULL.
func (w *writer) cast(v value, to Kind, day bool) value {
	switch {
	case v.kind == Null:
		return v
	case v.kind == interval || v.kind == JSON && to != Text:
		w.failf(v.at, "a value of the type %s cannot be cast", v.kind)
	case to == Text:
		return w.asText(v)
	case to == Time:
		v = w.time(v)
		if day {
			v = w.of(v.at, Time, w.template("date_trunc day", "", v.fragment), v)
		}
		return v
	case v.kind == to:
		return v
	case v.kind == Time:
		w.failf(v.at, "a time cannot be cast to a %s: use date_part or epoch", to)
	case to == Float && v.kind != Bool:
		return w.number(v)
	case to == Int && v.kind != Bool:
		return w.of(v.at, Int, w.template("integer of number", "", w.number(v).fragment), v)
	case to == Int || to == Float:
		return w.of(v.at, to, w.sql("CASE @ WHEN TRUE THEN 1 WHEN FALSE THEN 0 END", v.fragment), v)
	case v.kind == Text:
		return w.of(v.at, Bool, w.sql("CASE @ WHEN 'true' THEN TRUE WHEN 'false' THEN FALSE END", v.fragment), v)
	}
	return w.of(v.at, Bool, w.sql("(@ <> 0)", v.fragment), v)
}

// layouts are the forms of a time.
var layouts = []string{"2006-01-02", "2006-01-02 15:04", "2006-01-02 15:04:05.999999", "2006-01-02T15:04", "2006-01-02T15:04:05.999999", time.RFC3339Nano}

// earliest and latest are the times that may be named, in microseconds. ClickHouse writes a time for its shards as
// seconds since 1970, and reads it only with ten digits.
var (
	earliest = time.Date(2002, 1, 1, 0, 0, 0, 0, time.UTC).UnixMicro()
	latest   = time.Date(2261, 1, 1, 0, 0, 0, 0, time.UTC).UnixMicro()
)

// time is v as a time.
func (w *writer) time(v value) value {
	switch {
	case v.kind == Time || v.kind == Null:
		return v
	case v.kind == Text && v.literal:
		for _, layout := range layouts {
			if t, err := time.Parse(layout, strings.TrimSpace(v.constant.(string))); err == nil {
				return w.moment(v.at, t.UnixMicro())
			}
		}
		w.failf(v.at, "the text is no time: write 2026-05-01 or 2026-05-01 12:30:00, in UTC")
	case v.kind == Text:
		return w.of(v.at, Time, w.template("time of text", "", v.fragment), v)
	}
	w.failf(v.at, "a time is expected here, not a %s", v.kind)
	return v
}

// moment is a time in microseconds since 1970.
func (w *writer) moment(at int, us int64) value {
	if us < earliest {
		w.failf(at, "a time before 2002 cannot stand here")
	}
	us = min(us, latest)
	return value{fragment: fragment{w.d.Time("?"), []any{us}}, at: at, kind: Time, growth: 1}
}

// same gives values the one kind that they have in common.
func (w *writer) same(values ...value) ([]value, Kind) {
	kind := Null
	for _, v := range values {
		switch k := v.kind; {
		case k == Null || k == kind:
		case kind == Null:
			kind = k
		case k == Float && kind == Int:
			kind = Float
		case k == Int && kind == Float:
		case k == Time && kind == Text, k == Text && kind == Time:
			kind = Time
		case numeric(k) && kind == Text:
			kind = Float
		case k == Text && numeric(kind):
			kind = Float
		default:
			w.failf(v.at, "a %s and a %s do not go together here: cast one of them", kind, k)
		}
	}
	out := make([]value, len(values))
	for i, v := range values {
		switch kind {
		case Float:
			v = w.number(v)
		case Time:
			v = w.time(v)
		case JSON, interval:
			w.failf(v.at, "a %s cannot stand here", kind)
		}
		out[i] = v
	}
	return out, kind
}

func numeric(k Kind) bool { return k == Int || k == Float }
