package wire

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
)

// openpanelKind is what an item asks for.
type openpanelKind uint8

const (
	openpanelKindNone openpanelKind = iota
	openpanelKindTrack
	openpanelKindOld // an event as old SDKs send it
	openpanelKindIdentify
	openpanelKindIncrement
	openpanelKindDecrement
	openpanelKindAlias
	openpanelKindGroup
	openpanelKindAssign
	openpanelKindReplay
	openpanelKindBatch
)

func openpanelKindOf(word []byte) openpanelKind {
	switch string(word) {
	case "track":
		return openpanelKindTrack
	case "identify":
		return openpanelKindIdentify
	case "increment":
		return openpanelKindIncrement
	case "decrement":
		return openpanelKindDecrement
	case "alias":
		return openpanelKindAlias
	case "group":
		return openpanelKindGroup
	case "assign_group":
		return openpanelKindAssign
	case "replay":
		return openpanelKindReplay
	case "batch":
		return openpanelKindBatch
	}
	return openpanelKindNone
}

// openpanelKey is a key of a payload.
type openpanelKey uint8

const (
	openpanelName openpanelKey = iota
	openpanelProfileID
	openpanelProperties
	openpanelGroups
	openpanelFirstName
	openpanelLastName
	openpanelEmail
	openpanelAvatar
	openpanelProperty
	openpanelValue
	openpanelAlias
	openpanelID
	openpanelType
	openpanelGroupIDs
	openpanelTimestamp
	openpanelKeys
)

var openpanelKeyNames = [openpanelKeys]string{
	"name", "profileId", "properties", "groups", "firstName", "lastName", "email", "avatar",
	"property", "value", "alias", "id", "type", "groupIds", "timestamp",
}

func openpanelKeyOf(key []byte) openpanelKey {
	for k, name := range openpanelKeyNames {
		if string(key) == name {
			return openpanelKey(k)
		}
	}
	return openpanelKeys
}

// openpanelItem is where the values of a payload's keys begin; 0 is nowhere.
type openpanelItem struct {
	kind  openpanelKind
	where [openpanelKeys]int
	keys  int // how many it has
	end   int // of the payload
}

// survey notes where the payload at pos has what. Of a key that is there twice the
// last counts, as in JavaScript.
func (p *openpanel) survey() (it openpanelItem) {
	for more := p.begin('}'); more; more = p.more('}') {
		key, ok := p.field()
		if !ok {
			break
		}
		if k := openpanelKeyOf(key); k != openpanelKeys && p.peek() != 'n' {
			it.where[k] = p.pos
		}
		it.keys++
		p.skip()
	}
	it.end = p.pos
	return it
}

// seek steps to the value of a key, if there is one.
func (p *openpanel) seek(k openpanelKey) bool {
	if p.item.where[k] == 0 {
		return false
	}
	p.pos = p.item.where[k]
	return true
}

func (p *openpanel) readAt(k openpanelKey, f slot) {
	if p.seek(k) {
		p.read(f)
	}
}

// events makes events of the payload at a place.
func (p *openpanel) events(kind openpanelKind, at int) {
	if p.pos = at; kind == openpanelKindNone || at == 0 && p.request.Route.Path == openpanelTrack || p.peek() != '{' {
		p.startItem()
		if kind == openpanelKindNone {
			p.refused(ReasonWrongType, "type: is not known")
		} else {
			p.refused(ReasonWrongType, "payload: want an object")
		}
		return
	}
	p.starts()
	p.item = p.survey()
	p.item.kind = kind
	switch kind {
	case openpanelKindIdentify:
		p.identify()
	case openpanelKindIncrement, openpanelKindDecrement:
		p.adds()
	case openpanelKindAlias:
		p.aliases()
	case openpanelKindGroup:
		p.group()
	case openpanelKindAssign:
		p.assigns()
	default:
		p.event()
	}
}

// starts begins an event at pos with what the request says of it.
func (p *openpanel) starts() {
	p.startItem()
	p.currency, p.identity = span{}, 0
	p.client, p.reported = p.visitor, !p.visitor
	p.put(fieldLibrary, p.library)
	p.put(fieldLanguage, p.language)
	p.put(fieldIP, p.address)
}

// settles ends an event.
func (p *openpanel) settles(from, to int) {
	if p.stamp.given && p.reason == "" {
		p.identifies(from, to)
	}
	p.pos = to
	events, rejected := len(p.in), len(p.rejected)
	p.finishItem()
	if len(p.in) > events {
		p.in[events].Index = p.index
	}
	if len(p.rejected) > rejected {
		p.rejected[rejected].Index = p.index
	}
}

// refused ends an item that is no event.
func (p *openpanel) refused(reason, detail string) {
	p.defect(reason, detail)
	p.settles(p.pos, p.pos)
}

// identifies gives an event that carries its own time an id, so that it is stored once
// if it comes again. The SDK puts a time into events that it holds back, to the
// millisecond. Events without one cannot be told from others of the kind.
func (p *openpanel) identifies(from, to int) {
	b := append(p.scratch[:0], byte(p.item.kind))
	for _, who := range [...]string{p.request.IP, p.address, p.request.UserAgent} {
		b = append(append(b, who...), 0)
	}
	b = append(b, p.data[from:to]...)
	p.scratch = b
	sum := sha256.Sum256(b)
	start := len(p.text)
	p.text = base64.RawURLEncoding.AppendEncode(p.text, sum[:16])
	p.at[fieldID] = span{start, len(p.text)}
}

// event reads what a track call tells.
func (p *openpanel) event() {
	from, to := p.start, p.item.end
	p.readAt(openpanelName, fieldName)
	p.readAt(openpanelProfileID, fieldProfile)
	if p.item.kind == openpanelKindOld && p.seek(openpanelTimestamp) {
		p.timed()
	}
	p.custom()
	p.keepGroups()
	p.money()
	identity := p.identity
	var who openpanelItem
	if identity > 0 {
		p.pos = identity
		item := p.item
		who = p.survey()
		p.item = who
		p.readAt(openpanelProfileID, fieldProfile)
		p.item = item
	}
	stamp := p.stamp
	p.settles(from, to)
	if who.keys > 1 {
		p.pos = identity
		p.starts()
		p.stamp, p.item = stamp, who
		p.item.kind = openpanelKindIdentify
		p.identify()
		p.pos = to
	}
}

// trimmed is a short text, without the space around it; longer ones are none.
func trimmed(text []byte, limit int) []byte {
	if text = bytes.TrimSpace(text); len(text) > limit {
		return nil
	}
	return text
}
