package weir

import (
	"bytes"
	"encoding/json"
	"strings"
)

// Properties that say which groups an event belongs to: PropertyGroups is an object of the groups'
// types with their ids, {"company":"acme"}. An event NameGroup describes one group: its type and
// id are PropertyGroupType and PropertyGroupID, and the other properties are the group's own.
const (
	PropertyGroups    = "$groups"
	PropertyGroupType = "group_type"
	PropertyGroupID   = "group_id"
)

// PropertyAlias is the property of an identify event that names a former id, text or a
// number: what was counted under it, as a device or as a profile that was never
// identified, counts under the event's profile.
const PropertyAlias = "$alias"

// MaxAlias is the most bytes of an alias.
const MaxAlias = 1024

// Alias is the former id that an identify event names, "" for none. An id that
// LegalID refuses, and one that is too long, is none.
func (e *Event) Alias() string {
	raw := e.aliasProperty()
	if raw == nil {
		return ""
	}
	id, ok := aliasText(raw)
	if !ok || len(id) > MaxAlias || !LegalID(id) {
		return ""
	}
	return id
}

// DropIllegalAlias takes an alias out of an identify event's properties that Alias
// would not take, and says whether there was one. null is none.
func (e *Event) DropIllegalAlias() bool {
	raw := e.aliasProperty()
	if raw == nil || e.Alias() != "" {
		return false
	}
	e.DropAlias()
	return string(raw) != "null"
}

// DropAlias takes the alias out of an identify event's properties. Other properties
// stay, and the event's own bytes are not changed.
func (e *Event) DropAlias() {
	var properties map[string]json.RawMessage
	if e.Name != NameIdentify || json.Unmarshal(e.Properties, &properties) != nil {
		return
	}
	delete(properties, PropertyAlias)
	e.Properties = nil
	if len(properties) > 0 {
		// A map of what was read as JSON always has it.
		e.Properties, _ = json.Marshal(properties)
	}
}

// aliasProperty is the value of an identify event's alias as JSON, nil for none.
func (e *Event) aliasProperty() json.RawMessage {
	// What has no such letters is not read: nearly all.
	if e.Name != NameIdentify || !bytes.Contains(e.Properties, []byte("alias")) {
		return nil
	}
	var properties map[string]json.RawMessage // a struct's field would take other cases for it
	if json.Unmarshal(e.Properties, &properties) != nil {
		return nil
	}
	return properties[PropertyAlias]
}

func aliasText(raw json.RawMessage) (id string, ok bool) {
	switch raw[0] {
	case '"':
		return id, json.Unmarshal(raw, &id) == nil
	case '-', '0', '1', '2', '3', '4', '5', '6', '7', '8', '9':
		return string(raw), true
	}
	return "", false
}

// illegalIDs are what programs send in the place of an id that they do not know: what
// PostHog refuses to merge under, and what Segment suggests to block. In lower case.
var illegalIDs = [...]string{
	"null", "nil", "none", "undefined", "nan", "true", "false", "-1", "[object object]",
	"anonymous", "guest", "distinct_id", "distinctid", "id", "email", "not_authenticated",
}

// LegalID says whether text can be an id of a profile or a device: not if it is a word
// that stands for the lack of one, in any case, or zeros and dashes alone, as a UUID of
// zeros is; also between quotes or spaces. It allocates nothing.
func LegalID(id string) bool {
	id = strings.Trim(id, idMargin)
	if strings.Trim(id, "0-") == "" {
		return false
	}
	for _, illegal := range illegalIDs {
		if len(id) == len(illegal) && strings.EqualFold(id, illegal) {
			return false
		}
	}
	return true
}

// idMargin is what may stand around an id without making it another.
const idMargin = " \t\r\n\v\f\u00a0\"'`"
