package openpanel

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"

	"github.com/weir-analytics/weir/internal/wire"
	"github.com/weir-analytics/weir/internal/wire/item"
)

// itemKind is what an item asks for.
type itemKind uint8

const (
	kindNone itemKind = iota
	kindTrack
	kindOld // an event as old SDKs send it
	kindIdentify
	kindIncrement
	kindDecrement
	kindAlias
	kindGroup
	kindAssign
	kindReplay
	kindBatch
)

func kindOf(word []byte) itemKind {
	switch string(word) {
	case "track":
		return kindTrack
	case "identify":
		return kindIdentify
	case "increment":
		return kindIncrement
	case "decrement":
		return kindDecrement
	case "alias":
		return kindAlias
	case "group":
		return kindGroup
	case "assign_group":
		return kindAssign
	case "replay":
		return kindReplay
	case "batch":
		return kindBatch
	}
	return kindNone
}

// payloadKey is a key of a payload.
type payloadKey uint8

const (
	keyName payloadKey = iota
	keyProfileID
	keyProperties
	keyGroups
	keyFirstName
	keyLastName
	keyEmail
	keyAvatar
	keyProperty
	keyValue
	keyAlias
	keyID
	keyType
	keyGroupIDs
	keyTimestamp
	keyCount
)

var keyNames = [keyCount]string{
	"name", "profileId", "properties", "groups", "firstName", "lastName", "email", "avatar",
	"property", "value", "alias", "id", "type", "groupIds", "timestamp",
}

func keyOf(key []byte) payloadKey {
	for k, name := range keyNames {
		if string(key) == name {
			return payloadKey(k)
		}
	}
	return keyCount
}

// payloadIndex is where the values of a payload's keys begin; 0 is nowhere.
type payloadIndex struct {
	kind  itemKind
	where [keyCount]int
	keys  int // how many it has
	end   int // of the payload
}

// survey notes where the payload at pos has what. Of a key that is there twice the
// last counts, as in JavaScript.
func (p *decoder) survey() (it payloadIndex) {
	for more := p.Begin('}'); more; more = p.More('}') {
		key, ok := p.Key()
		if !ok {
			break
		}
		if k := keyOf(key); k != keyCount && p.Peek() != 'n' {
			it.where[k] = p.Pos
		}
		it.keys++
		p.Skip()
	}
	it.end = p.Pos
	return it
}

// seek steps to the value of a key, if there is one.
func (p *decoder) seek(k payloadKey) bool {
	if p.item.where[k] == 0 {
		return false
	}
	p.Pos = p.item.where[k]
	return true
}

func (p *decoder) readAt(k payloadKey, f item.Field) {
	if p.seek(k) {
		p.Read(f)
	}
}

// events makes events of the payload at a place.
func (p *decoder) events(kind itemKind, at int) {
	if p.Pos = at; kind == kindNone || at == 0 && p.request.Route.Path == pathTrack || p.Peek() != '{' {
		p.StartItem()
		if kind == kindNone {
			p.refused(wire.ReasonWrongType, "type: is not known")
		} else {
			p.refused(wire.ReasonWrongType, "payload: want an object")
		}
		return
	}
	p.starts()
	p.item = p.survey()
	p.item.kind = kind
	switch kind {
	case kindIdentify:
		p.identify()
	case kindIncrement, kindDecrement:
		p.adds()
	case kindAlias:
		p.aliases()
	case kindGroup:
		p.group()
	case kindAssign:
		p.assigns()
	default:
		p.event()
	}
}

// starts begins an event at pos with what the request says of it.
func (p *decoder) starts() {
	p.StartItem()
	p.currency, p.identity = item.Span{}, 0
	p.Client, p.Reported = p.visitor, !p.visitor
	p.Put(item.Library, p.library)
	p.Put(item.Language, p.language)
	p.Put(item.IP, p.address)
}

// settles ends an event.
func (p *decoder) settles(from, to int) {
	if p.Stamp.Given && p.Reason == "" {
		p.identifies(from, to)
	}
	p.Pos = to
	events, rejected := len(p.Events), len(p.Rejected)
	p.FinishItem()
	if len(p.Events) > events {
		p.Events[events].Index = p.index
	}
	if len(p.Rejected) > rejected {
		p.Rejected[rejected].Index = p.index
	}
}

// refused ends an item that is no event.
func (p *decoder) refused(reason, detail string) {
	p.Defect(reason, detail)
	p.settles(p.Pos, p.Pos)
}

// identifies gives an event that carries its own time an id, so that it is stored once
// if it comes again. The SDK puts a time into events that it holds back, to the
// millisecond. Events without one cannot be told from others of the kind.
func (p *decoder) identifies(from, to int) {
	b := append(p.scratch[:0], byte(p.item.kind))
	for _, who := range [...]string{p.request.IP, p.address, p.request.UserAgent} {
		b = append(append(b, who...), 0)
	}
	b = append(b, p.Data[from:to]...)
	p.scratch = b
	sum := sha256.Sum256(b)
	start := len(p.Text)
	p.Text = base64.RawURLEncoding.AppendEncode(p.Text, sum[:16])
	p.At[item.ID] = item.Span{From: start, To: len(p.Text)}
}

// event reads what a track call tells.
func (p *decoder) event() {
	from, to := p.Start, p.item.end
	p.readAt(keyName, item.Name)
	p.readAt(keyProfileID, item.Profile)
	if p.item.kind == kindOld && p.seek(keyTimestamp) {
		p.ReadTime()
	}
	p.custom()
	p.keepGroups()
	p.money()
	identity := p.identity
	var who payloadIndex
	if identity > 0 {
		p.Pos = identity
		track := p.item
		who = p.survey()
		p.item = who
		p.readAt(keyProfileID, item.Profile)
		p.item = track
	}
	stamp := p.Stamp
	p.settles(from, to)
	if who.keys > 1 {
		p.Pos = identity
		p.starts()
		p.Stamp, p.item = stamp, who
		p.item.kind = kindIdentify
		p.identify()
		p.Pos = to
	}
}

// trimmed is a short text, without the space around it; longer ones are none.
func trimmed(text []byte, limit int) []byte {
	if text = bytes.TrimSpace(text); len(text) > limit {
		return nil
	}
	return text
}
