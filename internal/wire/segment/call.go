package segment

import (
	"cmp"

	weir "github.com/weir-analytics/weir"
	"github.com/weir-analytics/weir/internal/wire"
	"github.com/weir-analytics/weir/internal/wire/item"
)

// message is what a call says that is no field yet. Positions of values are
// in the body; 0 is nowhere, as a brace stands there.
type message struct {
	kind callKind
	// Where properties and traits are that came before the type.
	properties, ownTraits int

	traits                       int // of the context
	total                        int
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
		if s.Reason != "" {
			_ = s.SkipKey() && s.Skip()
			continue
		}
		key, ok := s.Key()
		if !ok {
			return
		}
		switch string(key) {
		case "type":
			at := s.ReadText()
			if of := kindOf(string(s.Text[at.From:at.To])); kind != kindNone || of != kindNone && of != kindBatch {
				s.Text = s.Text[:at.From]
				m.kind = cmp.Or(kind, of)
			} else {
				m.unknown = at
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
				s.outer.batch = s.Pos
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
	if s.Fault == "" {
		end := s.Pos
		s.finish()
		s.Pos = end
		s.FinishItem()
	}
}

// own reads the properties or traits at pos if they are wanted. While it is not known
// what the call is, it notes where they are.
func (s *decoder) own(at *int, wanted bool) {
	switch s.message.kind {
	case kindNone:
		*at = s.Pos
		s.Skip()
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
	if m.kind == kindNone && m.event.To > m.event.From && m.unknown.To == m.unknown.From {
		m.kind = kindTrack
	}
	if s.Pos = m.properties; s.Pos > 0 && (m.kind == kindTrack || m.kind == kindPage || m.kind == kindScreen) {
		s.own(nil, true)
	}
	if s.Pos = m.ownTraits; s.Pos > 0 && (m.kind == kindIdentify || m.kind == kindGroup) {
		s.own(nil, true)
	}
	if s.outer.afford() {
		s.Pos = s.outer.context
		s.context(new(int))
	}
	s.sender()
	s.dated()
	switch m.kind {
	case kindTrack:
		s.At[item.Name] = s.Truncate(item.Name, m.event)
		s.ordered()
	case kindPage, kindScreen:
		s.Put(item.Name, weir.NameScreenView)
		s.pageProperties()
	case kindIdentify:
		s.Put(item.Name, weir.NameIdentify)
		if s.Pos = m.traits; s.Pos > 0 && len(s.Keys) == 0 { // RudderStack's stand there alone
			s.ReadProperties(consumeNone)
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
		s.Defect(wire.ReasonUnsupported, "type "+string(s.Text[m.unknown.From:min(m.unknown.To, m.unknown.From+40)]))
	}
	if m.kind != kindAlias {
		s.At[item.Alias] = item.Span{}
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
	if m.group.To == m.group.From {
		s.Defect(wire.ReasonIDMissing, "groupId")
		return
	}
	s.KeepText("group_type", []byte("group"))
	s.KeepText("group_id", s.Text[m.group.From:m.group.To])
}

// pageProperties fills in what a page's own properties do not say of it.
func (s *decoder) pageProperties() {
	m := &s.message
	if m.name.To > m.name.From {
		name := s.Text[m.name.From:m.name.To]
		s.KeepText("name", name)
		if m.kind == kindScreen {
			// A screen is known by its name; the page, where there is one, is only
			// where it was opened.
			s.At[item.Title], s.At[item.Path] = s.Truncate(item.Title, m.name), s.Truncate(item.Path, m.name)
		} else if !s.Has(item.Title) {
			s.At[item.Title] = s.Truncate(item.Title, m.name)
		}
	}
	if m.category.To > m.category.From {
		s.KeepText("category", s.Text[m.category.From:m.category.To])
	}
}
