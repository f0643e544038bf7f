package wire

import (
	"bytes"
	"strconv"

	weir "github.com/weir-analytics/weir"
)

// storeTraits stores the event's changes of traits as the properties $set, $set_once and
// $unset. It reports whether there are any.
func (p *posthog) storeTraits() (some bool) {
	some = p.storeMerged("$set", p.set, nil)
	some = p.storeMerged("$set_once", p.once, posthogAutomatic) || some
	for _, at := range p.unset {
		if at > 0 {
			p.pos = at
			if c := p.peek(); c == '[' || c == '"' {
				p.keep("$unset")
				return true
			}
		}
	}
	return some
}

// addIdentify adds an identify event if the current event (of another kind) also changes
// traits. Its id is the event's id + ":set", so that a retry is recognized as a
// duplicate. Traits of an event without a profile are dropped.
func (p *posthog) addIdentify(end int) {
	if !p.has(fieldProfile) || p.set == (places{}) && p.once == (places{}) && p.unset == (places{}) {
		return
	}
	p.properties, p.keys = p.properties[:0], p.keys[:0]
	if !p.storeTraits() {
		p.pos = end
		return
	}
	p.pos = end
	if p.has(fieldID) {
		p.put(fieldID, string(p.get(fieldID)), ":set")
	}
	at := p.at
	p.at = [fieldCount]span{}
	for _, f := range [...]slot{fieldID, fieldProfile, fieldDevice, fieldSession, fieldIP, fieldUserAgent, fieldLibrary} {
		p.at[f] = at[f]
	}
	p.put(fieldName, weir.NameIdentify)
	p.revenue = 0
	p.items-- // both events come from the same item
	p.finishItem()
}

// storeGroup stores a $groupidentify event: the group's type and id, and its properties.
func (p *posthog) storeGroup() {
	p.keepText("group_type", p.ownText(ownGroupType))
	p.keepText("group_id", p.ownText(ownGroupKey))
	if p.groupSet[1] == 0 {
		return
	}
	p.pos = p.groupSet[1]
	if p.peek() != '{' {
		return
	}
	for more := p.begin('}'); more; more = p.more('}') {
		begin := p.pos
		key, ok := p.field()
		if !ok {
			return
		}
		if string(key) == "group_type" || string(key) == "group_id" {
			p.skip()
			continue
		}
		value := p.pos
		p.pos = begin
		p.draft.property(value)
	}
}

// storeMerged merges the objects at the given positions and stores the result as one
// property. The first value of a key wins. Keys for which drop is true are left out; with
// drop, null values too. If nothing is left it stores nothing and returns false.
func (p *posthog) storeMerged(name string, at places, drop func(key []byte) bool) bool {
	if at == (places{}) {
		return false
	}
	size, outer := len(p.properties), len(p.keys)
	p.propertyKey(name)
	p.properties = append(p.properties, '{')
	first := len(p.keys)
	for _, pos := range at {
		if p.pos = pos; pos > 0 && p.peek() == '{' {
			p.mergeObject(first, drop)
		}
	}
	if len(p.keys) == first {
		p.properties, p.keys = p.properties[:size], p.keys[:outer]
		if outer == 0 {
			p.properties = p.properties[:0]
		}
		return false
	}
	p.properties = append(p.properties, '}')
	p.keys = p.keys[:first]
	return true
}

// mergeObject adds the entries of the object at pos to the property that is being
// written. p.keys[first:] are the keys that it has already.
func (p *posthog) mergeObject(first int, drop func(key []byte) bool) {
	for more := p.begin('}'); more; more = p.more('}') {
		begin := p.pos
		key, ok := p.field()
		if !ok {
			return
		}
		if p.reason != "" || drop != nil && (p.peek() == 'n' || drop(key)) {
			p.skip()
			continue
		}
		value, size := p.pos, len(p.properties)
		if len(p.keys) > first {
			p.properties = append(p.properties, ',')
		}
		from := len(p.properties)
		p.pos = begin
		if !p.compactString("properties") {
			return
		}
		p.pos = value
		p.keys = append(p.keys, span{from, len(p.properties)})
		if p.again(p.keys[first:]) {
			p.properties, p.keys = p.properties[:size], p.keys[:len(p.keys)-1]
			p.skip()
			continue
		}
		if len(p.keys)-first > p.limits.Properties {
			p.defect(ReasonTooMany, "properties: over "+strconv.Itoa(p.limits.Properties)+" entries")
		}
		p.properties = append(p.properties, ':')
		p.compact("properties", 3)
	}
}

// posthogAutomatic reports whether posthog-js adds this $set_once trait automatically:
// where the visitor first came from. Weir stores that with the events.
func posthogAutomatic(key []byte) bool {
	switch string(key) {
	case "$referrer", "$referring_domain", "$current_url", "$host", "$pathname",
		"utm_source", "utm_medium", "utm_campaign", "utm_content", "utm_term",
		"gad_source", "mc_cid", "gclid", "gclsrc", "dclid", "gbraid", "wbraid", "fbclid", "msclkid", "twclid",
		"li_fat_id", "igshid", "ttclid", "rdt_cid", "epik", "qclid", "sccid", "irclid", "_kx":
		return true
	}
	return bytes.HasPrefix(key, []byte("$initial_"))
}
