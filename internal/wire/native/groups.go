package native

import (
	"bytes"
	"encoding/json"

	weir "github.com/weir-analytics/weir"
	"github.com/weir-analytics/weir/internal/wire/item"
)

// groups reads the groups of an event, {"company":"acme"}, as JSON; null and {} are none.
func (n *decoder) groups(field string) item.Span {
	if n.Null() {
		return item.Span{}
	}
	if n.Peek() != '{' {
		n.wrongType(field, "an object")
		return item.Span{}
	}
	begin, empty := n.Mark(), true
	for more := n.Begin('}'); more; more = n.More('}') {
		if _, ok := n.Key(); ok {
			n.id(field)
			empty = false
		}
	}
	if n.Failed() || n.HasDefect() || empty {
		return item.Span{}
	}
	n.Seek(begin)
	return n.ReadJSON(field)
}

// propertyGroups is the beginning of properties that have groups.
const propertyGroups = `{"` + weir.PropertyGroups + `":`

// withGroups returns properties with the groups of an event in the place of those that they may
// have themselves.
func withGroups(properties, groups []byte) []byte {
	if len(groups) == 0 {
		return properties
	}
	if bytes.Contains(properties, []byte(`"`+weir.PropertyGroups+`"`)) {
		var members map[string]json.RawMessage
		if json.Unmarshal(properties, &members) == nil {
			delete(members, weir.PropertyGroups)
			properties, _ = json.Marshal(members) // a map of what was read as JSON always has it
		}
	}
	out := append(make([]byte, 0, len(propertyGroups)+len(groups)+1+len(properties)), propertyGroups...)
	out = append(out, groups...)
	if len(properties) > len("{}") {
		return append(append(out, ','), properties[1:]...)
	}
	return append(out, '}')
}
