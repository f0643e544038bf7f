package wire

import (
	"bytes"
	"unicode/utf8"
)

// maxDistinct is how many characters of a distinct_id count.
const maxDistinct = 200

// ident reads who an event is about: a text, a number, or any other value as its
// compact JSON.
func (p *posthog) ident(o own) {
	switch p.peek() {
	case '{', '[', 't', 'f':
		from, open := len(p.properties), len(p.keys)
		p.compact("distinct_id", 1)
		at := span{len(p.text), len(p.text) + len(p.properties) - from}
		p.text = append(p.text, p.properties[from:]...)
		p.properties, p.keys = p.properties[:from], p.keys[:open]
		p.own[o] = at
	default:
		p.own[o] = p.readText()
	}
	at := &p.own[o]
	if at.to-at.from <= maxDistinct {
		return
	}
	n := 0
	for i := at.from; i < at.to; {
		if n++; n > maxDistinct {
			at.to = i
			return
		}
		_, size := utf8.DecodeRune(p.text[i:at.to])
		i += size
	}
}

// who says who it was, as device and profile.
func (p *posthog) who() {
	who := p.own[ownDistinct]
	if who.from == who.to {
		who = p.own[ownDistinctProperty]
	}
	id, device := p.text[who.from:who.to], p.own[ownDevice]
	named := p.hasOwn(ownDevice)
	switch {
	case len(id) == 0:
		p.defect(ReasonIDMissing, "distinct_id")
		return
	case p.cookieless && string(id) == "$posthog_cookieless":
		return
	case p.kind == posthogIdentify && p.client:
		p.at[fieldProfile] = p.truncate(fieldProfile, who)
		if p.hasOwn(ownAnonymous) {
			device = p.own[ownAnonymous]
		}
		p.at[fieldDevice] = p.truncate(fieldDevice, device)
		return
	case p.kind == posthogGroup && p.groupsOwn(id):
		return
	}
	anonymous := p.identified == no || p.process == no && (named || p.reported) ||
		named && bytes.Equal(id, p.ownText(ownDevice))
	switch {
	case anonymous && p.kind == posthogAlias && p.client:
		// A browser tells who its visitor is.
		p.at[fieldDevice] = p.truncate(fieldDevice, who)
		p.at[fieldProfile] = p.truncate(fieldProfile, p.own[ownAlias])
		return
	case anonymous && p.kind != posthogAlias && p.kind != posthogIdentify:
		p.at[fieldDevice] = p.truncate(fieldDevice, who)
		return
	}
	p.at[fieldProfile] = p.truncate(fieldProfile, who)
	p.at[fieldDevice] = p.truncate(fieldDevice, device)
	switch p.kind {
	case posthogIdentify:
		p.at[fieldAlias] = p.truncate(fieldAlias, p.own[ownAnonymous])
	case posthogAlias:
		p.at[fieldAlias] = p.truncate(fieldAlias, p.own[ownAlias])
	}
}

// groupsOwn says whether an id is the one that servers' SDKs make up for a group
// that they tell of: "$company_acme".
func (p *posthog) groupsOwn(id []byte) bool {
	kind, key := p.ownText(ownGroupType), p.ownText(ownGroupKey)
	return len(id) == 2+len(kind)+len(key) && id[0] == '$' && bytes.HasPrefix(id[1:], kind) &&
		id[1+len(kind)] == '_' && bytes.HasSuffix(id, key)
}
