package wire

import weir "github.com/weir-analytics/weir"

// posthogKind is what an event means.
type posthogKind uint8

const (
	posthogCustom posthogKind = iota
	posthogView
	posthogLeave
	posthogIdentify
	posthogAlias
	posthogSet
	posthogGroup
	posthogUnknown // what Weir does not keep
)

func posthogKindOf(name []byte) posthogKind {
	if len(name) == 0 || name[0] != '$' {
		return posthogCustom
	}
	switch string(name) {
	case "$pageview", "$screen":
		return posthogView
	case "$pageleave":
		return posthogLeave
	case "$identify":
		return posthogIdentify
	case "$create_alias", "$merge_dangerously":
		return posthogAlias
	case "$set", "$set_once", "$unset":
		return posthogSet
	case "$groupidentify":
		return posthogGroup
	case "$performance_event", "$snapshot", "$snapshot_items", "$$heatmap", "$$client_ingestion_warning":
		return posthogUnknown
	}
	return posthogCustom
}

// person says whether the event tells only of a person.
func (k posthogKind) person() bool {
	return k == posthogIdentify || k == posthogAlias || k == posthogSet
}

// own is a text of an event that is no field of a draft.
type own uint8

const (
	ownDistinct own = iota
	ownDistinctProperty
	ownDevice
	ownAnonymous
	ownAlias
	ownToken
	ownTokenProperty
	ownLib
	ownLibVersion
	ownInsert
	ownHost
	ownPathname
	ownScreen
	ownWidth
	ownHeight
	ownGroupType
	ownGroupKey
	ownCount
)

// Of a truth value that may be absent.
const (
	yes int8 = 1
	no  int8 = -1
)

// posthogEvent is what is known of one event besides the draft.
type posthogEvent struct {
	own  [ownCount]span
	kind posthogKind

	set, once    places // of objects of traits
	unset        places
	groupSet     places
	propertiesAt int // where properties are that came before the event's name

	identified, process int8
	server              bool
	nowhere             bool // the address says nothing of the place
	anywhere            bool // what only a visitor's own machine knows was sent
	cookieless          bool
	screened            bool // has a property "screen" of its own
	kept                bool // has a property "currency" that is kept
	priced              bool // has revenue
	hasOffset           bool
	offset              int64 // microseconds
}

// places are where values of the same meaning stand in the text, 0 for none: that
// beside the properties and that among them.
type places [2]int

// place notes the value at pos.
func (p *posthog) place(at *places) { p.placed(at, 0) }

func (p *posthog) placed(at *places, which int) {
	at[which] = p.pos
	p.skip()
}

func (p *posthog) ownText(o own) []byte { return p.text[p.own[o].from:p.own[o].to] }

func (p *posthog) hasOwn(o own) bool { return p.own[o].to > p.own[o].from }

func (p *posthog) readOwn(o own) { p.own[o] = p.readText() }

// finish makes of what was read an event, or two, or a rejection.
func (p *posthog) finish() {
	end := p.pos
	if p.fault != "" {
		return
	}
	if p.engage && !p.has(fieldName) {
		p.put(fieldName, weir.NameIdentify)
		p.kind = posthogSet
	}
	if p.propertiesAt > 0 {
		p.pos = p.propertiesAt
		p.readProperties(p.property)
	}
	p.tokens()
	if p.v1 {
		p.finishV1()
	}
	if p.kind == posthogUnknown {
		p.pos = end
		p.dropped = posthogUnkeptName(p.get(fieldName))
		p.unsupported(string(p.get(fieldName)))
		return
	}
	p.origin()
	p.who()
	p.page()
	p.clock()
	p.meaning()
	p.pos = end
	taken := len(p.in)
	p.finishItem()
	if len(p.in) > taken && !p.kind.person() {
		p.addIdentify(end)
	}
}

func posthogUnkeptName(event []byte) string {
	switch string(event) {
	case "$performance_event":
		return "performance"
	case "$$heatmap":
		return "heatmap"
	case "$$client_ingestion_warning":
		return "warning"
	}
	return "replay"
}

// tokens notes whose the event is.
func (p *posthog) tokens() {
	t := p.ownText(ownToken)
	if len(t) == 0 {
		t = p.ownText(ownTokenProperty)
	}
	switch {
	case len(t) == 0 || p.requestToken:
	case p.token == "":
		p.token = string(t)
	case string(t) != p.token:
		p.mixed = true
	}
}

// page says what was seen.
func (p *posthog) page() {
	if string(p.get(fieldReferrer)) == "$direct" {
		p.at[fieldReferrer] = span{}
	}
	if p.hasOwn(ownScreen) && !p.has(fieldURL) {
		p.at[fieldPath] = p.truncate(fieldPath, p.own[ownScreen])
		if p.kind == posthogView && !p.has(fieldTitle) {
			p.at[fieldTitle] = p.at[fieldPath]
		}
	}
	if !p.has(fieldURL) && !p.has(fieldPath) && p.hasOwn(ownPathname) {
		p.at[fieldPath] = p.truncate(fieldPath, p.own[ownPathname])
	}
	if !p.screened && p.kind < posthogIdentify && p.hasOwn(ownWidth) && p.hasOwn(ownHeight) {
		from := len(p.text)
		p.text = append(append(append(p.text, p.ownText(ownWidth)...), 'x'), p.ownText(ownHeight)...)
		p.keepText("screen", p.text[from:])
	}
	if p.has(fieldCurrency) {
		at := p.at[fieldCurrency]
		if p.priced {
			p.money()
		}
		if !p.has(fieldCurrency) || !p.priced {
			p.at[fieldCurrency] = span{}
			if !p.kept && !p.kind.person() && p.kind != posthogGroup {
				p.keepText("currency", p.text[at.from:at.to])
			}
		}
	}
}

// clock says when it was.
func (p *posthog) clock() {
	if p.hasOffset {
		p.stamp = stamp{us: p.now - p.offset, given: true, exact: true}
	}
	if !p.has(fieldID) && p.hasOwn(ownInsert) {
		p.at[fieldID] = p.truncate(fieldID, p.own[ownInsert])
	}
}

// meaning gives the event its name, and what it says of people and groups.
func (p *posthog) meaning() {
	switch p.kind {
	case posthogView:
		p.put(fieldName, weir.NameScreenView)
	case posthogLeave:
		p.put(fieldName, weir.NameScreenLeave)
	case posthogIdentify, posthogAlias, posthogSet:
		p.put(fieldName, weir.NameIdentify)
		p.storeTraits()
	case posthogGroup:
		p.put(fieldName, weir.NameGroup)
		p.storeGroup()
	}
}
