package posthog

import (
	"bytes"
	"strconv"

	weir "github.com/weir-analytics/weir"
	"github.com/weir-analytics/weir/internal/wire"
	"github.com/weir-analytics/weir/internal/wire/item"
)

// storeTraits stores the event's changes of traits as the properties $set, $set_once and
// $unset. It reports whether there are any.
func (p *decoder) storeTraits() (some bool) {
	some = p.storeMerged("$set", p.set, nil)
	some = p.storeMerged("$set_once", p.once, automaticTrait) || some
	for _, at := range p.unset {
		if at > 0 {
			p.Pos = at
			if c := p.Peek(); c == '[' || c == '"' {
				p.Keep("$unset")
				return true
			}
		}
	}
	return some
}

// addIdentify adds an identify event if the current event (of another kind) also changes
// traits. Its id is the event's id + ":set", so that a retry is recognized as a
// duplicate. Traits of an event without a profile are dropped.
func (p *decoder) addIdentify(end int) {
	if !p.Has(item.Profile) || p.set == (places{}) && p.once == (places{}) && p.unset == (places{}) {
		return
	}
	p.Properties, p.Keys = p.Properties[:0], p.Keys[:0]
	if !p.storeTraits() {
		p.Pos = end
		return
	}
	p.Pos = end
	if p.Has(item.ID) {
		p.Put(item.ID, string(p.Get(item.ID)), ":set")
	}
	at := p.At
	p.At = [item.FieldCount]item.Span{}
	for _, f := range [...]item.Field{item.ID, item.Profile, item.Device, item.Session, item.IP, item.UserAgent, item.Library} {
		p.At[f] = at[f]
	}
	p.Put(item.Name, weir.NameIdentify)
	p.Revenue = 0
	p.Items-- // both events come from the same item
	p.FinishItem()
}

// storeGroup stores a $groupidentify event: the group's type and id, and its properties.
func (p *decoder) storeGroup() {
	p.KeepText("group_type", p.ownText(ownGroupType))
	p.KeepText("group_id", p.ownText(ownGroupKey))
	if p.groupSet[1] == 0 {
		return
	}
	p.Pos = p.groupSet[1]
	if p.Peek() != '{' {
		return
	}
	for more := p.Begin('}'); more; more = p.More('}') {
		begin := p.Pos
		key, ok := p.Key()
		if !ok {
			return
		}
		if string(key) == "group_type" || string(key) == "group_id" {
			p.Skip()
			continue
		}
		value := p.Pos
		p.Pos = begin
		p.Builder.Property(value)
	}
}

// storeMerged merges the objects at the given positions and stores the result as one
// property. The first value of a key wins. Keys for which drop is true are left out; with
// drop, null values too. If nothing is left it stores nothing and returns false.
func (p *decoder) storeMerged(name string, at places, drop func(key []byte) bool) bool {
	if at == (places{}) {
		return false
	}
	size, outer := len(p.Properties), len(p.Keys)
	p.PropertyKey(name)
	p.Properties = append(p.Properties, '{')
	first := len(p.Keys)
	for _, pos := range at {
		if p.Pos = pos; pos > 0 && p.Peek() == '{' {
			p.mergeObject(first, drop)
		}
	}
	if len(p.Keys) == first {
		p.Properties, p.Keys = p.Properties[:size], p.Keys[:outer]
		if outer == 0 {
			p.Properties = p.Properties[:0]
		}
		return false
	}
	p.Properties = append(p.Properties, '}')
	p.Keys = p.Keys[:first]
	return true
}

// mergeObject adds the entries of the object at pos to the property that is being
// written. p.keys[first:] are the keys that it has already.
func (p *decoder) mergeObject(first int, drop func(key []byte) bool) {
	for more := p.Begin('}'); more; more = p.More('}') {
		begin := p.Pos
		key, ok := p.Key()
		if !ok {
			return
		}
		if p.Reason != "" || drop != nil && (p.Peek() == 'n' || drop(key)) {
			p.Skip()
			continue
		}
		value, size := p.Pos, len(p.Properties)
		if len(p.Keys) > first {
			p.Properties = append(p.Properties, ',')
		}
		from := len(p.Properties)
		p.Pos = begin
		if !p.CompactString("properties") {
			return
		}
		p.Pos = value
		p.Keys = append(p.Keys, item.Span{From: from, To: len(p.Properties)})
		if p.Repeated(p.Keys[first:]) {
			p.Properties, p.Keys = p.Properties[:size], p.Keys[:len(p.Keys)-1]
			p.Skip()
			continue
		}
		if len(p.Keys)-first > p.Limits.Properties {
			p.Defect(wire.ReasonTooMany, "properties: over "+strconv.Itoa(p.Limits.Properties)+" entries")
		}
		p.Properties = append(p.Properties, ':')
		p.Compact("properties", 3)
	}
}

// automaticTrait reports whether posthog-js adds this $set_once trait automatically:
// where the visitor first came from. Weir stores that with the events.
func automaticTrait(key []byte) bool {
	switch string(key) {
	case "$referrer", "$referring_domain", "$current_url", "$host", "$pathname",
		"utm_source", "utm_medium", "utm_campaign", "utm_content", "utm_term",
		"gad_source", "mc_cid", "gclid", "gclsrc", "dclid", "gbraid", "wbraid", "fbclid", "msclkid", "twclid",
		"li_fat_id", "igshid", "ttclid", "rdt_cid", "epik", "qclid", "sccid", "irclid", "_kx":
		return true
	}
	return bytes.HasPrefix(key, []byte("$initial_"))
}
