package wire

import (
	"cmp"

	weir "github.com/weir-analytics/weir"
)

// segmentMessage is what a call says that is no field yet. Positions of values are
// in the body; 0 is nowhere, as a brace stands there.
type segmentMessage struct {
	kind segmentKind
	// Where properties and traits are that came before the type.
	properties, ownTraits int

	traits                       int // of the context
	total                        int
	event, name, category, group span
	unknown                      span // a type that is none

	timestamp, original, sent          int64
	hasTimestamp, hasOriginal, hasSent bool

	context segmentContext
}

// call reads the object at pos into an event. alone says that it is the whole body.
func (s *segment) call(kind segmentKind, alone bool) {
	s.message = segmentMessage{kind: kind}
	m := &s.message
	for more := s.begin('}'); more; more = s.more('}') {
		s.measure()
		if s.reason != "" {
			_ = s.skipKey() && s.skip()
			continue
		}
		key, ok := s.field()
		if !ok {
			return
		}
		switch string(key) {
		case "type":
			at := s.readText()
			if of := segmentKindOf(string(s.text[at.from:at.to])); kind != segmentNone || of != segmentNone && of != segmentBatch {
				s.text = s.text[:at.from]
				m.kind = cmp.Or(kind, of)
			} else {
				m.unknown = at
			}
		case "messageId":
			s.read(fieldID)
		case "anonymousId":
			s.read(fieldDevice)
		case "userId":
			s.read(fieldProfile)
		case "previousId":
			s.read(fieldAlias)
		case "groupId":
			m.group = s.readText()
		case "event":
			m.event = s.readText()
		case "name":
			m.name = s.readText()
		case "category":
			m.category = s.readText()
		case "timestamp":
			m.timestamp, m.hasTimestamp = s.moment()
		case "originalTimestamp":
			m.original, m.hasOriginal = s.moment()
		case "sentAt":
			m.sent, m.hasSent = s.moment()
		case "channel":
			m.context.channel = s.readText()
		case "properties":
			s.own(&m.properties, m.kind == segmentTrack || m.kind == segmentPage || m.kind == segmentScreen)
		case "traits":
			s.own(&m.ownTraits, m.kind == segmentIdentify || m.kind == segmentGroup)
		case "context":
			s.context(&m.traits)
		case "integrations":
			s.integrations()
		case "batch":
			if alone && s.peek() == '[' {
				s.outer.batch = s.pos
			}
			s.skip()
		case "writeKey":
			if alone || s.outer.key == "" {
				s.beside("writeKey")
				continue
			}
			s.skip()
		default:
			s.skip()
		}
	}
	if s.fault == "" {
		end := s.pos
		s.finish()
		s.pos = end
		s.finishItem()
	}
}

// own reads the properties or traits at pos if they are wanted. While it is not known
// what the call is, it notes where they are.
func (s *segment) own(at *int, wanted bool) {
	switch s.message.kind {
	case segmentNone:
		*at = s.pos
		s.skip()
	case segmentPage, segmentScreen:
		s.readOrSkip(wanted, s.consumePage)
	case segmentTrack:
		s.readOrSkip(wanted, s.consumeTrack)
	case segmentGroup:
		s.readOrSkip(wanted, s.consumeGroup)
	default:
		s.readOrSkip(wanted, consumeNone)
	}
}

func (s *segment) readOrSkip(wanted bool, consume func([]byte) bool) {
	if wanted {
		s.readProperties(consume)
	} else {
		s.skip()
	}
}

func consumeNone([]byte) bool { return false }

// takePage reads what of a page's properties is a field. What RudderStack repeats
// there of the context is dropped.
func (s *segment) consumePage(key []byte) bool {
	switch string(key) {
	case "url":
		s.read(fieldURL)
	case "path":
		s.read(fieldPath)
	case "title":
		s.read(fieldTitle)
	case "referrer":
		s.read(fieldReferrer)
	case "search":
		s.message.context.search = s.readText()
	case "name":
		s.message.name = s.readText()
	case "category":
		s.message.category = s.readText()
	case "referring_domain", "initial_referrer", "initial_referring_domain", "tab_url":
		s.skip()
	default:
		return false
	}
	return true
}

// takeGroup drops what would stand beside the call's own.
func (s *segment) consumeGroup(key []byte) bool {
	return (string(key) == "group_type" || string(key) == "group_id") && s.skip()
}

// finish makes fields and properties of what was noted.
func (s *segment) finish() {
	m := &s.message
	if m.kind == segmentNone && m.event.to > m.event.from && m.unknown.to == m.unknown.from {
		m.kind = segmentTrack
	}
	if s.pos = m.properties; s.pos > 0 && (m.kind == segmentTrack || m.kind == segmentPage || m.kind == segmentScreen) {
		s.own(nil, true)
	}
	if s.pos = m.ownTraits; s.pos > 0 && (m.kind == segmentIdentify || m.kind == segmentGroup) {
		s.own(nil, true)
	}
	if s.outer.afford() {
		s.pos = s.outer.context
		s.context(new(int))
	}
	s.sender()
	s.dated()
	switch m.kind {
	case segmentTrack:
		s.at[fieldName] = s.truncate(fieldName, m.event)
		s.ordered()
	case segmentPage, segmentScreen:
		s.put(fieldName, weir.NameScreenView)
		s.pageProperties()
	case segmentIdentify:
		s.put(fieldName, weir.NameIdentify)
		if s.pos = m.traits; s.pos > 0 && len(s.keys) == 0 { // RudderStack's stand there alone
			s.readProperties(consumeNone)
		}
	case segmentGroup:
		s.put(fieldName, weir.NameGroup)
		s.grouped()
	case segmentAlias:
		s.put(fieldName, weir.NameIdentify)
		if !s.has(fieldProfile) || !s.has(fieldAlias) {
			s.defect(ReasonIDMissing, "userId and previousId")
		}
	default:
		s.defect(ReasonUnsupported, "type "+string(s.text[m.unknown.from:min(m.unknown.to, m.unknown.from+40)]))
	}
	if m.kind != segmentAlias {
		s.at[fieldAlias] = span{}
	}
	if m.kind == segmentTrack || m.kind == segmentPage || m.kind == segmentScreen {
		s.described()
	}
}

// dated finds the call's time. One that comes with its original was corrected by who
// passes it on; any other is the sender's clock's, which sentAt tells of: the call's
// own, or else the batch's.
func (s *segment) dated() {
	m := &s.message
	switch {
	case m.hasTimestamp:
		s.stamp = stamp{us: m.timestamp, given: true, exact: m.hasOriginal || s.past}
	case m.hasOriginal:
		s.stamp = stamp{us: m.original, given: true, exact: s.past}
	}
	if m.hasSent && s.stamp.given && !s.stamp.exact {
		s.stamp.us -= s.skew(m.sent).Microseconds()
		s.stamp.exact = true
	}
}

// grouped says which group the call is about.
func (s *segment) grouped() {
	m := &s.message
	if m.group.to == m.group.from {
		s.defect(ReasonIDMissing, "groupId")
		return
	}
	s.keepText("group_type", []byte("group"))
	s.keepText("group_id", s.text[m.group.from:m.group.to])
}

// paged fills in what a page's own properties do not say of it.
func (s *segment) pageProperties() {
	m := &s.message
	if m.name.to > m.name.from {
		name := s.text[m.name.from:m.name.to]
		s.keepText("name", name)
		if m.kind == segmentScreen {
			// A screen is known by its name; the page, where there is one, is only
			// where it was opened.
			s.at[fieldTitle], s.at[fieldPath] = s.truncate(fieldTitle, m.name), s.truncate(fieldPath, m.name)
		} else if !s.has(fieldTitle) {
			s.at[fieldTitle] = s.truncate(fieldTitle, m.name)
		}
	}
	if m.category.to > m.category.from {
		s.keepText("category", s.text[m.category.from:m.category.to])
	}
}
