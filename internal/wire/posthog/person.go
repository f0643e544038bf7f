package posthog

import (
	"bytes"

	"github.com/weir-analytics/weir/internal/wire"
	"github.com/weir-analytics/weir/internal/wire/item"
)

// maxDistinct is how many characters of a distinct_id PostHog keeps.
const maxDistinct = 200

// ident reads the id of a person: a text, a number, or any other value as compact JSON.
func (p *decoder) ident(o own) {
	switch p.Peek() {
	case '{', '[', 't', 'f':
		p.own[o] = p.ReadJSON("distinct_id")
	default:
		p.own[o] = p.ReadText()
	}
	if p.own[o].Len() <= maxDistinct {
		return
	}
	n := 0
	for i := range string(p.ownText(o)) {
		if n++; n > maxDistinct {
			p.own[o] = p.own[o].Cut(0, i)
			return
		}
	}
}

// setPerson sets device, profile and alias.
func (p *decoder) setPerson() {
	who := p.own[ownDistinct]
	if who.Empty() {
		who = p.own[ownDistinctProperty]
	}
	id, device := p.Text(who), p.own[ownDevice]
	named := p.hasOwn(ownDevice)
	switch {
	case len(id) == 0:
		p.Defect(wire.ReasonIDMissing, "distinct_id")
		return
	case p.cookieless && string(id) == "$posthog_cookieless":
		return
	case p.kind == kindIdentify && p.Client:
		p.Set(item.Profile, who)
		if p.hasOwn(ownAnonymous) {
			device = p.own[ownAnonymous]
		}
		p.Set(item.Device, device)
		return
	case p.kind == kindGroup && p.isGroupID(id):
		return
	}
	anonymous := p.identified == no || p.isReset() || p.process == no && (named || p.Reported || p.Named) ||
		named && bytes.Equal(id, p.ownText(ownDevice))
	switch {
	case anonymous && p.kind == kindAlias && p.Client:
		// A browser names the profile of its visitor.
		p.Set(item.Device, who)
		p.Set(item.Profile, p.own[ownAlias])
		return
	case anonymous && p.kind != kindAlias && p.kind != kindIdentify:
		p.Set(item.Device, who)
		return
	}
	p.Set(item.Profile, who)
	p.Set(item.Device, device)
	switch p.kind {
	case kindIdentify:
		p.Set(item.Alias, p.own[ownAnonymous])
	case kindAlias:
		p.Set(item.Alias, p.own[ownAlias])
	}
}

// isReset reports whether an event of a posthog-js that does not send $is_identified
// (1.96) comes from nobody identified: after reset() the distinct_id is new and the device remains.
func (p *decoder) isReset() bool {
	return p.web && p.identified == 0 && p.process == 0 && p.hasOwn(ownDevice) && p.hasOwn(ownLibVersion) && !p.user
}

// isGroupID reports whether the id is one that SDKs of servers invent for an event about a
// group: "$company_acme".
func (p *decoder) isGroupID(id []byte) bool {
	kind, key := p.ownText(ownGroupType), p.ownText(ownGroupKey)
	return len(id) == 2+len(kind)+len(key) && id[0] == '$' && bytes.HasPrefix(id[1:], kind) &&
		id[1+len(kind)] == '_' && bytes.HasSuffix(id, key)
}
