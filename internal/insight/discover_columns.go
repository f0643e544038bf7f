package insight

import (
	"cmp"
	"context"
	"maps"
	"slices"
	"strings"
	"time"

	weir "github.com/weir-analytics/weir"
)

// Limits of the search for properties.
const (
	// propertyRows are the newest events whose properties are read, and propertyText the
	// most bytes of them. A client of a database may have all rows in memory at once.
	propertyRows = 5000
	propertyText = 4 << 20
	// maxFound is the most names of properties that are counted at once, and foundBytes the
	// memory of so many.
	maxFound   = 10_000
	foundBytes = 4 << 20
	// discoveryBytes is the memory of the search.
	discoveryBytes = propertyText + foundBytes
)

// Columns are what a question may name.
type Columns struct {
	Columns []KnownColumn `json:"columns" nullable:"false" doc:"the columns by name; then properties and traits, the most frequent first"`
	More    bool          `json:"more,omitempty" doc:"there are more properties or traits than the limit"`
	Approximate
	DiscoveredIn
}

// KnownColumn is a column, a property, a group or a trait.
type KnownColumn struct {
	Name string   `json:"name" doc:"as a question names it: country, properties.plan, groups.company, traits.plan"`
	Type string   `json:"type" enum:"text,number,boolean,object,list,mixed" doc:"of a property: what its values are; text in the form of a number is a number"`
	Uses []string `json:"uses" nullable:"false" enum:"filter,breakdown,math" doc:"where a question may name it"`
	// Count is 0 for a column.
	Count int64 `json:"count,omitempty" doc:"of a property: how many of the events that were read have it; of a trait: how many profiles had it"`
	Described
}

// Types of columns in an answer.
const (
	typeText    = "text"
	typeNumber  = "number"
	typeBoolean = "boolean"
	typeObject  = "object"
	typeList    = "list"
	typeMixed   = "mixed"
)

var typeOfKind = map[valueKind]string{text: typeText, integer: typeNumber, real: typeNumber, boolean: typeBoolean}

var allUses = []string{"filter", "breakdown", "math"}

func uses(number bool) []string {
	if number {
		return allUses
	}
	return allUses[:2:2]
}

// Columns returns the columns, the properties of the newest 5,000 events of the range, and with
// Discovery.People the traits. freshness is as in Asker. Error: EINVALID.
func (e *Engine) Columns(ctx context.Context, p *weir.Project, q Discovery, freshness time.Duration) (*Columns, error) {
	a := &Columns{Columns: []KnownColumn{}}
	if strings.Contains(weir.ActionColumn, q.Contains) && !q.Hidden[weir.ActionColumn] {
		a.Columns = append(a.Columns, KnownColumn{Name: weir.ActionColumn, Type: typeText, Uses: uses(false)[:1]})
	}
	for _, name := range slices.Sorted(maps.Keys(columns)) {
		c := columns[name]
		if strings.Contains(name, q.Contains) && !q.Hidden[name] {
			a.Columns = append(a.Columns, KnownColumn{Name: name, Type: typeOfKind[c.kind], Uses: uses(c.numeric() == nil)})
		}
	}
	var err error
	a.DiscoveredIn, err = e.discover(ctx, p, &q, freshness, discoveryBytes, func(ctx context.Context, r *reader) error {
		if err := a.properties(ctx, r, q); err != nil {
			return err
		}
		if !q.People {
			return nil
		}
		return a.traits(ctx, r, q)
	})
	if err != nil {
		return nil, err
	}
	return a, nil
}

// add adds what passes the query, up to its limit.
func (a *Columns) add(q Discovery, found []KnownColumn) {
	slices.SortFunc(found, func(x, y KnownColumn) int { return cmp.Or(cmp.Compare(y.Count, x.Count), cmp.Compare(x.Name, y.Name)) })
	n := 0
	for _, c := range found {
		switch {
		case q.Hidden[c.Name] || !strings.Contains(c.Name, q.Contains):
		case n == q.Limit:
			a.More = true
			return
		default:
			a.Columns = append(a.Columns, c)
			n++
		}
	}
}

// properties adds the properties of the newest events.
func (a *Columns) properties(ctx context.Context, r *reader, q Discovery) error {
	where, n, whole, err := r.newestOf(ctx, oneBucket(q.From, q.To), q.Event, propertyRows)
	if err != nil || n == 0 {
		return err
	}
	// The sizes are read first, so that no more text is read than what may be.
	rows, size := 0, int64(0)
	sizes := selection{
		columns: raw("CAST(COALESCE(" + r.d.Bytes("properties") + ", 0) AS BIGINT)"), from: raw("events"), where: where,
		orderBy: newestFirst, limit: propertyRows,
	}
	err = r.each(ctx, sizes.statement(), func(scan func(...any) error) error {
		var bytes int64
		if err := scan(&bytes); err != nil {
			return err
		}
		if size += bytes; size <= propertyText || rows == 0 {
			rows++
		}
		return nil
	})
	if err != nil || rows == 0 {
		return err
	}
	found := sightedProperties{of: make(map[string]*sightedProperty)}
	newest := selection{columns: raw("properties"), from: raw("events"), where: where, orderBy: newestFirst, limit: rows}
	err = r.each(ctx, newest.statement(), func(scan func(...any) error) error {
		var text []byte
		if err := scan(&text); err != nil {
			return err
		}
		found.add(text)
		return nil
	})
	a.EventsRead = int64(rows)
	a.Approximate.Approximate = !whole || int64(rows) < n || found.dropped
	a.add(q, found.columns(q))
	return err
}

// traits adds the traits of the project's profiles.
func (a *Columns) traits(ctx context.Context, r *reader, q Discovery) error {
	where := sql("project_id = @ AND op <> 'refused'", bind(r.project.ID))
	if part, ok := strings.CutPrefix(q.Contains, traitPrefix); ok {
		where = sql("@ AND @", where, fragment{sql: r.d.Contains("trait", "?"), args: []any{part}})
	} else if q.Contains != "" && !strings.Contains(traitPrefix, q.Contains) {
		where = sql("@ AND @", where, fragment{sql: r.d.Contains("trait", "?"), args: []any{q.Contains}})
	}
	counted := selection{
		columns: raw("trait, COUNT(DISTINCT profile_id) AS n, COUNT(*) - COUNT(micros) AS texts"), from: raw("traits"), where: where,
		groupBy: "trait", orderBy: "n DESC, trait", limit: q.Limit + len(q.Hidden) + 1,
	}
	var found []KnownColumn
	err := r.each(ctx, counted.statement(), func(scan func(...any) error) error {
		c := KnownColumn{Type: typeNumber, Uses: uses(false)}
		var texts int64
		if err := scan(&c.Name, &c.Count, &texts); err != nil {
			return err
		}
		c.Name = traitPrefix + c.Name
		if texts > 0 {
			c.Type = typeText
		}
		found = append(found, c)
		return nil
	})
	a.add(q, found)
	return err
}
