package mixpanel

import (
	"bytes"
	"crypto/sha256"

	weir "github.com/weir-analytics/weir"
	"github.com/weir-analytics/weir/internal/wire"
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
	kindMerge
	kindReplay
)

func kindOf(name []byte) eventKind {
	switch string(name) {
	case "$mp_web_page_view", "mp_page_view":
		return kindView
	case "$mp_page_leave":
		return kindLeave
	case "$identify":
		return kindIdentify
	case "$create_alias":
		return kindAlias
	case "$merge":
		return kindMerge
	case "$mp_session_record":
		return kindReplay
	}
	return kindCustom
}

// person reports whether the event only says who somebody is.
func (k eventKind) person() bool { return k >= kindIdentify }

// event has what was read of an event, besides the fields of the Builder.
type event struct {
	kind         eventKind
	propertiesAt jsonscan.Mark // properties that stand before the event's name

	distinct, device, user item.Span
	anonymous, identified  item.Span // of an identify event: the former id, the user's
	alias                  item.Span
	merged                 [2]item.Span

	lib, libVersion item.Span
	width, height   item.Span
	path, model     item.Span
}

// readEvent reads the object at the cursor: {"event", "properties"}.
func (m *decoder) readEvent() {
	m.event = event{}
	m.ReadObject(func(key []byte) {
		m.CheckSize()
		switch string(key) {
		case "event":
			m.Read(item.Name)
			m.kind = kindOf(m.Get(item.Name))
		case "properties":
			if m.Has(item.Name) {
				m.ReadProperties(m.property)
			} else { // what they mean is not known yet
				m.propertiesAt = m.Note()
			}
		case "$mp_metadata": // of apps
			m.ReadObject(func(key []byte) {
				if string(key) == "$mp_session_id" {
					m.ReadFirst(item.Session)
				} else {
					m.Skip()
				}
			})
		default:
			m.Skip()
		}
	})
	if m.Failed() {
		return
	}
	m.ReadAt(m.propertiesAt, func() { m.ReadProperties(m.property) })
	m.finishEvent()
}

// finishEvent adds the event that was read, or a rejection.
func (m *decoder) finishEvent() {
	if m.kind == kindReplay {
		m.dropped = "replay"
		m.Unsupported(string(m.Get(item.Name)))
		return
	}
	m.setSender(string(m.Text(m.lib)), string(m.Text(m.libVersion)))
	m.setVisitor()
	m.setPerson()
	switch m.kind {
	case kindView:
		m.Put(item.Name, weir.NameScreenView)
	case kindLeave:
		m.Put(item.Name, weir.NameScreenLeave)
	case kindIdentify, kindAlias, kindMerge:
		m.Put(item.Name, weir.NameIdentify)
	}
	if m.request.Route.Path == pathImport {
		m.checkImport()
	}
	m.finishItem()
}

// checkImport derives the id of an event that has none from its content. So an import that is
// repeated is stored once. With strict an event needs a time.
func (m *decoder) checkImport() {
	if m.reply.strict && !m.Stamp.Given {
		m.Defect(wire.ReasonTimeInvalid, "properties.time: want seconds or milliseconds since 1970")
	}
	if !m.Has(item.ID) && m.Stamp.Given {
		sum := sha256.Sum256(m.Since(m.ItemMark()))
		m.PutID(sum[:16])
	}
}

// setVisitor sets what is known of the visitor's page, browser and place.
func (m *decoder) setVisitor() {
	if string(m.Get(item.Referrer)) == "$direct" {
		m.Clear(item.Referrer)
	}
	if !m.Has(item.URL) {
		m.Set(item.Path, m.path)
	}
	if !m.kind.person() {
		m.KeepScreen(m.width, m.height)
	}
	switch {
	case m.Client && m.page, m.Reported && !m.Has(item.Browser):
		// Weir reads the browser from the user agent. A server's system is not the visitor's.
		m.Clear(item.Browser, item.BrowserVersion, item.OS, item.OSVersion)
	}
	if len(m.Get(item.Country)) != 2 {
		m.Clear(item.Country, item.Region, item.City)
	}
	if m.Has(item.Currency) && !m.Revenue.Known {
		at := m.Span(item.Currency)
		if m.Clear(item.Currency); !m.kind.person() {
			m.KeepFirst("currency", m.Text(at))
		}
	}
}

// devicePrefix begins the ids that the SDKs made for a device. $device_id is the same without it.
const devicePrefix = "$device:"

// deviceIn returns the id of the device that an id of a person stands for.
func (m *decoder) deviceIn(id item.Span) (device item.Span, ok bool) {
	if bytes.HasPrefix(m.Text(id), []byte(devicePrefix)) {
		return id.Cut(len(devicePrefix), id.Len()), true
	}
	return id, !id.Empty() && bytes.Equal(m.Text(id), m.Text(m.device))
}

// setPerson sets device, profile and alias of an event.
func (m *decoder) setPerson() {
	who := m.distinct
	switch m.kind {
	case kindIdentify:
		if !m.identified.Empty() {
			who = m.identified
		}
		former, isDevice := m.deviceIn(m.anonymous)
		m.link(who, former, isDevice)
	case kindAlias:
		if former, isDevice := m.deviceIn(who); isDevice { // the visitor has a name from now on
			m.link(m.alias, former, true)
			return
		}
		m.link(who, m.alias, false)
	case kindMerge:
		who, former := m.merged[0], m.merged[1]
		if _, isDevice := m.deviceIn(who); isDevice {
			who, former = former, who
		}
		former, isDevice := m.deviceIn(former)
		m.link(who, former, isDevice)
	default:
		m.setIDs()
	}
}

// setIDs sets device and profile. A distinct id that stands for a device is no profile; then
// the id of the user counts.
func (m *decoder) setIDs() (anonymous bool) {
	m.Set(item.Device, m.device)
	who := m.distinct
	if device, ok := m.deviceIn(who); ok {
		m.Set(item.Device, device)
		who = item.Span{}
	}
	if who.Empty() {
		who = m.user
	}
	m.Set(item.Profile, who)
	return who.Empty()
}

// link says that a former id is the profile's too. The visitor's own machine names its device
// in this way; of a server's event the former id is an alias.
func (m *decoder) link(profile, former item.Span, isDevice bool) {
	if _, anonymous := m.deviceIn(profile); anonymous || profile.Empty() || m.kind != kindIdentify && former.Empty() {
		m.Defect(wire.ReasonIDMissing, "a user and a former id")
		return
	}
	m.Set(item.Profile, profile)
	m.Set(item.Device, m.device)
	switch {
	case former.Empty() || bytes.Equal(m.Text(former), m.Text(profile)):
	case !m.Reported && isDevice:
		m.Set(item.Device, former)
	case m.Reported || m.kind != kindIdentify:
		m.Set(item.Alias, former)
	case m.device.Empty(): // an older SDK: ids of devices have no mark
		m.Set(item.Device, former)
	}
}
