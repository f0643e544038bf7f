package posthog

import (
	"bytes"

	weir "github.com/weir-analytics/weir"
	"github.com/weir-analytics/weir/internal/wire/item"
)

// storeTraits stores the event's changes of traits as the properties $set, $set_once and
// $unset. It reports whether there are any.
func (p *decoder) storeTraits() (some bool) {
	some = p.set != (places{}) && p.KeepMerged("$set", p.set[:], nil)
	some = p.once != (places{}) && p.KeepMerged("$set_once", p.once[:], automaticTrait) || some
	for _, at := range p.unset {
		kept := false
		p.ReadAt(at, func() {
			if c := p.Peek(); c == '[' || c == '"' {
				p.Keep("$unset")
				kept = true
			}
		})
		if kept {
			return true
		}
	}
	return some
}

// addIdentify adds an identify event if the current event (of another kind) also changes
// traits. Its id is the event's id + ":set", so that a retry is recognized as a
// duplicate. Traits of an event without a profile are dropped.
func (p *decoder) addIdentify() {
	if !p.Has(item.Profile) || p.set == (places{}) && p.once == (places{}) && p.unset == (places{}) {
		return
	}
	p.DropProperties()
	if !p.storeTraits() {
		return
	}
	if p.Has(item.ID) {
		p.Put(item.ID, string(p.Get(item.ID)), ":set")
	}
	p.ClearAllBut(item.ID, item.Profile, item.Device, item.Session, item.IP, item.UserAgent, item.Library)
	p.Put(item.Name, weir.NameIdentify)
	p.Revenue = weir.Number{}
	p.FinishExtra()
}

// storeGroup stores a $groupidentify event: the group's type and id, and its properties.
func (p *decoder) storeGroup() {
	p.KeepText("group_type", p.ownText(ownGroupType))
	p.KeepText("group_id", p.ownText(ownGroupKey))
	p.ReadAt(p.groupSet, func() {
		p.ReadProperties(func(key []byte) bool {
			return (string(key) == "group_type" || string(key) == "group_id") && p.Skip()
		})
	})
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
