package wire

import (
	"bytes"
	"strings"
	"unicode/utf8"

	weir "github.com/weir-analytics/weir"
)

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

	set, once places // of objects of traits
	unset     places
	groupSet  places
	late      int // where properties are that came before the event's name

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

func (p *posthog) text0(o own) []byte { return p.text[p.own[o].from:p.own[o].to] }

func (p *posthog) hasOwn(o own) bool { return p.own[o].to > p.own[o].from }

func (p *posthog) readOwn(o own) { p.own[o] = p.texted() }

// maxDistinct is how many characters of a distinct_id count.
const maxDistinct = 200

// ident reads who an event is about: a text, a number, or any other value as its
// compact JSON.
func (p *posthog) ident(o own) {
	switch p.peek() {
	case '{', '[', 't', 'f':
		from, open := len(p.properties), len(p.keys)
		p.compact("distinct_id", 1)
		at := span{len(p.text), len(p.text) + len(p.properties) - from}
		p.text = append(p.text, p.properties[from:]...)
		p.properties, p.keys = p.properties[:from], p.keys[:open]
		p.own[o] = at
	default:
		p.own[o] = p.texted()
	}
	at := &p.own[o]
	if at.to-at.from <= maxDistinct {
		return
	}
	n := 0
	for i := at.from; i < at.to; {
		if n++; n > maxDistinct {
			at.to = i
			return
		}
		_, size := utf8.DecodeRune(p.text[i:at.to])
		i += size
	}
}

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
	if p.late > 0 {
		p.pos = p.late
		p.bag(p.property)
	}
	p.tokens()
	if p.v1 {
		p.finishV1()
	}
	if p.kind == posthogUnknown {
		p.pos = end
		p.unkept = posthogUnkeptName(p.get(fieldName))
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
	p.settle()
	if len(p.in) > taken && !p.kind.person() {
		p.further(end)
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
	t := p.text0(ownToken)
	if len(t) == 0 {
		t = p.text0(ownTokenProperty)
	}
	switch {
	case len(t) == 0 || p.outer:
	case p.token == "":
		p.token = string(t)
	case string(t) != p.token:
		p.mixed = true
	}
}

// origin finds out whose machine sent the event: the visitor's own or a server.
func (p *posthog) origin() {
	lib := p.text0(ownLib)
	if p.v1 && len(lib) == 0 {
		lib = []byte(p.sdk)
		lib, _, _ = bytes.Cut(lib, []byte("/"))
	}
	web := false
	switch string(lib) {
	case "web", "js", "posthog-js", "posthog-js-lite", "posthog-web":
		p.client, web = true, true
	case "posthog-ios", "posthog-android", "posthog-react-native", "posthog-flutter", "posthog-unity", "posthog-kmp":
		p.client = true
	case "posthog-node", "posthog-edge", "posthog-python", "posthog-go", "posthog-php", "posthog-ruby", "posthog-java",
		"posthog-server", "posthog-dotnet", "posthog-elixir", "posthog-rs", "posthog-rust":
	default:
		p.client = !p.server && (p.anywhere || p.hasOwn(ownDevice))
	}
	p.client = p.client && !p.server
	p.reported = !p.client
	switch {
	case web && (p.has(fieldUserAgent) || p.agent != ""), p.reported && !p.has(fieldBrowser) && !p.has(fieldDeviceType):
		// The user agent says it better; a server's system is not the visitor's.
		p.at[fieldBrowser], p.at[fieldBrowserVersion], p.at[fieldDeviceType] = span{}, span{}, span{}
		p.at[fieldOS], p.at[fieldOSVersion] = span{}, span{}
	default:
		p.deviceType()
	}
	if p.nowhere { // named, so that the request's address is not
		p.at[fieldIP] = span{}
		if p.client {
			if p.client = false; !p.has(fieldUserAgent) {
				p.put(fieldUserAgent, p.agent)
			}
		}
	}
	switch {
	case p.v1 && !p.hasOwn(ownLib):
		p.put(fieldLibrary, p.sdk)
	case string(lib) == "web":
		p.put(fieldLibrary, "posthog-js/", string(p.text0(ownLibVersion)))
	case p.hasOwn(ownLib):
		p.put(fieldLibrary, string(lib), "/", string(p.text0(ownLibVersion)))
	}
	if at := &p.at[fieldLibrary]; at.to > at.from && p.text[at.to-1] == '/' {
		at.to--
	}
}

// deviceType makes it one of Weir's.
func (p *posthog) deviceType() {
	if !p.has(fieldDeviceType) {
		return
	}
	switch strings.ToLower(string(p.get(fieldDeviceType))) {
	case "desktop":
		p.put(fieldDeviceType, weir.DeviceDesktop)
	case "mobile", "phone":
		p.put(fieldDeviceType, weir.DevicePhone)
	case "tablet":
		p.put(fieldDeviceType, weir.DeviceTablet)
	case "tv":
		p.put(fieldDeviceType, weir.DeviceTV)
	default:
		p.at[fieldDeviceType] = span{}
	}
}

// page says what was seen.
func (p *posthog) page() {
	if string(p.get(fieldReferrer)) == "$direct" {
		p.at[fieldReferrer] = span{}
	}
	if p.hasOwn(ownScreen) && !p.has(fieldURL) {
		p.at[fieldPath] = p.cut(fieldPath, p.own[ownScreen])
		if p.kind == posthogView && !p.has(fieldTitle) {
			p.at[fieldTitle] = p.at[fieldPath]
		}
	}
	if !p.has(fieldURL) && !p.has(fieldPath) && p.hasOwn(ownPathname) {
		p.at[fieldPath] = p.cut(fieldPath, p.own[ownPathname])
	}
	if !p.screened && p.kind < posthogIdentify && p.hasOwn(ownWidth) && p.hasOwn(ownHeight) {
		from := len(p.text)
		p.text = append(append(append(p.text, p.text0(ownWidth)...), 'x'), p.text0(ownHeight)...)
		p.keepText("screen", p.text[from:])
	}
	if p.has(fieldCurrency) {
		at := p.at[fieldCurrency]
		if p.money(); !p.has(fieldCurrency) || !p.priced {
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
		p.at[fieldID] = p.cut(fieldID, p.own[ownInsert])
	}
}

// who says who it was, as device and profile.
func (p *posthog) who() {
	who := p.own[ownDistinct]
	if who.from == who.to {
		who = p.own[ownDistinctProperty]
	}
	id, device := p.text[who.from:who.to], p.own[ownDevice]
	named := p.hasOwn(ownDevice)
	switch {
	case len(id) == 0:
		p.defect(ReasonIDMissing, "distinct_id")
		return
	case p.cookieless && string(id) == "$posthog_cookieless":
		return
	case p.kind == posthogIdentify && p.client:
		p.at[fieldProfile] = p.cut(fieldProfile, who)
		if p.hasOwn(ownAnonymous) {
			device = p.own[ownAnonymous]
		}
		p.at[fieldDevice] = p.cut(fieldDevice, device)
		return
	case p.kind == posthogGroup && p.groupsOwn(id):
		return
	}
	anonymous := p.identified == no || p.process == no && (named || p.reported) ||
		named && bytes.Equal(id, p.text0(ownDevice))
	switch {
	case anonymous && p.kind == posthogAlias && p.client:
		// A browser tells who its visitor is.
		p.at[fieldDevice] = p.cut(fieldDevice, who)
		p.at[fieldProfile] = p.cut(fieldProfile, p.own[ownAlias])
		return
	case anonymous && p.kind != posthogAlias && p.kind != posthogIdentify:
		p.at[fieldDevice] = p.cut(fieldDevice, who)
		return
	}
	p.at[fieldProfile] = p.cut(fieldProfile, who)
	p.at[fieldDevice] = p.cut(fieldDevice, device)
	switch p.kind {
	case posthogIdentify:
		p.at[fieldAlias] = p.cut(fieldAlias, p.own[ownAnonymous])
	case posthogAlias:
		p.at[fieldAlias] = p.cut(fieldAlias, p.own[ownAlias])
	}
}

// groupsOwn says whether an id is the one that servers' SDKs make up for a group
// that they tell of: "$company_acme".
func (p *posthog) groupsOwn(id []byte) bool {
	kind, key := p.text0(ownGroupType), p.text0(ownGroupKey)
	return len(id) == 2+len(kind)+len(key) && id[0] == '$' && bytes.HasPrefix(id[1:], kind) &&
		id[1+len(kind)] == '_' && bytes.HasSuffix(id, key)
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
		p.traits()
	case posthogGroup:
		p.put(fieldName, weir.NameGroup)
		p.group()
	}
}
