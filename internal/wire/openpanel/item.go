package openpanel

import (
	"bytes"
	"crypto/sha256"

	"github.com/weir-analytics/weir/internal/wire"
	"github.com/weir-analytics/weir/internal/wire/item"
	"github.com/weir-analytics/weir/internal/wire/jsonscan"
)

// itemKind is the type of an item.
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

// payloadIndex has the places of the values of a payload's keys.
type payloadIndex struct {
	kind  itemKind
	where [keyCount]jsonscan.Mark
	keys  int           // how many it has
	end   jsonscan.Mark // of the payload
}

// indexPayload notes the places of the values of the payload at the cursor. If a key occurs twice,
// the last one counts, as in JavaScript.
func (p *decoder) indexPayload() (it payloadIndex) {
	for more := p.Begin('}'); more; more = p.More('}') {
		key, ok := p.Key()
		if !ok {
			break
		}
		if k := keyOf(key); k != keyCount && p.Peek() != 'n' {
			it.where[k] = p.Mark()
		}
		it.keys++
		p.Skip()
	}
	it.end = p.Mark()
	return it
}

// seek moves the cursor to the value of a key, and reports whether there is one.
func (p *decoder) seek(k payloadKey) bool {
	at := p.item.where[k]
	if at.IsSet() {
		p.Seek(at)
	}
	return at.IsSet()
}

func (p *decoder) readAt(k payloadKey, f item.Field) {
	if p.seek(k) {
		p.Read(f)
	}
}

// events adds the events of the payload at a place.
func (p *decoder) events(kind itemKind, at jsonscan.Mark) {
	if at.IsSet() {
		p.Seek(at)
	}
	if kind == kindNone || !at.IsSet() || p.Peek() != '{' {
		p.StartItem()
		if kind == kindNone {
			p.reject(wire.ReasonWrongType, "type: is not known")
		} else {
			p.reject(wire.ReasonWrongType, "payload: want an object")
		}
		return
	}
	p.startEvent()
	p.item = p.indexPayload()
	p.item.kind = kind
	switch kind {
	case kindIdentify:
		p.identify()
	case kindIncrement, kindDecrement:
		p.increment()
	case kindAlias:
		p.alias()
	case kindGroup:
		p.group()
	case kindAssign:
		p.assignGroups()
	default:
		p.event()
	}
}

// startEvent begins an event at the cursor. It sets the fields that all events of the
// request share.
func (p *decoder) startEvent() {
	p.StartItem()
	p.identity = jsonscan.Mark{}
	p.Client, p.Reported = p.visitor, !p.visitor
	p.Put(item.Library, p.library)
	p.Put(item.Language, p.language)
	p.Put(item.IP, p.address)
}

// finish ends an event, whose payload stands between two places.
func (p *decoder) finish(from, to jsonscan.Mark) {
	if p.Stamp.Given && !p.HasDefect() {
		p.setHashID(from, to)
	}
	p.Seek(to)
	p.FinishItemAs(p.index)
}

// reject ends an item that is no event.
func (p *decoder) reject(reason, detail string) {
	p.Defect(reason, detail)
	p.finish(p.Mark(), p.Mark())
}

// setHashID gives an event an id, so that it is stored once if it is sent twice. It does so
// only for events with a time of their own, which the SDK gives, to the millisecond, to
// events that it sends later. Other events may be equal and still be different ones. The address of the
// request is no part of it: it may change before the event is sent again.
func (p *decoder) setHashID(from, to jsonscan.Mark) {
	b := append(p.scratch[:0], byte(p.item.kind))
	for _, who := range [...]string{p.address, p.request.UserAgent} {
		b = append(append(b, who...), 0)
	}
	b = append(b, p.Between(from, to)...)
	p.scratch = b
	sum := sha256.Sum256(b)
	p.PutID(sum[:16])
}

// event reads the payload of a track call.
func (p *decoder) event() {
	from, to := p.ItemMark(), p.item.end
	p.readAt(keyName, item.Name)
	p.readAt(keyProfileID, item.Profile)
	if p.item.kind == kindOld && p.seek(keyTimestamp) {
		p.ReadTime()
	}
	p.readCustom()
	p.keepGroups()
	p.checkCurrency()
	identity := p.identity
	var who payloadIndex
	if identity.IsSet() {
		p.Seek(identity)
		track := p.item
		who = p.indexPayload()
		p.item = who
		p.readAt(keyProfileID, item.Profile)
		p.item = track
	}
	stamp := p.Stamp
	p.finish(from, to)
	if who.keys > 1 {
		p.Seek(identity)
		p.startEvent()
		p.Stamp, p.item = stamp, who
		p.item.kind = kindIdentify
		p.identify()
		p.Seek(to)
	}
}

// trimmed returns a text without the space around it; nil if it is longer than limit.
func trimmed(text []byte, limit int) []byte {
	if text = bytes.TrimSpace(text); len(text) > limit {
		return nil
	}
	return text
}
