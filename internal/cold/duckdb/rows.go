package duckdb

import (
	"strings"
	"time"

	weir "github.com/weir-analytics/weir"
	"github.com/weir-analytics/weir/internal/cold/schema"
)

// layout fills chunks with rows of a table, column by column. It is made once of the
// schema, so that no type is looked at for each value.
type layout[R any] struct {
	name string
	fill []filler[R]
}

// filler writes a column's values of some rows to a vector, from a row on.
type filler[R any] func(v *vector, at int, rows []R)

var (
	events      = layoutOf(&schema.Events)
	sightings   = layoutOf(&schema.Sightings)
	tallies     = layoutOf(&schema.Tallies)
	visits      = layoutOf(&schema.Visits)
	identities  = layoutOf(&schema.Identities)
	aliases     = layoutOf(&schema.Aliases)
	traits      = layoutOf(&schema.Traits)
	erasures    = layoutOf(&schema.Erasures)
	deletions   = layoutOf(&schema.Deletions)
	deleted     = layoutOf(&schema.DeletedEvents)
	deadLetters = layoutOf(&schema.DeadLetters)
	batches     = layoutOf(&schema.Batches)
)

func layoutOf[R any](t *schema.Table[R]) *layout[R] {
	l := &layout[R]{name: t.Name}
	for i := range t.Columns {
		l.fill = append(l.fill, fillerOf(&t.Columns[i], t.Checked))
	}
	return l
}

// checked says that text is valid UTF-8.
func fillerOf[R any](c *schema.Column[R], checked bool) filler[R] {
	switch f := c.Value.(type) {
	case func(*R) string:
		return func(v *vector, at int, rows []R) {
			for i := range rows {
				if s := f(&rows[i]); c.Null == schema.IfZero && s == "" {
					v.null(at + i)
				} else {
					v.text(at+i, s)
				}
			}
		}
	case func(*R) int32:
		return func(v *vector, at int, rows []R) {
			for i := range rows {
				*cell[int32](v, at+i) = f(&rows[i])
			}
		}
	case func(*R) *string:
		return texts(f, c.Null, checked)
	case func(*R) *[]byte:
		return bytes(f, c.Null)
	case func(*R) *time.Time:
		return times(f, c.Null)
	case func(*R) *int:
		return ints(f, c.Null)
	case func(*R) *bool:
		return values(f, c.Null)
	case func(*R) *int8:
		return values(f, c.Null)
	case func(*R) *int32:
		return values(f, c.Null)
	case func(*R) *int64:
		return values(f, c.Null)
	case func(*R) *uint32:
		return values(f, c.Null)
	case func(*R) *uint64:
		return values(f, c.Null)
	case func(*R) *float64:
		return values(f, c.Null)
	case func(*R) *weir.Number:
		if c.Type == schema.Int64 {
			return optional(f, func(n float64) int64 { return int64(n) })
		}
		return optional(f, func(n float64) float64 { return n })
	}
	panic("duckdb: column " + c.Name + " cannot be written")
}

func texts[R any](f func(*R) *string, null schema.Null, checked bool) filler[R] {
	if offset, ok := schema.Offset(f); ok && checked && null == schema.Never {
		return func(v *vector, at int, rows []R) {
			for i := range rows {
				v.text(at+i, *schema.At[string](&rows[i], offset))
			}
		}
	}
	return func(v *vector, at int, rows []R) {
		for i := range rows {
			p := f(&rows[i])
			switch {
			case null != schema.Never && (p == nil || null == schema.IfZero && *p == ""):
				v.null(at + i)
			case checked:
				v.text(at+i, *p)
			default:
				v.text(at+i, strings.ToValidUTF8(*p, "\uFFFD"))
			}
		}
	}
}

func bytes[R any](f func(*R) *[]byte, null schema.Null) filler[R] {
	return func(v *vector, at int, rows []R) {
		for i := range rows {
			if p := f(&rows[i]); null == schema.IfZero && len(*p) == 0 {
				v.null(at + i)
			} else {
				v.bytes(at+i, *p)
			}
		}
	}
}

func times[R any](f func(*R) *time.Time, null schema.Null) filler[R] {
	return func(v *vector, at int, rows []R) {
		for i := range rows {
			if p := f(&rows[i]); null == schema.IfZero && p.IsZero() {
				v.null(at + i)
			} else {
				*cell[int64](v, at+i) = p.UnixMicro()
			}
		}
	}
}

// values writes what has the same form in Go as in the vector.
func values[R any, V comparable](f func(*R) *V, null schema.Null) filler[R] {
	if null == schema.Never {
		return func(v *vector, at int, rows []R) {
			for i := range rows {
				*cell[V](v, at+i) = *f(&rows[i])
			}
		}
	}
	var zero V
	return func(v *vector, at int, rows []R) {
		for i := range rows {
			if p := f(&rows[i]); p == nil || null == schema.IfZero && *p == zero {
				v.null(at + i)
			} else {
				*cell[V](v, at+i) = *p
			}
		}
	}
}

// optional writes to a DOUBLE or a BIGINT that is NULL if the number is unknown.
func optional[R any, V float64 | int64](f func(*R) *weir.Number, of func(float64) V) filler[R] {
	return func(v *vector, at int, rows []R) {
		for i := range rows {
			if p := f(&rows[i]); p == nil || !p.Known {
				v.null(at + i)
			} else {
				*cell[V](v, at+i) = of(p.Value)
			}
		}
	}
}

// ints writes to an INTEGER.
func ints[R any](f func(*R) *int, null schema.Null) filler[R] {
	return func(v *vector, at int, rows []R) {
		for i := range rows {
			if p := f(&rows[i]); null != schema.Never && (p == nil || null == schema.IfZero && *p == 0) {
				v.null(at + i)
			} else {
				*cell[int32](v, at+i) = int32(*p)
			}
		}
	}
}
