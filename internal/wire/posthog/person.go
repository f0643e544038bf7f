package posthog

import (
	"bytes"
	"unicode/utf8"

	"github.com/weir-analytics/weir/internal/wire"
	"github.com/weir-analytics/weir/internal/wire/item"
)

// maxDistinct is how many characters of a distinct_id count.
const maxDistinct = 200

// ident reads who an event is about: a text, a number, or any other value as its
// compact JSON.
func (p *decoder) ident(o own) {
	switch p.Peek() {
	case '{', '[', 't', 'f':
		from, open := len(p.Properties), len(p.Keys)
		p.Compact("distinct_id", 1)
		at := item.Span{From: len(p.Text), To: len(p.Text) + len(p.Properties) - from}
		p.Text = append(p.Text, p.Properties[from:]...)
		p.Properties, p.Keys = p.Properties[:from], p.Keys[:open]
		p.own[o] = at
	default:
		p.own[o] = p.ReadText()
	}
	at := &p.own[o]
	if at.To-at.From <= maxDistinct {
		return
	}
	n := 0
	for i := at.From; i < at.To; {
		if n++; n > maxDistinct {
			at.To = i
			return
		}
		_, size := utf8.DecodeRune(p.Text[i:at.To])
		i += size
	}
}

// who says who it was, as device and profile.
func (p *decoder) who() {
	who := p.own[ownDistinct]
	if who.From == who.To {
		who = p.own[ownDistinctProperty]
	}
	id, device := p.Text[who.From:who.To], p.own[ownDevice]
	named := p.hasOwn(ownDevice)
	switch {
	case len(id) == 0:
		p.Defect(wire.ReasonIDMissing, "distinct_id")
		return
	case p.cookieless && string(id) == "$posthog_cookieless":
		return
	case p.kind == kindIdentify && p.Client:
		p.At[item.Profile] = p.Truncate(item.Profile, who)
		if p.hasOwn(ownAnonymous) {
			device = p.own[ownAnonymous]
		}
		p.At[item.Device] = p.Truncate(item.Device, device)
		return
	case p.kind == kindGroup && p.groupsOwn(id):
		return
	}
	anonymous := p.identified == no || p.process == no && (named || p.Reported) ||
		named && bytes.Equal(id, p.ownText(ownDevice))
	switch {
	case anonymous && p.kind == kindAlias && p.Client:
		// A browser tells who its visitor is.
		p.At[item.Device] = p.Truncate(item.Device, who)
		p.At[item.Profile] = p.Truncate(item.Profile, p.own[ownAlias])
		return
	case anonymous && p.kind != kindAlias && p.kind != kindIdentify:
		p.At[item.Device] = p.Truncate(item.Device, who)
		return
	}
	p.At[item.Profile] = p.Truncate(item.Profile, who)
	p.At[item.Device] = p.Truncate(item.Device, device)
	switch p.kind {
	case kindIdentify:
		p.At[item.Alias] = p.Truncate(item.Alias, p.own[ownAnonymous])
	case kindAlias:
		p.At[item.Alias] = p.Truncate(item.Alias, p.own[ownAlias])
	}
}

// groupsOwn says whether an id is the one that servers' SDKs make up for a group
// that they tell of: "$company_acme".
func (p *decoder) groupsOwn(id []byte) bool {
	kind, key := p.ownText(ownGroupType), p.ownText(ownGroupKey)
	return len(id) == 2+len(kind)+len(key) && id[0] == '$' && bytes.HasPrefix(id[1:], kind) &&
		id[1+len(kind)] == '_' && bytes.HasSuffix(id, key)
}
