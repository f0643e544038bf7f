package wire

import (
	"bytes"
	"strings"
)

// segmentContext is what a call's context says that is no field yet. Of two
// contexts the call's own goes first.
type segmentContext struct {
	library, libraryVersion span
	channel, env            span
	search                  span
	group                   span
	width, height           span
	appVersion, model       span
	kind                    span // of device
	os, osVersion           span
}

// noted reads a text that was not there before.
func (s *segment) noted(at *span) {
	if at.to > at.from {
		s.skip()
		return
	}
	*at = s.readText()
}

// context reads the object at pos. Where its traits begin is written to traits.
func (s *segment) context(traits *int) {
	c := &s.message.context
	s.readObject(func(key []byte) {
		switch string(key) {
		case "page":
			s.readObject(s.page)
		case "userAgent", "user_agent":
			s.readFirst(fieldUserAgent)
		case "ip":
			s.readFirst(fieldIP)
		case "locale":
			s.readFirst(fieldLanguage)
		case "library":
			s.readObject(s.library)
		case "campaign":
			s.readObject(s.campaign)
		case "screen":
			s.readObject(func(key []byte) {
				switch string(key) {
				case "width":
					s.noted(&c.width)
				case "height":
					s.noted(&c.height)
				default:
					s.skip()
				}
			})
		case "app":
			s.under("version", &c.appVersion, "", nil)
		case "device":
			s.under("model", &c.model, "type", &c.kind)
		case "os":
			s.under("name", &c.os, "version", &c.osVersion)
		case "location":
			if s.readObject(s.location); !s.has(fieldCountry) { // they go with their country only
				s.at[fieldRegion], s.at[fieldCity] = span{}, span{}
			}
		case "sessionId", "session_id":
			s.readFirst(fieldSession)
		case "groupId":
			s.noted(&c.group)
		case "channel":
			s.noted(&c.channel)
		case "traits":
			if s.peek() == '{' {
				*traits = s.pos
			}
			s.skip()
		default:
			s.skip()
		}
	})
}

// under reads up to two texts of the object at pos.
func (s *segment) under(a string, toA *span, b string, toB *span) {
	s.readObject(func(key []byte) {
		switch {
		case string(key) == a:
			s.noted(toA)
		case toB != nil && string(key) == b:
			s.noted(toB)
		default:
			s.skip()
		}
	})
}

func (s *segment) page(key []byte) {
	switch string(key) {
	case "url":
		s.readFirst(fieldURL)
	case "path":
		s.readFirst(fieldPath)
	case "title":
		s.readFirst(fieldTitle)
	case "referrer":
		s.readFirst(fieldReferrer)
	case "search":
		s.noted(&s.message.context.search)
	default:
		s.skip()
	}
}

func (s *segment) library(key []byte) {
	c := &s.message.context
	switch string(key) {
	case "name":
		s.noted(&c.library)
	case "version":
		s.noted(&c.libraryVersion)
	case "env":
		s.noted(&c.env)
	default:
		s.skip()
	}
}

func (s *segment) campaign(key []byte) {
	switch string(key) {
	case "source":
		s.readFirst(fieldUTMSource)
	case "medium":
		s.readFirst(fieldUTMMedium)
	case "name":
		s.readFirst(fieldUTMCampaign)
	case "term":
		s.readFirst(fieldUTMTerm)
	case "content":
		s.readFirst(fieldUTMContent)
	default:
		s.skip()
	}
}

func (s *segment) location(key []byte) {
	switch string(key) {
	case "country":
		if s.readFirst(fieldCountry); len(s.get(fieldCountry)) != 2 { // a name is no code
			s.at[fieldCountry] = span{}
		}
	case "region":
		s.readFirst(fieldRegion)
	case "city":
		s.readFirst(fieldCity)
	default:
		s.skip()
	}
}

// integrations looks for the session that browser destinations are told of:
// {"Actions Amplitude":{"session_id":1700000000000}}.
func (s *segment) integrations() {
	s.readObject(func([]byte) {
		s.readObject(func(key []byte) {
			if string(key) != "session_id" {
				s.skip()
				return
			}
			if s.readFirst(fieldSession); string(s.get(fieldSession)) == "-1" { // none
				s.at[fieldSession] = span{}
			}
		})
	})
}

// sender decides whose machine sent the call, and names the library.
func (s *segment) sender() {
	c := &s.message.context
	text := func(at span) []byte { return s.text[at.from:at.to] }
	browser, app, server := segmentClient(text(c.library))
	switch channel, env := text(c.channel), text(c.env); {
	case browser || app || server:
	case string(env) == "node" || string(channel) == "server":
	case string(channel) == "mobile":
		app = true
	case s.browser, string(env) == "browser", string(channel) == "web":
		browser = true
	}
	s.client, s.reported = browser || app, !browser && !app
	if from := len(s.text); c.library.to > c.library.from {
		s.text = append(s.text, text(c.library)...)
		if c.libraryVersion.to > c.libraryVersion.from {
			s.text = append(append(s.text, '/'), text(c.libraryVersion)...)
		}
		s.at[fieldLibrary] = s.truncate(fieldLibrary, span{from, len(s.text)})
	}
	if search := text(c.search); len(search) > 1 && search[0] == '?' && s.has(fieldURL) && bytes.IndexByte(s.get(fieldURL), '?') < 0 {
		s.put(fieldURL, string(s.get(fieldURL)), string(search)) // a canonical address has no query
	}
	if browser {
		c.appVersion, c.model = span{}, span{} // RudderStack's app is its own SDK
		return
	}
	if app || !s.has(fieldUserAgent) {
		s.at[fieldOS], s.at[fieldOSVersion] = s.truncate(fieldOS, c.os), s.truncate(fieldOSVersion, c.osVersion)
		if kind := deviceKind(string(text(c.kind)), string(text(c.model))); kind != "" {
			s.put(fieldDeviceType, kind)
		}
	}
}

// deviceKind is a device's type as Weir has it. Segment's own type is a platform:
// "ios", "android".
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

// described adds the properties that the context is kept as.
func (s *segment) described() {
	m := &s.message
	c := &m.context
	text := func(at span) []byte { return s.text[at.from:at.to] }
	if len(text(c.width)) > 0 && len(text(c.height)) > 0 {
		s.text = append(append(append(s.text, text(c.width)...), 'x'), text(c.height)...)
		n := len(text(c.width)) + 1 + len(text(c.height))
		s.keepFirst("screen", s.text[len(s.text)-n:])
	}
	s.keepFirst("context_app_version", text(c.appVersion))
	s.keepFirst("context_device_model", text(c.model))
	group := m.group
	if group.to == group.from {
		group = c.group
	}
	if group.to > group.from && s.absent("$groups") {
		s.propertyKey("$groups")
		s.properties = append(s.properties, `{"group":`...)
		s.properties = append(appendQuoted(s.properties, text(group)), '}')
	}
}
