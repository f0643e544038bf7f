package segment

import (
	"cmp"

	weir "github.com/weir-analytics/weir"
	"github.com/weir-analytics/weir/internal/wire"
	"github.com/weir-analytics/weir/internal/wire/item"
	"github.com/weir-analytics/weir/internal/wire/jsonscan"
)

// message has what was read of a call, besides the fields of the Builder.
type message struct {
	kind callKind
	// Properties and traits that stand before the type.
	properties, ownTraits jsonscan.Mark

	traits                       jsonscan.Mark // of the context
	total                        jsonscan.Mark
	event, name, category, group item.Span
	unknown                      item.Span // a type that Segment does not have

	timestamp, original, sent          int64
	hasTimestamp, hasOriginal, hasSent bool

	context contextFields
}

// call reads the object at the cursor into an event. alone reports that it is the whole
// body.
func (s *decoder) call(kind callKind, alone bool) {
	s.message = message{kind: kind}
	m := &s.message
	for more := s.Begin('}'); more; more = s.More('}') {
		s.CheckSize()
		if s.HasDefect() {
			_ = s.SkipKey() && s.Skip()
			continue
		}
		key, ok := s.Key()
		if !ok {
			return
		}
		switch string(key) {
		case "type":
			text := s.ReadBrief()
			if of := kindOf(string(text)); kind != kindNone || of != kindNone && of != kindBatch {
				m.kind = cmp.Or(kind, of)
			} else {
				m.unknown = s.AddText(text)
			}
		case "messageId":
			s.Read(item.ID)
		case "anonymousId":
			s.Read(item.Device)
		case "userId":
			s.Read(item.Profile)
		case "previousId":
			s.Read(item.Alias)
		case "groupId":
			m.group = s.ReadText()
		case "event":
			m.event = s.ReadText()
		case "name":
			m.name = s.ReadText()
		case "category":
			m.category = s.ReadText()
		case "timestamp":
			m.timestamp, m.hasTimestamp = s.Moment()
		case "originalTimestamp":
			m.original, m.hasOriginal = s.Moment()
		case "sentAt":
			m.sent, m.hasSent = s.Moment()
		case "channel":
			m.context.channel = s.ReadText()
		case "properties":
			s.readOrNote(&m.properties, m.kind == kindTrack || m.kind == kindPage || m.kind == kindScreen)
		case "traits":
			s.readOrNote(&m.ownTraits, m.kind == kindIdentify || m.kind == kindGroup)
		case "context":
			s.context(&m.traits)
		case "integrations":
			s.integrations()
		case "batch":
			if alone && s.Peek() == '[' {
				s.outer.batch = s.Mark()
			}
			s.Skip()
		case "writeKey":
			if alone || s.outer.key == "" {
				s.beside("writeKey")
				continue
			}
			s.Skip()
		default:
			s.Skip()
		}
	}
	if !s.Failed() {
		s.finish()
		s.FinishItem()
	}
}

// readOrNote reads the properties or traits at the cursor if they are wanted. If the type of
// the call is not known yet, it notes their place.
func (s *decoder) readOrNote(at *jsonscan.Mark, wanted bool) {
	switch s.message.kind {
	case kindNone:
		*at = s.Note()
	case kindPage, kindScreen:
		s.readOrSkip(wanted, s.consumePage)
	case kindTrack:
		s.readOrSkip(wanted, s.consumeTrack)
	case kindGroup:
		s.readOrSkip(wanted, s.consumeGroup)
	default:
		s.readOrSkip(wanted, consumeNone)
	}
}

// readOwn reads the properties or traits at the cursor.
func (s *decoder) readOwn() { s.readOrNote(nil, true) }

func (s *decoder) readOrSkip(wanted bool, consume func([]byte) bool) {
	if wanted {
		s.ReadProperties(consume)
	} else {
		s.Skip()
	}
}

func consumeNone([]byte) bool { return false }

// consumePage reads the properties of a page that Weir has fields for. It drops those that
// RudderStack repeats from the context.
func (s *decoder) consumePage(key []byte) bool {
	switch string(key) {
	case "url":
		s.Read(item.URL)
	case "path":
		s.Read(item.Path)
	case "title":
		s.Read(item.Title)
	case "referrer":
		s.Read(item.Referrer)
	case "search":
		s.message.context.search = s.ReadText()
	case "name":
		s.message.name = s.ReadText()
	case "category":
		s.message.category = s.ReadText()
	case "referring_domain", "initial_referrer", "initial_referring_domain", "tab_url":
		s.Skip()
	default:
		return false
	}
	return true
}

// consumeGroup drops properties with the names that storeGroup uses.
func (s *decoder) consumeGroup(key []byte) bool {
	return (string(key) == "group_type" || string(key) == "group_id") && s.Skip()
}

// finish sets fields and properties from what was noted.
func (s *decoder) finish() {
	m := &s.message
	if m.kind == kindNone && !m.event.Empty() && m.unknown.Empty() {
		m.kind = kindTrack
	}
	if m.kind == kindTrack || m.kind == kindPage || m.kind == kindScreen {
		s.ReadAt(m.properties, s.readOwn)
	}
	if m.kind == kindIdentify || m.kind == kindGroup {
		s.ReadAt(m.ownTraits, s.readOwn)
	}
	if s.outer.afford() {
		var ignored jsonscan.Mark
		s.ReadAt(s.outer.context, func() { s.context(&ignored) })
	}
	s.setSender()
	s.setTime()
	switch m.kind {
	case kindTrack:
		s.Set(item.Name, m.event)
		s.orderRevenue()
	case kindPage, kindScreen:
		s.Put(item.Name, weir.NameScreenView)
		s.pageProperties()
	case kindIdentify:
		s.Put(item.Name, weir.NameIdentify)
		if !s.HasProperties() { // RudderStack sends traits only in the context
			s.ReadAt(m.traits, func() { s.ReadProperties(consumeNone) })
		}
	case kindGroup:
		s.Put(item.Name, weir.NameGroup)
		s.storeGroup()
	case kindAlias:
		s.Put(item.Name, weir.NameIdentify)
		if !s.Has(item.Profile) || !s.Has(item.Alias) {
			s.Defect(wire.ReasonIDMissing, "userId and previousId")
		}
	default:
		s.Defect(wire.ReasonUnsupported, "type "+string(s.Text(m.unknown.Cut(0, min(m.unknown.Len(), 40)))))
	}
	if m.kind != kindAlias {
		s.Clear(item.Alias)
	}
	if m.kind == kindTrack || m.kind == kindPage || m.kind == kindScreen {
		s.storeContext()
	}
}

// setTime sets the call's time. If the call has an original time too, a server that passed it
// on has corrected the time. Otherwise the time is that of the sender's clock, which Weir
// corrects by sentAt of the call or of the batch.
func (s *decoder) setTime() {
	m := &s.message
	switch {
	case m.hasTimestamp:
		s.Stamp = item.Stamp{Micros: m.timestamp, Given: true, Exact: m.hasOriginal || s.past}
	case m.hasOriginal:
		s.Stamp = item.Stamp{Micros: m.original, Given: true, Exact: s.past}
	}
	if m.hasSent && s.Stamp.Given && !s.Stamp.Exact {
		s.Stamp.Micros -= s.Skew(m.sent).Microseconds()
		s.Stamp.Exact = true
	}
}

// storeGroup stores the id of the group that the call is about.
func (s *decoder) storeGroup() {
	m := &s.message
	if m.group.Empty() {
		s.Defect(wire.ReasonIDMissing, "groupId")
		return
	}
	s.KeepText("group_type", []byte("group"))
	s.KeepText("group_id", s.Text(m.group))
}

// pageProperties sets title, path and properties of a page from the call's name and category.
func (s *decoder) pageProperties() {
	m := &s.message
	if !m.name.Empty() {
		name := s.Text(m.name)
		s.KeepText("name", name)
		if m.kind == kindScreen {
			// The name identifies a screen. If it has a page too, that is the one it was
			// opened from.
			s.Set(item.Title, m.name)
			s.Set(item.Path, m.name)
		} else if !s.Has(item.Title) {
			s.Set(item.Title, m.name)
		}
	}
	if !m.category.Empty() {
		s.KeepText("category", s.Text(m.category))
	}
}
