package schema

import (
	"database/sql"
	"time"

	weir "github.com/weir-analytics/weir"
)

// scanTarget receives the value of a column.
type scanTarget[R any] struct {
	into  func(*R) any // what Scan writes to
	store func(*R)     // copies it to the row after Scan; nil if it is there already
}

// Scanner returns a function that reads a result's columns, in this order, into a row, and
// what the query selects after them into more. The row must be zero. The function reuses
// memory: it is not for concurrent use.
func Scanner[R any](columns []Column[R]) func(scan func(...any) error, row *R, more ...any) error {
	targets := make([]scanTarget[R], len(columns))
	for i := range columns {
		targets[i] = targetOf(&columns[i])
	}
	dest := make([]any, len(columns), len(columns)+4)
	return func(scan func(...any) error, row *R, more ...any) error {
		for i := range targets {
			dest[i] = targets[i].into(row)
		}
		if err := scan(append(dest, more...)...); err != nil {
			return err
		}
		for i := range targets {
			if store := targets[i].store; store != nil {
				store(row)
			}
		}
		return nil
	}
}

func targetOf[R any](c *Column[R]) scanTarget[R] {
	switch f := c.Value.(type) {
	case func(*R) *string:
		return target(c, f)
	case func(*R) *bool:
		return target(c, f)
	case func(*R) *int:
		return target(c, f)
	case func(*R) *int8:
		return target(c, f)
	case func(*R) *int32:
		return target(c, f)
	case func(*R) *int64:
		return target(c, f)
	case func(*R) *uint32:
		return target(c, f)
	case func(*R) *uint64:
		return target(c, f)
	case func(*R) *float64:
		return target(c, f)
	case func(*R) *weir.Number:
		if c.Type == Int64 {
			return nullable(c, f, func(v int64) weir.Number { return weir.Known(float64(v)) })
		}
		return nullable(c, f, weir.Known)
	case func(*R) *time.Time:
		t := target(c, f)
		store := t.store
		t.store = func(r *R) {
			if store != nil {
				store(r)
			}
			if p := f(r); !p.IsZero() {
				*p = p.UTC()
			}
		}
		return t
	case func(*R) *[]byte:
		return scanTarget[R]{func(r *R) any { return f(r) }, func(r *R) {
			if p := f(r); len(*p) == 0 {
				*p = nil
			}
		}}
	}
	panic("schema: column " + c.Name + " cannot be read")
}

func target[R, V any](c *Column[R], f func(*R) *V) scanTarget[R] {
	if c.Null == Never {
		return scanTarget[R]{into: func(r *R) any { return f(r) }}
	}
	return nullable(c, f, func(v V) V { return v })
}

// nullable receives a column that may be NULL: then the row stays as it is. of makes the row's
// value of the column's.
func nullable[R, V, C any](c *Column[R], f func(*R) *V, of func(C) V) scanTarget[R] {
	var v sql.Null[C]
	return scanTarget[R]{func(*R) any { return &v }, func(r *R) {
		if !v.Valid {
			return
		}
		p := f(r)
		if p == nil {
			c.Make(r)
			p = f(r)
		}
		*p = of(v.V)
	}}
}
