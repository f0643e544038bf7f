package insight

import (
	"cmp"
	"context"
	"encoding/json"
	"maps"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	weir "github.com/weir-analytics/weir"
)

// Limits of the search for properties.
const (
	// propertyRows are the newest events whose properties are read, and propertyText the
	// most characters of them.
	propertyRows = 5000
	propertyText = 4 << 20
	// maxFound is the most names of properties that are counted at once.
	maxFound = 10_000
	// discoveryBytes is the memory of that: the text of one event, its members, and the
	// names.
	discoveryBytes = 4 << 20
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

func uses(number bool) []string {
	if number {
		return []string{"filter", "breakdown", "math"}
	}
	return []string{"filter", "breakdown"}
}

// Columns returns the columns, the properties of the newest 5,000 events of the range, and with
// Discovery.People the traits. freshness is as in Asker. Error: EINVALID.
func (e *Engine) Columns(ctx context.Context, p *weir.Project, q Discovery, freshness time.Duration) (*Columns, error) {
	a := &Columns{Columns: []KnownColumn{}}
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
	in := r.in(oneBucket(q.From, q.To))
	if q.Event != "" {
		in = all(in, sql("name = @", bind(q.Event)))
	}
	where, n, whole, err := r.newestOf(ctx, in, propertyRows)
	if err != nil || n == 0 {
		return err
	}
	// The sizes are read first, so that no more text is read than what may be.
	rows, size := 0, int64(0)
	sizes := selection{
		columns: raw("CAST(COALESCE(CHAR_LENGTH(properties), 0) AS BIGINT)"), from: raw("events"), where: where,
		orderBy: newestFirst, limit: propertyRows,
	}
	err = r.each(ctx, sizes.statement(), func(scan func(...any) error) error {
		var chars int64
		if err := scan(&chars); err != nil {
			return err
		}
		if size += chars; size <= propertyText || rows == 0 {
			rows++
		}
		return nil
	})
	if err != nil || rows == 0 {
		return err
	}
	found := sightedProperties{of: map[string]*sightedProperty{}}
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
	a.add(q, found.columns())
	return err
}

// sightedProperties counts the properties of events. Its memory is bounded: when there are
// too many names, the rarest are dropped. So a flood of names that are sent once each does
// not displace those that are sent often.
type sightedProperties struct {
	of      map[string]*sightedProperty
	dropped bool // names were dropped, or were too long
}

type sightedProperty struct {
	count int64
	types map[string]bool
}

// add counts the properties of an event.
func (s *sightedProperties) add(properties []byte) {
	var members map[string]json.RawMessage
	if len(properties) == 0 || json.Unmarshal(properties, &members) != nil {
		return
	}
	s.addMembers(propertyPrefix, members)
	var groups map[string]json.RawMessage
	if raw := members[weir.PropertyGroups]; len(raw) > 0 && raw[0] == '{' && json.Unmarshal(raw, &groups) == nil {
		s.addMembers(groupPrefix, groups)
	}
}

// addMembers counts the members of an object as columns with a prefix.
func (s *sightedProperties) addMembers(prefix string, members map[string]json.RawMessage) {
	for name, value := range members {
		t := typeOf(value)
		if t == "" {
			continue
		}
		if prefix == groupPrefix {
			t = typeText // an id, or a list of them
		}
		if name == "" || len(name) > maxValue || !utf8.ValidString(name) {
			s.dropped = true
			continue
		}
		name = prefix + name
		p := s.of[name]
		if p == nil {
			if len(s.of) >= maxFound {
				s.dropRarest()
			}
			p = &sightedProperty{types: map[string]bool{}}
			s.of[name] = p
		}
		p.count++
		p.types[t] = true
	}
}

// dropRarest drops the rarer half of the names, and those that are as frequent as the last of
// that half.
func (s *sightedProperties) dropRarest() {
	counts := make([]int64, 0, len(s.of))
	for _, p := range s.of {
		counts = append(counts, p.count)
	}
	slices.Sort(counts)
	median := counts[len(counts)/2]
	maps.DeleteFunc(s.of, func(_ string, p *sightedProperty) bool { return p.count <= median })
	s.dropped = true
}

func (s *sightedProperties) columns() []KnownColumn {
	out := make([]KnownColumn, 0, len(s.of))
	for name, p := range s.of {
		c := KnownColumn{Name: name, Type: typeMixed, Uses: uses(p.types[typeNumber]), Count: p.count}
		if len(p.types) == 1 {
			for t := range p.types {
				c.Type = t
			}
		}
		out = append(out, c)
	}
	return out
}

// typeOf returns the type of a JSON value, "" for null. Text in the form of a number is one:
// questions calculate with it.
func typeOf(value json.RawMessage) string {
	switch value[0] {
	case 'n':
		return ""
	case 't', 'f':
		return typeBoolean
	case '{':
		return typeObject
	case '[':
		return typeList
	case '"':
		inner := value[1 : len(value)-1]
		if len(inner) > 0 && strings.IndexByte("-0123456789", inner[0]) >= 0 && inner[len(inner)-1] > ' ' && json.Valid(inner) {
			return typeNumber
		}
		return typeText
	}
	return typeNumber
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
