package insight

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	weir "github.com/weir-analytics/weir"
	"github.com/weir-analytics/weir/internal/cold"
	"github.com/weir-analytics/weir/internal/cold/schema"
)

// valueKind is how a column's values compare.
type valueKind int

const (
	text     valueKind = iota // no value is '' or NULL
	integer                   // no value is NULL
	real                      // no value is NULL
	boolean                   // always has a value
	property                  // text of a JSON value; no value is NULL
)

// columns are the columns that a query may name: those of events, as the schema says, but
// with a visitSource in the place of the event's own.
var columns = func() map[string]column {
	out := map[string]column{}
	for _, c := range schema.Events.Columns {
		if c.Named {
			out[c.Name] = column{name: c.Name, kind: kindOf(c.Type), expr: raw(c.Name), kept: c.Erase == schema.Keep}
		}
	}
	message := out["error"]
	message.shape = out["error_shape"].expr
	out["error"] = message
	out[visitSession] = column{name: visitSession, kind: text, expr: sourceOf(visitSession), source: visitSession}
	for _, name := range visitSources {
		own := out[name]
		own.name = eventPrefix + name
		out[own.name] = own
		for _, of := range []string{name, visitPrefix + name} {
			out[of] = column{name: of, kind: text, expr: sourceOf(name), source: name}
		}
	}
	return out
}()

func kindOf(t schema.Type) valueKind {
	switch t {
	case schema.Bool:
		return boolean
	case schema.Int32, schema.Int64:
		return integer
	case schema.Float:
		return real
	}
	return text
}

// A property is named as propertyPrefix and its name, a trait of a profile as traitPrefix
// and its name, the group (company, team …) that an event belongs to as groupPrefix and the
// group's type.
const (
	propertyPrefix = "properties."
	groupPrefix    = "groups."
	traitPrefix    = "traits."
)

// column is a column that a question named, found to be allowed.
type column struct {
	name   string
	kind   valueKind
	expr   fragment // as it is stored
	shape  fragment // of an error: what messages of one kind have in common; empty for other columns
	trait  string   // of the events' persons; "" for a column of events
	source string   // one of visitSources, or visitSession; "" for a column of events
	kept   bool     // an erasure leaves the values
}

// columnOf looks a name up. A path is the page that it counts as: see pageOf. Error: EINVALID.
func columnOf(d cold.Dialect, p *weir.Project, name string) (column, error) {
	if err := weir.CheckText("column", name); err != nil {
		return column{}, err
	}
	if own, ok := strings.CutPrefix(name, propertyPrefix); ok && own != "" {
		expr, arg := d.PropertyText("properties", own)
		return column{name: name, kind: property, expr: fragment{sql: expr, args: []any{arg}}}, nil
	}
	if group, ok := strings.CutPrefix(name, groupPrefix); ok && group != "" {
		return groupColumn(d, name, group), nil
	}
	if strings.HasPrefix(name, traitPrefix) {
		return column{}, weir.Errorf(weir.EINVALID, "%s: a trait can be in a filter or be a breakdown", name)
	}
	c, ok := columns[name]
	if !ok {
		return column{}, unknownColumn(name)
	}
	if isRuled(name) {
		c.expr = pageOf(d, p, name)
	}
	return c, nil
}

// CheckColumn refuses what a question may not name as a column. Error: EINVALID.
func CheckColumn(name string) error {
	if err := weir.CheckText("column", name); err != nil {
		return err
	}
	for _, prefix := range []string{propertyPrefix, traitPrefix, groupPrefix} {
		if rest, ok := strings.CutPrefix(name, prefix); ok && rest != "" {
			return nil
		}
	}
	if _, ok := columns[name]; !ok && name != weir.ActionColumn {
		return unknownColumn(name)
	}
	return nil
}

func unknownColumn(name string) error {
	return weir.Errorf(weir.EINVALID, "unknown column %q: use %s, properties.NAME, traits.NAME or groups.TYPE", name, strings.Join(slices.Sorted(maps.Keys(columns)), ", "))
}

// groupColumn is the id of the group of a type that an event belongs to. All protocols store it in
// the property $groups; the event that describes a group names it in two properties of its own.
func groupColumn(d cold.Dialect, name, group string) column {
	member, args := d.MemberText("properties", weir.PropertyGroups, group)
	typ, typArg := d.PropertyText("properties", weir.PropertyGroupType)
	id, idArg := d.PropertyText("properties", weir.PropertyGroupID)
	return column{name: name, kind: text, expr: sql("COALESCE(@, CASE WHEN name = @ AND @ = @ THEN @ END)",
		fragment{member, args}, bind(weir.NameGroup), fragment{typ, []any{typArg}}, bind(group), fragment{id, []any{idArg}})}
}

// key is what a breakdown groups events by: the column's value where it has one, else NULL, and
// the shape of an error.
func (c column) key(d cold.Dialect) fragment {
	if c.kind == property {
		return spelled(d, c.expr)
	}
	f := c.stored()
	f.sql = c.keyOf(d, f.sql)
	return f
}

// stored is what key is made of.
func (c column) stored() fragment {
	if c.shape.sql != "" {
		return c.shape
	}
	return c.expr
}

// keyOf is the key made of stored, which has a name by then. An engine would parse the JSON of a
// property each time that the key names it.
func (c column) keyOf(d cold.Dialect, name string) string {
	switch c.kind {
	case text:
		return "NULLIF(" + name + ", '')"
	case property:
		return spelledOnce(d, name)
	}
	return name
}

// withKey selects columns of a table, and the key of a column as k.
func (c column) withKey(d cold.Dialect, columns, from, where fragment) selection {
	if c.kind != property {
		return selection{columns: sql("@, @ AS k", columns, c.key(d)), from: from, where: where}
	}
	read := selection{columns: sql("@, @ AS stored", columns, c.expr), from: from, where: where}
	return selection{columns: raw("*, " + c.keyOf(d, "stored") + " AS k"), from: read.as("read")}
}

// countedColumn looks up the column whose values are counted in place of persons; "" is none.
// Error: EINVALID.
func countedColumn(d cold.Dialect, p *weir.Project, name string) (*column, error) {
	if name == "" {
		return nil, nil
	}
	c, err := columnOf(d, p, name)
	if err == nil && c.kind != text && c.kind != property {
		err = weir.Errorf(weir.EINVALID, "of: column %q has no text to count", name)
	}
	return &c, err
}

// who is the column's value in the place of an event's person, the empty text if there is none. The prefix g
// keeps it from being taken for the id of a person.
func (c column) who(d cold.Dialect) fragment {
	return sql("CASE WHEN @ IS NULL THEN '' ELSE CONCAT('g', @) END", c.key(d), c.key(d))
}

// spelled is the text of a property such that equal numbers are equal texts: 1000, 1000.0,
// 1e3 and "1000" are "1000".
func spelled(d cold.Dialect, x fragment) fragment {
	return sql("COALESCE(@, @)", call(d.DecimalText, x), x)
}

// spelledOnce is spelled for a column that was read already. Most texts are no numbers: their
// first byte says so, and the pattern of numbers is not tried. It takes five times as long as all
// else that is done with a text.
func spelledOnce(d cold.Dialect, name string) string {
	return "CASE WHEN " + name + " >= '-' AND " + name + " < ':' THEN " + spelled(d, raw(name)).sql + " ELSE " + name + " END"
}

// maybeNumber says whether a text has the first byte of a number. spelled leaves other texts as
// they are, and makes none of them.
func maybeNumber(s string) bool { return s != "" && s[0] >= '-' && s[0] < ':' }

// numeric refuses a column that can hold no number. Error: EINVALID.
func (c column) numeric() error {
	switch c.kind {
	case integer, real, property:
		return nil
	}
	return weir.Errorf(weir.EINVALID, "column %q has no numbers: use latency_ms, request_bytes, response_bytes, revenue, status or properties.NAME", c.name)
}

// quote lists words for an error message.
func quote[T ~string](words ...T) string {
	s := make([]string, len(words))
	for i, w := range words {
		s[i] = fmt.Sprintf("%q", string(w))
	}
	return strings.Join(s, ", ")
}
