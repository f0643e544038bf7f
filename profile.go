package weir

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"math/big"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"
)

// TraitOp is what a change does to a profile's trait.
type TraitOp string

// What an identify event may ask of a trait, and what is kept of what it may not.
const (
	TraitSet     TraitOp = "set"     // the trait has the value
	TraitSetOnce TraitOp = "once"    // it has the value if it has none yet
	TraitAdd     TraitOp = "add"     // the number is added; nothing, and what is no number, counts as 0
	TraitUnset   TraitOp = "unset"   // it has no value
	TraitRefused TraitOp = "refused" // changes nothing; Text is the reason
)

// Limits of traits.
const (
	MaxTraitName    = 128     // bytes of a name
	MaxTraitValue   = 8 << 10 // bytes of a value as text
	MaxTraitChanges = 200     // of one event
	maxRefusals     = 10      // kept of one event
)

// TraitChange is one change of one trait, as one event asks for it. A profile's traits
// are what its changes make of nothing, one after the other in the order of Place.
// Changes are a set: one that is there twice says no more.
type TraitChange struct {
	ProjectID, ProfileID string

	Trait string
	Op    TraitOp
	At    time.Time // of the event
	// ReceivedAt is when the event was received; zero on rows of earlier versions.
	ReceivedAt time.Time
	// Place is the change's place among all of the profile: the event's time, its
	// shard and seq, the number of the change in the event, the event's id. As text
	// it sorts by bytes. No two changes have the same.
	Place string

	Text   string // the value as text: a string without quotes, all else as JSON
	Quoted bool   // the value is a string
	// Micros is the value in millionths, where Number says that it is a number within
	// MaxTraitNumber.
	Micros int64
	Number bool
}

// MaxTraitNumber is as far from 0 as a sum of TraitAdd goes, in millionths: it stops
// there.
const MaxTraitNumber = int64(9_000_000_000_000_000_000)

// Value is the change's value as JSON.
func (c *TraitChange) Value() json.RawMessage {
	if !c.Quoted {
		return json.RawMessage(c.Text)
	}
	b, _ := json.Marshal(c.Text) // a string always has one
	return b
}

// The properties of an identify event that say how its traits change. Any other one
// sets the trait of its name, unless that begins with a dollar sign.
const (
	propertySetOnce = "$set_once" // an object: name to value
	propertySet     = "$set"      // an object: name to value
	propertyAdd     = "$add"      // an object: name to number
	propertyUnset   = "$unset"    // a list of names, or one
)

// TraitChanges are those that an event asks for, none unless it is an identify event
// of a profile. In one event what is set once goes first, then come properties, $set,
// $add and $unset; names go by their bytes. What is refused is among them.
func TraitChanges(r *EventRow) []TraitChange {
	if r.Name != NameIdentify || r.ProfileID == "" || len(r.Properties) == 0 {
		return nil
	}
	a := asked{row: r}
	var properties map[string]json.RawMessage
	if err := json.Unmarshal(r.Properties, &properties); err != nil {
		return nil // no event that is stored has such
	}
	a.object(properties, propertySetOnce, TraitSetOnce)
	for _, name := range slices.Sorted(maps.Keys(properties)) {
		if !strings.HasPrefix(name, "$") {
			a.change(TraitSet, name, properties[name])
		}
	}
	a.object(properties, propertySet, TraitSet)
	a.object(properties, propertyAdd, TraitAdd)
	a.names(properties[propertyUnset])
	return a.result()
}

// asked is what an event asks for, as far as it is read.
type asked struct {
	row     *EventRow
	changes []TraitChange
	refused []TraitChange
	more    int // refused, and not kept
}

// object reads an object of names and values.
func (a *asked) object(properties map[string]json.RawMessage, property string, op TraitOp) {
	raw, ok := properties[property]
	if !ok {
		return
	}
	var values map[string]json.RawMessage
	if err := json.Unmarshal(raw, &values); err != nil {
		a.refuse(property, "is not an object")
		return
	}
	for _, name := range slices.Sorted(maps.Keys(values)) {
		a.change(op, name, values[name])
	}
}

// names reads what $unset names.
func (a *asked) names(raw json.RawMessage) {
	if raw == nil {
		return
	}
	var names []string
	var one string
	switch {
	case json.Unmarshal(raw, &one) == nil && string(raw) != "null":
		names = []string{one}
	case json.Unmarshal(raw, &names) != nil:
		a.refuse(propertyUnset, "is not a list of names")
		return
	}
	for _, name := range names {
		a.change(TraitUnset, name, nil)
	}
}

// change takes one in, or refuses it.
func (a *asked) change(op TraitOp, name string, raw json.RawMessage) {
	c := TraitChange{Trait: name, Op: op}
	switch {
	case name == "" || len(name) > MaxTraitName:
		a.refuse(name, fmt.Sprintf("a name has 1 to %d bytes", MaxTraitName))
		return
	case len(a.changes) == MaxTraitChanges:
		a.refuse(name, fmt.Sprintf("an event makes at most %d changes", MaxTraitChanges))
		return
	case op == TraitUnset:
	case string(raw) == "null" && op == TraitAdd:
		a.refuse(name, "what is added is not a number")
		return
	case string(raw) == "null":
		if op == TraitSetOnce {
			return // nothing, once, changes nothing
		}
		c.Op = TraitUnset
	default:
		if reason := c.read(raw); reason != "" {
			a.refuse(name, reason)
			return
		}
	}
	a.changes = append(a.changes, c)
}

// read takes the value, or says why not.
func (c *TraitChange) read(raw json.RawMessage) (refused string) {
	switch raw[0] {
	case '"':
		c.Quoted = true
		_ = json.Unmarshal(raw, &c.Text) // it was found to be valid
	case '-', '0', '1', '2', '3', '4', '5', '6', '7', '8', '9':
		var exact bool
		c.Text = string(raw)
		if c.Micros, exact, c.Number = micros(c.Text); exact {
			c.Text = DecimalOf(c.Micros)
		}
	default:
		var b bytes.Buffer
		_ = json.Compact(&b, raw)
		c.Text = b.String()
	}
	switch {
	case c.Op == TraitAdd && !c.Number:
		return "what is added is not a number within 9,000,000,000,000"
	case len(c.Text) > MaxTraitValue:
		return fmt.Sprintf("a value has at most %d bytes", MaxTraitValue)
	}
	return ""
}

func (a *asked) refuse(name, reason string) {
	if len(a.refused) == maxRefusals {
		a.more++
		return
	}
	for len(name) > MaxTraitName || !utf8.ValidString(name) {
		name = strings.ToValidUTF8(name[:min(len(name), MaxTraitName)], "")
	}
	a.refused = append(a.refused, TraitChange{Trait: name, Op: TraitRefused, Text: reason, Quoted: true})
}

// result gives each change its place.
func (a *asked) result() []TraitChange {
	if a.more > 0 {
		a.refused = append(a.refused, TraitChange{Op: TraitRefused, Text: fmt.Sprintf("%d more changes of the event", a.more), Quoted: true})
	}
	out := append(a.changes, a.refused...)
	r := a.row
	for i := range out {
		c := &out[i]
		c.ProjectID, c.ProfileID, c.At, c.ReceivedAt = r.ProjectID, r.ProfileID, r.Time, r.ReceivedAt
		c.Place = fmt.Sprintf("%s%04x%s", PlacePrefix(r), i, r.ID)
	}
	return out
}

// PlacePrefixLength is the length of a PlacePrefix of a shard below 65,536.
const PlacePrefixLength = 16 + 4 + 16

// PlacePrefix is what the place of each change of an event begins with. Times are shifted so
// that those before 1970 are not negative.
func PlacePrefix(r *EventRow) string {
	return fmt.Sprintf("%016x%04x%016x", uint64(r.Time.UnixMicro())^1<<63, r.Shard, r.Seq)
}

// micros is a JSON number in millionths, rounded; exact says that nothing was lost, ok
// that it is within MaxTraitNumber.
func micros(number string) (m int64, exact, ok bool) {
	// A few bytes can stand for a number of any size.
	if _, exponent, found := strings.Cut(strings.ToLower(number), "e"); found {
		if e, err := strconv.Atoi(exponent); err != nil || e > 30 || e < -60 {
			return 0, false, false
		}
	}
	if len(number) > 80 {
		return 0, false, false
	}
	r, parsed := new(big.Rat).SetString(number)
	if !parsed {
		return 0, false, false
	}
	m, err := strconv.ParseInt(strings.Replace(r.FloatString(6), ".", "", 1), 10, 64)
	if err != nil || m > MaxTraitNumber || m < -MaxTraitNumber {
		return 0, false, false
	}
	return m, r.Cmp(big.NewRat(m, 1_000_000)) == 0, true
}

// DecimalOf writes millionths as a decimal number, without zeros at its end.
func DecimalOf(m int64) string {
	sign, u := "", uint64(m)
	if m < 0 {
		sign, u = "-", -uint64(m)
	}
	s := sign + strconv.FormatUint(u/1_000_000, 10)
	if f := u % 1_000_000; f > 0 {
		s += "." + strings.TrimRight(fmt.Sprintf("%06d", f), "0")
	}
	return s
}

// Trait is what changes make of a trait, applied one after the other in the order of
// their places. The zero value has no value.
type Trait struct {
	set    bool
	text   string
	quoted bool
	base   int64    // in millionths; 0 for what is no number
	added  *big.Int // in millionths; nil when nothing was added
}

// Apply applies the next change.
func (t *Trait) Apply(c *TraitChange) {
	switch c.Op {
	case TraitSet:
		*t = Trait{set: true, text: c.Text, quoted: c.Quoted, base: c.Micros}
	case TraitSetOnce:
		if !t.set {
			*t = Trait{set: true, text: c.Text, quoted: c.Quoted, base: c.Micros}
		}
	case TraitAdd:
		t.set = true
		if t.added == nil {
			t.added = new(big.Int)
		}
		t.added.Add(t.added, big.NewInt(c.Micros))
	case TraitUnset:
		*t = Trait{}
	}
}

// Value is the trait as JSON; ok is false when it has no value.
func (t *Trait) Value() (v json.RawMessage, ok bool) {
	if !t.set {
		return nil, false
	}
	text, quoted := t.Text()
	c := TraitChange{Text: text, Quoted: quoted}
	return c.Value(), true
}

// Text is the value as text, and whether it is a string.
func (t *Trait) Text() (text string, quoted bool) {
	if t.added == nil {
		return t.text, t.quoted
	}
	sum := new(big.Int).Add(t.added, big.NewInt(t.base))
	most := big.NewInt(MaxTraitNumber)
	switch {
	case sum.Cmp(most) > 0:
		sum = most
	case sum.CmpAbs(most) > 0:
		sum = most.Neg(most)
	}
	return DecimalOf(sum.Int64()), false
}
