package insight

import (
	"context"
	"strconv"
)

// groups are the lines of one series: the largest values of the breakdown's
// column, and the rest.
type groups struct {
	names []Group
	other bool           // the last name is the rest
	find  map[string]int // by Group.Value
	none  int            // index of the events without a value, -1 when they are not a line of their own
	keys  []fragment     // the values, to compare the column with
}

// Where a row belongs: the column o.
const (
	isNamed = 0
	isNone  = 1
	isOther = 2
)

// top finds the largest groups by number of events, equal ones in the order of
// their values. One without a breakdown has a single line.
func (e *Engine) top(ctx context.Context, t *trendPlan, s seriesPlan) (*groups, error) {
	if t.group == nil {
		return &groups{names: []Group{{}}, none: -1}, nil
	}
	from := t.counted(t.now)
	return e.ranked(ctx, t, sql("SELECT k, CAST("+from.count+" AS BIGINT) AS total FROM (SELECT @ AS k, "+from.column+" FROM @ WHERE @) AS keyed"+
		" GROUP BY k ORDER BY total DESC, k NULLS LAST LIMIT "+strconv.Itoa(t.groups+1), t.group.key(), t.from(from.table), e.where(t, s, t.now)))
}

// ranked makes groups of rows of a value and a number, the largest first: one more
// than there may be, if there is a rest.
func (e *Engine) ranked(ctx context.Context, t *trendPlan, q fragment) (*groups, error) {
	g := &groups{find: make(map[string]int), none: -1}
	err := e.each(ctx, q, func(scan func(...any) error) error {
		k := newKey(t.group.kind)
		var n int64
		if err := scan(k.into(), &n); err != nil {
			return err
		}
		if len(g.names) == t.groups {
			g.other = true
			return nil
		}
		value, ok := k.text()
		if !ok {
			g.none = len(g.names)
			g.names = append(g.names, Group{None: true})
			return nil
		}
		g.find[value] = len(g.names)
		g.names = append(g.names, Group{Value: value})
		g.keys = append(g.keys, bind(k.value()))
		return nil
	})
	if g.other {
		g.names = append(g.names, Group{Value: "other"})
	}
	return g, err
}

// split adds the columns o, where a row belongs, and g, its value where it has a
// line of its own, to a table with the breakdown's column k. columns are those
// to keep.
func (g *groups) split(columns string, from fragment) fragment {
	none := isOther
	if g.none >= 0 {
		none = isNone
	}
	if !g.other {
		// All values have a line, or none in an earlier range: see line.
		return sql("(SELECT "+columns+", k AS g, CASE WHEN k IS NULL THEN "+strconv.Itoa(none)+" ELSE 0 END AS o FROM @) AS split", from)
	}
	named := raw("FALSE")
	if len(g.keys) > 0 {
		named = sql("k IN (@)", list(g.keys, ", "))
	}
	from = sql("(SELECT *, CASE WHEN k IS NULL THEN "+strconv.Itoa(none)+" WHEN @ THEN 0 ELSE 2 END AS o FROM @) AS placed", named, from)
	return sql("(SELECT "+columns+", o, CASE WHEN o = 0 THEN k END AS g FROM @) AS split", from)
}

// line is the index of a row's line, -1 when it has none: in an earlier range
// stand values that the later one does not have, when there are too few to need
// an other.
func (g *groups) line(o int64, k *key) int {
	switch o {
	case isNone:
		return g.none
	case isNamed:
		if value, ok := k.text(); ok {
			if i, ok := g.find[value]; ok {
				return i
			}
		}
		return -1
	}
	if g.other {
		return len(g.names) - 1
	}
	return -1
}

// key is one value of a breakdown's column, as it is scanned.
type key struct {
	kind    kind
	str     *string
	integer *int64
	real    *float64
	boolean *bool
}

func newKey(k kind) *key { return &key{kind: k} }

// into is where to scan to.
func (k *key) into() any {
	switch k.kind {
	case integer:
		return &k.integer
	case real:
		return &k.real
	case boolean:
		return &k.boolean
	}
	return &k.str
}

// value is what to compare the column with; nil for none.
func (k *key) value() any {
	switch {
	case k.integer != nil:
		return *k.integer
	case k.real != nil:
		return *k.real
	case k.boolean != nil:
		return *k.boolean
	case k.str != nil:
		return *k.str
	}
	return nil
}

// text is the value in the form of an answer, the same for every engine; ok is
// false for none.
func (k *key) text() (s string, ok bool) {
	switch v := k.value().(type) {
	case int64:
		return strconv.FormatInt(v, 10), true
	case float64:
		return strconv.FormatFloat(v, 'f', -1, 64), true
	case bool:
		return strconv.FormatBool(v), true
	case string:
		return v, true
	}
	return "", false
}
