package insight

import (
	"cmp"
	"encoding/json"
	"maps"
	"slices"
	"strings"
	"unicode/utf8"

	weir "github.com/weir-analytics/weir"
	"github.com/weir-analytics/weir/internal/wire/jsonscan"
)

// sightedProperties counts the properties of events. Its memory is bounded: when there are
// too many names, the rarest are dropped. So a flood of names that are sent once each does
// not displace those that are sent often.
type sightedProperties struct {
	of      map[string]*sightedProperty
	dropped bool // names were dropped, or were too long

	scan jsonscan.Scanner
	name []byte // that is looked up
}

type sightedProperty struct {
	count int64
	types typeSet
}

// typeSet has a bit for each type: of typesOfValues, the one at the bit's place.
type typeSet uint8

var typesOfValues = [...]string{typeText, typeNumber, typeBoolean, typeObject, typeList}

// has says whether a type is in the set.
func (s typeSet) has(t string) bool { return s&setOf(t) != 0 }

// name is that of the only type, or typeMixed.
func (s typeSet) name() string {
	for i, t := range typesOfValues {
		if s == 1<<i {
			return t
		}
	}
	return typeMixed
}

func setOf(t string) typeSet { return 1 << slices.Index(typesOfValues[:], t) }

// add counts the properties of an event.
func (s *sightedProperties) add(properties []byte) {
	if len(properties) > 0 && properties[0] == '{' {
		s.scan.Reset(properties)
		s.addMembers(propertyPrefix)
	}
}

// addMembers counts the members of the object at the cursor as columns with a prefix.
func (s *sightedProperties) addMembers(prefix string) {
	for more := s.scan.Begin('}'); more; more = s.scan.More('}') {
		key, ok := s.scan.Key()
		if !ok {
			return
		}
		s.name = append(append(s.name[:0], prefix...), key...)
		groups := prefix == propertyPrefix && string(key) == weir.PropertyGroups && s.scan.Peek() == '{'
		value := s.scan.Mark()
		if !s.scan.Skip() {
			return
		}
		t := typeOf(s.scan.Since(value))
		if t != "" && prefix == groupPrefix {
			t = typeText // an id, or a list of them
		}
		if t != "" {
			s.count(len(prefix), t)
		}
		if groups {
			s.scan.Seek(value)
			s.addMembers(groupPrefix)
		}
	}
}

// count counts a value of a type under the name that is looked up, which has a prefix.
func (s *sightedProperties) count(prefix int, t string) {
	if n := len(s.name) - prefix; n == 0 || n > maxValue || !utf8.Valid(s.name) {
		s.dropped = true
		return
	}
	p := s.of[string(s.name)]
	if p == nil {
		if len(s.of) >= maxFound {
			s.dropRarest()
		}
		p = new(sightedProperty)
		s.of[string(s.name)] = p
	}
	p.count++
	p.types |= setOf(t)
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

// columns returns the most frequent properties that pass a query: one more than its limit, if
// there are so many.
func (s *sightedProperties) columns(q Discovery) []KnownColumn {
	names := make([]string, 0, len(s.of))
	for name := range s.of {
		if strings.Contains(name, q.Contains) && !q.Hidden[name] {
			names = append(names, name)
		}
	}
	slices.SortFunc(names, func(x, y string) int { return cmp.Or(cmp.Compare(s.of[y].count, s.of[x].count), cmp.Compare(x, y)) })
	out := make([]KnownColumn, min(len(names), q.Limit+1))
	for i := range out {
		p := s.of[names[i]]
		out[i] = KnownColumn{Name: names[i], Type: p.types.name(), Uses: uses(p.types.has(typeNumber)), Count: p.count}
	}
	return out
}

// typeOf returns the type of a JSON value, "" for null. Text in the form of a number is one:
// questions calculate with it.
func typeOf(value []byte) string {
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
