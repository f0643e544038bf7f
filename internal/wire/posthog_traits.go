package wire

import (
	"bytes"
	"strconv"

	weir "github.com/weir-analytics/weir"
)

// traits keeps what the event says of its person as the properties $set, $set_once
// and $unset, and says whether there is anything.
func (p *posthog) traits() (some bool) {
	some = p.merged("$set", p.set, nil)
	some = p.merged("$set_once", p.once, posthogAutomatic) || some
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

// further makes of traits that came with another event an identify event. Its id is
// the event's with ":set", so that one which is sent again is a duplicate too.
// Nothing is kept of whom nobody knows.
func (p *posthog) further(end int) {
	if !p.has(fieldProfile) || p.set == (places{}) && p.once == (places{}) && p.unset == (places{}) {
		return
	}
	p.properties, p.keys = p.properties[:0], p.keys[:0]
	if !p.traits() {
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
	p.items-- // it is of the same item
	p.settle()
}

// group keeps what the event says of a group.
func (p *posthog) group() {
	p.keepText("group_type", p.text0(ownGroupType))
	p.keepText("group_id", p.text0(ownGroupKey))
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

// compared is how many names two objects may have to be compared each with each.
const compared = 256

// merged keeps the objects at the places as one, of which what comes first wins,
// without what drop names. It keeps nothing, and returns false, when that is all.
func (p *posthog) merged(name string, at places, drop func(key []byte) bool) bool {
	if at == (places{}) {
		return false
	}
	size, outer := len(p.properties), len(p.keys)
	p.named(name)
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
	if p.reason == "" && p.duplicate(p.keys[first:]) {
		p.defect(ReasonDuplicateKey, name)
	}
	p.keys = p.keys[:first]
	return true
}

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
		if p.again(first, p.properties[from:]) {
			p.properties = p.properties[:size]
			p.skip()
			continue
		}
		p.keys = append(p.keys, span{from, len(p.properties)})
		if len(p.keys)-first > p.limits.Properties {
			p.defect(ReasonTooMany, "properties: over "+strconv.Itoa(p.limits.Properties)+" entries")
		}
		p.properties = append(p.properties, ':')
		p.compact("properties", 3)
	}
}

// again says whether a key is among those from first on, while they are few.
func (p *posthog) again(first int, key []byte) bool {
	keys := p.keys[first:]
	if len(keys) > compared {
		return false // duplicate looks at them together
	}
	for _, k := range keys {
		if bytes.Equal(p.properties[k.from:k.to], key) {
			return true
		}
	}
	return false
}

// posthogAutomatic says whether a trait to be set once is one that posthog-js sends of
// its own accord: where the visitor came from first. Weir has that in the events.
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
