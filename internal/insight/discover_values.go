package insight

import (
	"context"
	"fmt"
	"time"

	weir "github.com/weir-analytics/weir"
	"github.com/weir-analytics/weir/internal/cold"
)

// ColumnValues are the most frequent values of a column.
type ColumnValues struct {
	Column string        `json:"column"`
	Values []CountedText `json:"values" nullable:"false" doc:"the most frequent first; equal ones by value"`
	More   bool          `json:"more,omitempty" doc:"there are more values than the limit"`
	Approximate
	DiscoveredIn
}

// CountedText is a value, as a filter takes it.
type CountedText struct {
	Value string `json:"value"`
	Count int64  `json:"count" doc:"events with it among those that were read; of a trait: profiles"`
}

// Approximate says whether an answer was made of all events of its range.
type Approximate struct {
	Approximate bool  `json:"approximate" doc:"only the newest events of the range were read, so counts are too small and rare names or values may be missing"`
	EventsRead  int64 `json:"events_read" doc:"how many of the newest events were read; 0 where counts need none: columns that are counted as events arrive, and traits"`
}

// IdentifiesPeople reports whether the values of a column name persons or say something about
// them: ids and traits.
func IdentifiesPeople(column string) bool {
	_, trait := traitOf(column)
	return trait || column == "profile_id" || column == "device_id" || column == "session_id"
}

// ColumnValues returns the most frequent values of a column: of all events of the range if the
// counts are kept, otherwise of the newest 50,000. freshness is as in Asker. Error: EINVALID.
func (e *Engine) ColumnValues(ctx context.Context, p *weir.Project, column string, q Discovery, freshness time.Duration) (*ColumnValues, error) {
	a := &ColumnValues{Column: column, Values: []CountedText{}}
	c, err := breakdownColumn(e.d, p, column)
	if err != nil {
		return nil, err
	}
	a.DiscoveredIn, err = e.discover(ctx, p, &q, freshness, answerBytes, func(ctx context.Context, r *reader) error {
		from, where, err := a.source(ctx, r, c, q)
		if err != nil {
			return err
		}
		counted := "COUNT(*)"
		if from.tallied {
			counted = "SUM(events)"
		}
		values := selection{
			columns: raw("k, CAST(" + counted + " AS BIGINT) AS n"), from: from.table, where: where,
			groupBy: "k", orderBy: "n DESC, k", limit: q.Limit + 1,
		}
		return r.each(ctx, values.statement(), func(scan func(...any) error) error {
			k := newKey(c.kind)
			var n int64
			if err := scan(k.into(), &n); err != nil {
				return err
			}
			if len(a.Values) == q.Limit {
				a.More = true
				return nil
			}
			text, _ := k.text()
			a.Values = append(a.Values, CountedText{text, n})
			return nil
		})
	})
	if err != nil {
		return nil, err
	}
	return a, nil
}

// keyedTable is a table with the column's value as k; of tallies also with events.
type keyedTable struct {
	table   fragment
	tallied bool
}

// source returns where the values are counted, and the condition for those that are asked for.
func (a *ColumnValues) source(ctx context.Context, r *reader, c column, q Discovery) (from keyedTable, where fragment, err error) {
	where = all(raw("k IS NOT NULL"), matching(r.d, c, q.Contains))
	if c.trait != "" {
		holders := selection{columns: raw("trait_value AS k"), from: r.traitValues(c.trait)}
		return keyedTable{table: holders.as("held")}, where, nil
	}
	b := oneBucket(q.From, q.To)
	if cold.IsTallied(c.name) && b.wholeQuarters() && !r.o.Raw {
		tallied := selection{columns: sql("@ AS k, events", c.key(r.d)), from: raw("tallies"), where: all(r.in(b), isNamedEvent(q.Event))}
		return keyedTable{tallied.as("tallied"), true}, where, nil
	}
	newest, n, whole, err := r.newestOf(ctx, b, q.Event, valueRows)
	if err != nil {
		return from, where, err
	}
	a.EventsRead, a.Approximate.Approximate = n, !whole
	read := selection{
		columns: sql("@ AS k", c.key(r.d)), from: r.joined("events", b.span(), nil, &c), where: newest,
		orderBy: newestFirst, limit: valueRows,
	}
	return keyedTable{table: read.as("newest")}, where, nil
}

const newestFirst = "ts DESC, shard DESC, seq DESC"

// isNamedEvent is the condition for the events of a name, empty for "".
func isNamedEvent(name string) fragment {
	if name == "" {
		return fragment{}
	}
	return sql("name = @", bind(name))
}

// newestOf returns a condition that selects the newest n events of a name in a range, and perhaps
// some more of the same minute. found is how many of the n there are. whole says whether the range
// has no further events of the name.
func (r *reader) newestOf(ctx context.Context, b buckets, event string, n int) (newest fragment, found int64, whole bool, err error) {
	where := all(r.in(b), isNamedEvent(event))
	since, err := r.sinceQuarter(ctx, b, event, n+1)
	if err != nil {
		return newest, 0, false, err
	}
	newest, all, err := r.narrow(ctx, raw("events"), all(where, since), n+1)
	if err != nil {
		return newest, 0, false, err
	}
	if !all {
		return newest, int64(n), false, nil
	}
	q := selection{columns: raw("COUNT(*)"), from: raw("events"), where: newest}
	err = r.each(ctx, q.statement(), func(scan func(...any) error) error { return scan(&found) })
	return newest, min(found, int64(n)), found <= int64(n), err
}

// sinceQuarter is a condition for the quarters of an hour at the end of a range that have n events
// of a name, by the tallies; empty if the range has fewer. So the newest events are looked for
// among few, however long the range is.
func (r *reader) sinceQuarter(ctx context.Context, b buckets, event string, n int) (fragment, error) {
	from, to := (b.from+quarterOfHour-1)/quarterOfHour, b.to/quarterOfHour // those that lie in the range whole
	if r.o.Raw || from >= to {
		return fragment{}, nil
	}
	counted := selection{
		columns: raw("quarter, CAST(SUM(events) AS BIGINT)"), from: raw("tallies"),
		where: all(r.quarters(buckets{from: from * quarterOfHour, to: to * quarterOfHour}), isNamedEvent(event)), groupBy: "quarter", orderBy: "quarter DESC", limit: n,
	}
	var first, sum int64
	err := r.each(ctx, counted.statement(), func(scan func(...any) error) error {
		var quarter, events int64
		if err := scan(&quarter, &events); err != nil || sum >= int64(n) {
			return err
		}
		first, sum = quarter, sum+events
		return nil
	})
	if err != nil || sum < int64(n) {
		return fragment{}, err
	}
	return sql("quarter >= @", bind(first)), nil
}

// matching is the condition for values that contain a text, and that are not too long.
func matching(d cold.Dialect, c column, part string) fragment {
	text := "k"
	switch c.kind {
	case boolean:
		text = "CASE WHEN k THEN 'true' ELSE 'false' END"
	case integer:
		text = "CAST(k AS VARCHAR)"
	case real:
		text = d.DecimalText("CAST(k AS VARCHAR)")
	}
	short := raw(fmt.Sprintf("CHAR_LENGTH(%s) <= %d", text, maxValue))
	if part == "" {
		return short
	}
	return all(short, fragment{sql: d.Contains(text, "?"), args: []any{part}})
}
