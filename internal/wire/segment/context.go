package segment

import (
	"bytes"
	"strings"

	"github.com/weir-analytics/weir/internal/wire/item"
	"github.com/weir-analytics/weir/internal/wire/jsonscan"
)

// contextFields has what was read of a context, besides the fields of the Builder. The
// call's own context counts before that of the batch.
type contextFields struct {
	library, libraryVersion item.Span
	channel, env            item.Span
	search                  item.Span
	group                   item.Span
	width, height, density  item.Span
	appVersion, model       item.Span
	kind                    item.Span // of device
	os, osVersion           item.Span
}

// readOnce reads a text, unless it was read before.
func (s *decoder) readOnce(at *item.Span) {
	if !at.Empty() {
		s.Skip()
		return
	}
	*at = s.ReadText()
}

// context reads the object at the cursor. It sets traits to the place of
// its traits.
func (s *decoder) context(traits *jsonscan.Mark) {
	c := &s.message.context
	s.ReadObject(func(key []byte) {
		switch string(key) {
		case "page":
			s.ReadObject(s.page)
		case "userAgent", "user_agent":
			s.ReadFirst(item.UserAgent)
		case "ip":
			s.ReadFirst(item.IP)
		case "locale":
			s.ReadFirst(item.Language)
		case "library":
			s.ReadObject(s.library)
		case "campaign":
			s.ReadObject(s.campaign)
		case "screen":
			s.ReadObject(func(key []byte) {
				switch string(key) {
				case "width":
					s.readOnce(&c.width)
				case "height":
					s.readOnce(&c.height)
				case "density":
					s.readOnce(&c.density)
				default:
					s.Skip()
				}
			})
		case "app":
			s.readTwo("version", &c.appVersion, "", nil)
		case "device":
			s.readTwo("model", &c.model, "type", &c.kind)
		case "os":
			s.readTwo("name", &c.os, "version", &c.osVersion)
		case "location":
			if s.ReadObject(s.location); !s.Has(item.Country) { // without a country they mean nothing
				s.Clear(item.Region, item.City)
			}
		case "sessionId", "session_id":
			s.ReadFirst(item.Session)
		case "groupId":
			s.readOnce(&c.group)
		case "channel":
			s.readOnce(&c.channel)
		case "traits":
			if s.Peek() == '{' {
				*traits = s.Mark()
			}
			s.Skip()
		default:
			s.Skip()
		}
	})
}

// readTwo reads up to two texts of the object at the cursor.
func (s *decoder) readTwo(a string, toA *item.Span, b string, toB *item.Span) {
	s.ReadObject(func(key []byte) {
		switch {
		case string(key) == a:
			s.readOnce(toA)
		case toB != nil && string(key) == b:
			s.readOnce(toB)
		default:
			s.Skip()
		}
	})
}

func (s *decoder) page(key []byte) {
	switch string(key) {
	case "url":
		s.ReadFirst(item.URL)
	case "path":
		s.ReadFirst(item.Path)
	case "title":
		s.ReadFirst(item.Title)
	case "referrer":
		s.ReadFirst(item.Referrer)
	case "search":
		s.readOnce(&s.message.context.search)
	default:
		s.Skip()
	}
}

func (s *decoder) library(key []byte) {
	c := &s.message.context
	switch string(key) {
	case "name":
		s.readOnce(&c.library)
	case "version":
		s.readOnce(&c.libraryVersion)
	case "env":
		s.readOnce(&c.env)
	default:
		s.Skip()
	}
}

func (s *decoder) campaign(key []byte) {
	switch string(key) {
	case "source":
		s.ReadFirst(item.UTMSource)
	case "medium":
		s.ReadFirst(item.UTMMedium)
	case "name":
		s.ReadFirst(item.UTMCampaign)
	case "term":
		s.ReadFirst(item.UTMTerm)
	case "content":
		s.ReadFirst(item.UTMContent)
	default:
		s.Skip()
	}
}

func (s *decoder) location(key []byte) {
	switch string(key) {
	case "country":
		if s.ReadFirst(item.Country); len(s.Get(item.Country)) != 2 { // some send its name, not its code
			s.Clear(item.Country)
		}
	case "region":
		s.ReadFirst(item.Region)
	case "city":
		s.ReadFirst(item.City)
	default:
		s.Skip()
	}
}

// integrations reads the session id that browsers send for other destinations:
// {"Actions Amplitude":{"session_id":1700000000000}}.
func (s *decoder) integrations() {
	s.ReadObject(func([]byte) {
		s.ReadObject(func(key []byte) {
			if string(key) != "session_id" {
				s.Skip()
				return
			}
			if s.ReadFirst(item.Session); string(s.Get(item.Session)) == "-1" { // none
				s.Clear(item.Session)
			}
		})
	})
}

// setSender decides whether a visitor's own machine sent the call, or a server. It sets the
// library.
func (s *decoder) setSender() {
	c := &s.message.context
	text := s.Text
	browser, app, server := classifyLibrary(text(c.library))
	switch channel, env := text(c.channel), text(c.env); {
	case browser || app || server:
	case string(env) == "node" || string(channel) == "server":
	case string(channel) == "mobile":
		app = true
	case s.browser, string(env) == "browser", string(channel) == "web":
		browser = true
	}
	s.Client, s.Reported = browser || app, !browser && !app
	if s.Has(item.Profile) && string(text(c.library)) == "analytics-go" {
		// RudderStack's Go SDK makes a new anonymousId for each call: a server's user has no device.
		s.Clear(item.Device)
	}
	if !c.library.Empty() {
		library := c.library
		if !c.libraryVersion.Empty() {
			library = s.AddText(text(c.library), []byte("/"), text(c.libraryVersion))
		}
		s.Set(item.Library, library)
	}
	if search := text(c.search); len(search) > 1 && search[0] == '?' && s.Has(item.URL) && bytes.IndexByte(s.Get(item.URL), '?') < 0 {
		s.Put(item.URL, string(s.Get(item.URL)), string(search)) // pages with a canonical URL send it without the query
	}
	if browser {
		c.appVersion, c.model = item.Span{}, item.Span{} // RudderStack's app is its own SDK
		return
	}
	if app || !s.Has(item.UserAgent) {
		s.Set(item.OS, c.os)
		s.Set(item.OSVersion, c.osVersion)
		kind := deviceKind(string(text(c.kind)), string(text(c.model)))
		if kind == "" && (string(text(c.kind)) == "android" || string(text(c.os)) == "Android") {
			kind = androidKind(text(c.width), text(c.height), text(c.density))
		}
		if kind != "" {
			s.Put(item.DeviceType, kind)
		}
	}
}

// androidKind tells a tablet by its shorter side: 600 density-independent pixels or more.
// Source: developer.android.com, "Support different screen sizes". Without a screen it is a phone.
func androidKind(width, height, density []byte) string {
	w, okW := item.Decimal(width)
	h, okH := item.Decimal(height)
	d, okD := item.Decimal(density)
	if okW && okH && okD && d > 0 && min(w, h)/d >= 600 {
		return "tablet"
	}
	return "phone"
}

// deviceKind returns Weir's type of a device. Segment's own type may be a platform: "ios",
// "android".
func deviceKind(kind, model string) string {
	switch kind {
	case "phone", "tablet", "desktop", "tv":
		return kind
	case "mobile":
		return "phone"
	}
	for _, d := range [...][2]string{{"iPhone", "phone"}, {"iPod", "phone"}, {"iPad", "tablet"}, {"AppleTV", "tv"}} {
		if strings.HasPrefix(model, d[0]) {
			return d[1]
		}
	}
	return ""
}

// storeContext adds properties for parts of the context: screen, app version, device model,
// group.
func (s *decoder) storeContext() {
	m := &s.message
	c := &m.context
	s.KeepScreen(c.width, c.height)
	s.KeepFirst("context_app_version", s.Text(c.appVersion))
	s.KeepFirst("context_device_model", s.Text(c.model))
	group := m.group
	if group.Empty() {
		group = c.group
	}
	if !group.Empty() && s.Absent(item.PropertyGroups) {
		s.PropertyKey(item.PropertyGroups)
		s.AppendRaw(`{"group":`)
		s.AppendText(s.Text(group))
		s.AppendRaw("}")
	}
}
