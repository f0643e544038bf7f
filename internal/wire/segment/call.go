package segment

import (
	"cmp"

	weir "github.com/weir-analytics/weir"
	"github.com/weir-analytics/weir/internal/wire"
	"github.com/weir-analytics/weir/internal/wire/item"
	"github.com/weir-analytics/weir/internal/wire/jsonscan"
)

// message is what a call says that is no field yet.
type message struct {
	kind callKind
	// Where properties and traits are that came before the type.
	properties, ownTraits jsonscan.Mark

	traits                       jsonscan.Mark // of the context
	total                        jsonscan.Mark
	event, name, category, group item.Span
	unknown                      item.Span // a type that is none

	timestamp, original, sent          int64
	hasTimestamp, hasOriginal, hasSent bool

	context contextFields
}

// call reads the object at pos into an event. alone says that it is the whole body.
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
			s.own(&m.properties, m.kind == kindTrack || m.kind == kindPage || m.kind == kindScreen)
		case "traits":
			s.own(&m.ownTraits, m.kind == kindIdentify || m.kind == kindGroup)
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

// own reads the properties or traits at pos if they are wanted. While it is not known
// what the call is, it notes where they are.
func (s *decoder) own(at *jsonscan.Mark, wanted bool) {
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
func (s *decoder) readOwn() { s.own(nil, true) }

func (s *decoder) readOrSkip(wanted bool, consume func([]byte) bool) {
	if wanted {
		s.ReadProperties(consume)
	} else {
		s.Skip()
	}
}

func consumeNone([]byte) bool { return false }

// consumePage reads what of a page's properties is a field. What RudderStack repeats
// there of the context is dropped.
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

// consumeGroup drops what would stand beside the call's own.
func (s *decoder) consumeGroup(key []byte) bool {
	return (string(key) == "group_type" || string(key) == "group_id") && s.Skip()
}

// finish makes fields and properties of what was noted.
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
	s.sender()
	s.dated()
	switch m.kind {
	case kindTrack:
		s.Set(item.Name, m.event)
		s.orderRevenue()
	case kindPage, kindScreen:
		s.Put(item.Name, weir.NameScreenView)
		s.pageProperties()
	case kindIdentify:
		s.Put(item.Name, weir.NameIdentify)
		if !s.HasProperties() { // RudderStack's traits stand there alone
			s.ReadAt(m.traits, func() { s.ReadProperties(consumeNone) })
		}
	case kindGroup:
		s.Put(item.Name, weir.NameGroup)
		s.grouped()
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
		s.described()
	}
}

// dated finds the call's time. One that comes with its original was corrected by who
// passes it on; any other is the sender's clock's, which sentAt tells of: the call's
// own, or else the batch's.
func (s *decoder) dated() {
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

// grouped says which group the call is about.
func (s *decoder) grouped() {
	m := &s.message
	if m.group.Empty() {
		s.Defect(wire.ReasonIDMissing, "groupId")
		return
	}
	s.KeepText("group_type", []byte("group"))
	s.KeepText("group_id", s.Text(m.group))
}

// pageProperties fills in what a page's own properties do not say of it.
func (s *decoder) pageProperties() {
	m := &s.message
	if !m.name.Empty() {
		name := s.Text(m.name)
		s.KeepText("name", name)
		if m.kind == kindScreen {
			// A screen is known by its name; the page, where there is one, is only
			// where it was opened.
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
