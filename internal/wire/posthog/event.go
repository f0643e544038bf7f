package posthog

import (
	"crypto/sha256"

	weir "github.com/weir-analytics/weir"
	"github.com/weir-analytics/weir/internal/wire/item"
	"github.com/weir-analytics/weir/internal/wire/jsonscan"
)

// eventKind is the meaning of an event.
type eventKind uint8

const (
	kindCustom eventKind = iota
	kindView
	kindLeave
	kindIdentify
	kindAlias
	kindSet
	kindGroup
	kindUnsupported // Weir does not store it
)

func kindOf(name []byte) eventKind {
	if len(name) == 0 || name[0] != '$' {
		return kindCustom
	}
	switch string(name) {
	case "$pageview", "$screen":
		return kindView
	case "$pageleave":
		return kindLeave
	case "$identify":
		return kindIdentify
	case "$create_alias", "$merge_dangerously":
		return kindAlias
	case "$set", "$set_once", "$unset":
		return kindSet
	case "$groupidentify":
		return kindGroup
	case "$performance_event", "$snapshot", "$snapshot_items", "$$heatmap", "$$client_ingestion_warning":
		return kindUnsupported
	}
	return kindCustom
}

// person reports whether the event only says something about a person.
func (k eventKind) person() bool {
	return k == kindIdentify || k == kindAlias || k == kindSet
}

// own is a text of an event for which a Builder has no field.
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

// Values of a boolean that may be absent; then it is 0.
const (
	yes int8 = 1
	no  int8 = -1
)

// event has what was read of one event, besides the fields of the Builder.
type event struct {
	own  [ownCount]item.Span
	kind eventKind

	set, once    places // objects of traits
	unset        places
	groupSet     jsonscan.Mark
	propertiesAt jsonscan.Mark // properties that stand before the event's name

	identified, process int8
	web                 bool // posthog-js sent it
	user                bool // has a $user_id: posthog-js sends it after an identify
	server              bool
	nowhere             bool // do not look up the country by the address
	anywhere            bool // has a property that only a visitor's own machine can send
	cookieless          bool
	screened            bool // the sender set a property "screen"
	kept                bool // "currency" is a property
	hasOffset           bool
	offset              int64 // microseconds
}

// places has the places of two values with the same meaning: the one beside the properties,
// and the one among them.
type places [2]jsonscan.Mark

const (
	besideProperties = iota
	amongProperties
)

func (p *decoder) ownText(o own) []byte { return p.Text(p.own[o]) }

func (p *decoder) hasOwn(o own) bool { return !p.own[o].Empty() }

func (p *decoder) readOwn(o own) { p.own[o] = p.ReadText() }

// finish adds one or two events, or a rejection, for the item that was read.
func (p *decoder) finish() {
	if p.Failed() {
		return
	}
	if p.engage && !p.Has(item.Name) {
		p.Put(item.Name, weir.NameIdentify)
		p.kind = kindSet
	}
	p.ReadAt(p.propertiesAt, func() { p.ReadProperties(p.property) })
	p.noteToken()
	if p.v1 {
		p.finishV1()
	}
	if p.kind == kindUnsupported {
		p.dropped = unsupportedName(p.Get(item.Name))
		p.Unsupported(string(p.Get(item.Name)))
		return
	}
	p.setOrigin()
	p.setPerson()
	p.setPage()
	p.setTime()
	p.setMeaning()
	if p.FinishItem() && !p.kind.person() {
		p.addIdentify()
	}
}

func unsupportedName(event []byte) string {
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

// noteToken notes the token of the event's project.
func (p *decoder) noteToken() {
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

// setPage sets the fields of the page: path, title, referrer; and screen and currency.
func (p *decoder) setPage() {
	if string(p.Get(item.Referrer)) == "$direct" {
		p.Clear(item.Referrer)
	}
	if p.hasOwn(ownScreen) && !p.Has(item.URL) {
		p.Set(item.Path, p.own[ownScreen])
		if p.kind == kindView && !p.Has(item.Title) {
			p.Set(item.Title, p.Span(item.Path))
		}
	}
	if !p.Has(item.URL) && !p.Has(item.Path) && p.hasOwn(ownPathname) {
		p.Set(item.Path, p.own[ownPathname])
	}
	if !p.screened && p.kind < kindIdentify && p.hasOwn(ownWidth) && p.hasOwn(ownHeight) {
		p.KeepText("screen", p.Text(p.AddText(p.ownText(ownWidth), []byte("x"), p.ownText(ownHeight))))
	}
	if p.Has(item.Currency) {
		at := p.Span(item.Currency)
		if p.Revenue.Known {
			p.CheckCurrency()
		}
		if !p.Has(item.Currency) || !p.Revenue.Known {
			p.Clear(item.Currency)
			if !p.kept && !p.kind.person() && p.kind != kindGroup {
				p.KeepText("currency", p.Text(at))
			}
		}
	}
}

// setTime sets the time and the id. An event without an id that carries its time gets a hash
// of its text as id, so that a retry of the same text is stored once.
func (p *decoder) setTime() {
	timed := p.Stamp.Given
	if p.hasOffset {
		p.Stamp = item.Stamp{Micros: p.Now - p.offset, Given: true, Exact: true}
	}
	if !p.Has(item.ID) && p.hasOwn(ownInsert) {
		p.Set(item.ID, p.own[ownInsert])
	}
	if !p.Has(item.ID) && timed {
		sum := sha256.Sum256(p.Since(p.ItemMark()))
		p.PutID(sum[:16])
	}
}

// setMeaning sets the name, and stores traits and groups.
func (p *decoder) setMeaning() {
	switch p.kind {
	case kindView:
		p.Put(item.Name, weir.NameScreenView)
	case kindLeave:
		p.Put(item.Name, weir.NameScreenLeave)
	case kindIdentify, kindAlias, kindSet:
		p.Put(item.Name, weir.NameIdentify)
		p.storeTraits()
	case kindGroup:
		p.Put(item.Name, weir.NameGroup)
		p.storeGroup()
	}
}
