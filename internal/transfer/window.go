package transfer

import (
	"context"
	"database/sql"
	"fmt"

	"github.com/weir-analytics/weir/internal/cold"
)

// window is a range of time, in microseconds since 1970: from inclusive, to
// exclusive.
type window struct{ from, to int64 }

// possible says whether a store can hold rows of that time. One beyond need not be
// a time at all to an engine.
func (w window) possible() bool {
	return w.to > cold.Earliest.UnixMicro() && w.from < cold.Latest.UnixMicro()
}

// widths are what a window is split by when it has too many rows, in microseconds:
// minutes, seconds, milliseconds, microseconds.
var widths = []int64{60_000_000, 1_000_000, 1_000, 1}

// split cuts a window that has n rows into such of at most so many, in order. One
// that is a microsecond long is as large as it is.
func split(ctx context.Context, from cold.Reader, t *relation, project string, w window, n, most int64) ([]window, error) {
	width := int64(0)
	for _, width = range widths {
		if width < w.to-w.from {
			break
		}
	}
	if n <= most || width >= w.to-w.from {
		return []window{w}, nil
	}
	type slot struct{ number, rows int64 }
	var slots []slot
	d := from.Dialect()
	number := d.IntDiv(fmt.Sprintf("(%s - (%d))", d.Micros(t.at), w.from), fmt.Sprint(width))
	err := each(ctx, from, "SELECT "+number+" AS slot, "+t.count+" FROM "+t.source()+t.where(d)+" GROUP BY 1 ORDER BY 1",
		t.args(project, w), func(rows *sql.Rows) error {
			var s slot
			err := rows.Scan(&s.number, &s.rows)
			slots = append(slots, s)
			return err
		})
	if err != nil {
		return nil, fmt.Errorf("split a day: %w", err)
	}
	var out []window
	next := window{w.from, w.from} // grows
	held := int64(0)
	for _, s := range slots {
		begin := w.from + s.number*width
		if held > 0 && held+s.rows > most {
			next.to = begin
			out = append(out, next)
			next, held = window{begin, begin}, 0
		}
		if s.rows > most {
			finer, err := split(ctx, from, t, project, window{begin, begin + width}, s.rows, most)
			if err != nil {
				return nil, err
			}
			finer[0].from = next.from
			out = append(out, finer...)
			next = window{begin + width, begin + width}
			continue
		}
		held += s.rows
	}
	if held > 0 || len(out) == 0 {
		out = append(out, window{next.from, w.to})
	} else {
		out[len(out)-1].to = w.to
	}
	return out, nil
}
