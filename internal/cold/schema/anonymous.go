package schema

import (
	"time"

	weir "github.com/weir-analytics/weir"
)

// Anonymize changes an event as its columns' Erase says. id is the event's new id. A call
// that other rows may share is copied.
func Anonymize(r *weir.EventRow, id string) {
	if r.Call != nil {
		c := *r.Call
		r.Call = &c
	}
	for i := range Events.Columns {
		c := &Events.Columns[i]
		switch c.Erase {
		case Keep:
		case ToHash:
			r.ID = id
		case ToMinute:
			at := c.Value.(func(*event) *time.Time)(r)
			*at = at.Truncate(time.Minute)
		case Clear:
			c.clear(r)
		}
	}
}

// clear sets the value to its zero value, if there is one.
func (c *Column[R]) clear(row *R) {
	switch f := c.Value.(type) {
	case func(*R) *string:
		clearAt(f(row))
	case func(*R) *[]byte:
		clearAt(f(row))
	case func(*R) *bool:
		clearAt(f(row))
	case func(*R) *int:
		clearAt(f(row))
	case func(*R) *int64:
		clearAt(f(row))
	case func(*R) *float64:
		clearAt(f(row))
	case func(*R) *weir.Number:
		clearAt(f(row))
	case func(*R) *time.Time:
		clearAt(f(row))
	case func(*R) string, func(*R) int32: // follows from the others
	default:
		panic("schema: column " + c.Name + " cannot be erased")
	}
}

func clearAt[V any](p *V) {
	if p != nil {
		var zero V
		*p = zero
	}
}
