package insight

import (
	"cmp"
	"context"
	"fmt"
	"strconv"

	weir "github.com/weir-analytics/weir"
	"github.com/weir-analytics/weir/internal/cold"
)

// grouped is what trends and calls have in common: the events of a range, and of an
// earlier one to compare with, that pass a filter, in groups by a column.
type grouped struct {
	now    buckets
	before *buckets // nil without a comparison
	filter filter
	by     *column // nil without a breakdown
	limit  int     // most groups, without the one for the others
	// tallied says that the filter and the breakdown are by columns that the table
	// tallies has, so that events can be counted there.
	tallied bool
}

// group checks a filter and a breakdown, and sets what follows from them. Error: EINVALID.
func (g *grouped) group(e *Engine, p *weir.Project, conditions weir.Filter, actions map[string]weir.ActionSpec, breakdown string, limit int) (err error) {
	if g.filter, err = checkFilter(e.d, p, conditions, actions); err != nil {
		return err
	}
	g.limit, g.tallied = cmp.Or(limit, weir.DefaultGroups), !e.o.Raw && g.filter.tallied
	if breakdown == "" {
		return nil
	}
	c, err := breakdownColumn(e.d, p, breakdown)
	if err != nil {
		return weir.Within("breakdown", err)
	}
	g.by, g.tallied = &c, g.tallied && cold.IsTallied(breakdown)
	return nil
}

// needsIdentities says whether the filter or the breakdown is about persons, or some events
// may have lost their value of the breakdown.
func (g *grouped) needsIdentities() bool {
	return g.filter.identities || g.by != nil && !g.by.kept
}

// lost is the condition for the events that lost their value of the breakdown in an
// erasure. They are in no group. The group without a value has the events that never had one.
func (g *grouped) lost(r *reader) string {
	if g.by.kept {
		return "FALSE"
	}
	return r.noLongerNamed()
}

// ranges are the range and the earlier one.
func (g *grouped) ranges() []buckets { return withEarlier(g.now, g.before) }

func withEarlier(now buckets, before *buckets) []buckets {
	if before == nil {
		return []buckets{now}
	}
	return []buckets{now, *before}
}

// where is the condition for the events with a name in a range; "" is any name.
func (g *grouped) where(r *reader, event string, b buckets) fragment {
	var named fragment
	if event != "" {
		named = sql("name = @", bind(event))
	}
	return all(r.in(b), r.passes(g.filter), named)
}

// rowsOf is a table in which where can be tested, with the breakdown's column.
func (g *grouped) rowsOf(r *reader, table string, b buckets) fragment {
	return r.joined(table, b.span(), g.filter.sources, g.by)
}

// source is a table in which events are counted.
type source struct {
	table string
	// read is what has to be read of a row, so that count counts the rows' events.
	// name is its name.
	read, name, count string
}

// Each row of events is an event. A row of tallies is a number of events in a quarter of
// an hour with equal name, method, route and status.
var (
	eachEvent = source{"events", "1 AS one", "one", "COUNT(*)"}
	tallies   = source{"tallies", "events", "events", "SUM(events)"}
)

// counted is where the events of a range are counted.
func (g *grouped) counted(b buckets) source {
	if g.tallied && b.wholeQuarters() {
		return tallies
	}
	return eachEvent
}

// perBucket selects (b, sum) of the events with a name in a range: the number of the bucket,
// and the SQL sum over the numbers of events, n. It counts by quarter of an hour first, if
// it can: then the bucket is found once for each quarter, and not once for each event.
func (g *grouped) perBucket(r *reader, event string, b buckets, sum string) selection {
	from := g.counted(b)
	counted := selection{columns: names(b.moment(r.d), from.count+" AS n"), from: r.joined(from.table, b.span(), g.filter.sources, nil), where: g.where(r, event, b), groupBy: "moment"}
	return selection{columns: names(b.index(r.d)+" AS b", sum), from: counted.as("counted"), groupBy: "b"}
}

// groups are the groups of a breakdown: the first values of its column, and the others.
type groups struct {
	names []Group
	other bool           // the last name is for all other values
	find  map[string]int // index by Group.Value
	none  int            // index of the events without a value, -1 if they have no group of their own
	keys  []fragment     // the values, to compare the column with
}

// The column o of a row says what its group is: the one named in column g, that of the
// events without a value, that of the others, or none: the events that lost their value.
const (
	isNamed = 0
	isNone  = 1
	isOther = 2
	isLost  = 3
)

// largest finds the groups with the most events of a name in the range. Equal ones are in
// the order of their values. Without a breakdown there is a single group.
func (g *grouped) largest(ctx context.Context, r *reader, event string) (*groups, error) {
	if g.by == nil {
		return &groups{names: []Group{{}}, none: -1}, nil
	}
	from := g.counted(g.now)
	return g.read(ctx, r, selection{
		columns: raw("k, CAST(" + from.count + " AS BIGINT) AS total"),
		from:    g.keyed(r, from, raw(from.read), event),
		groupBy: "k",
		orderBy: "total DESC, k NULLS LAST",
		limit:   g.limit + 1,
	})
}

// keyed is a table of the events of the range, with the breakdown's column as k.
func (g *grouped) keyed(r *reader, from source, columns fragment, event string) fragment {
	return g.by.withKey(r.d, columns, g.rowsOf(r, from.table, g.now), all(g.where(r, event, g.now), raw("NOT "+g.lost(r)))).as("keyed")
}

// read makes groups of rows of (value, number of events), the first group first: one row
// more than there may be groups if there are others.
func (g *grouped) read(ctx context.Context, r *reader, q selection) (*groups, error) {
	found := &groups{find: make(map[string]int), none: -1}
	err := r.each(ctx, q.statement(), func(scan func(...any) error) error {
		k := newKey(g.by.kind)
		var n int64
		if err := scan(k.into(), &n); err != nil {
			return err
		}
		found.add(k, g.limit)
		return nil
	})
	return found, err
}

// add adds a group if it is new, and returns its index. Of more groups than limit, the later ones
// are the others.
func (g *groups) add(k *key, limit int) int {
	value, ok := k.text()
	i, found := g.find[value]
	if !ok {
		i, found = g.none, g.none >= 0
	}
	n := len(g.names)
	switch {
	case found:
		return i
	case g.other:
		return n - 1
	case n == limit:
		g.other = true
		g.names = append(g.names, Group{Value: "other"})
	case !ok:
		g.none = n
		g.names = append(g.names, Group{None: true})
	default:
		g.find[value] = n
		g.names = append(g.names, Group{Value: value})
		g.keys = append(g.keys, bind(k.value()))
	}
	return n
}

// split is a table of (columns…, o, g) made of a table that has the breakdown's column as
// k, and whether the row has lost it as lost. o and g say which group a row belongs to; g is
// NULL unless o is 0.
//
// Example with the groups DE and FR, one for no value, and one for the others:
//
//	k   DE  FR  NULL  US    NULL, lost
//	o    0   0     1   2     3
//	g   DE  FR  NULL  NULL  NULL
func (g *groups) split(columns string, from fragment) fragment {
	none := isOther
	if g.none >= 0 {
		none = isNone
	}
	valueless := fmt.Sprintf("CASE WHEN lost THEN %d WHEN k IS NULL THEN %d", isLost, none)
	if !g.other {
		// All values of the range have a group. Values that only the earlier range has
		// are skipped in index.
		return selection{columns: names(columns, "k AS g", valueless+" ELSE 0 END AS o"), from: from}.as("split")
	}
	named := raw("FALSE")
	if len(g.keys) > 0 {
		named = isOneOf(raw("k"), g.keys)
	}
	placed := selection{columns: sql("*, "+valueless+" WHEN @ THEN 0 ELSE 2 END AS o", named), from: from}
	return selection{columns: names(columns, "o", "CASE WHEN o = 0 THEN k END AS g"), from: placed.as("placed")}.as("split")
}

// index returns the index of a row's group, -1 if it has none: an earlier range may have
// values that the later one has not, while there is no group for others.
func (g *groups) index(o int64, k *key) int {
	switch o {
	case isNone:
		return g.none
	case isLost:
		return -1
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
	kind    valueKind
	str     *string
	integer *int64
	real    *float64
	boolean *bool
}

func newKey(k valueKind) *key { return &key{kind: k} }

// into is what to scan into.
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

// value returns the value to compare the column with; nil for none.
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

// text returns the value as an answer has it, the same for every engine. ok is false if
// there is none.
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
