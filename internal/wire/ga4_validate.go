package wire

import (
	"strconv"
	"strings"
	"unicode/utf8"
)

// What Google bounds. Weir itself takes more.
const (
	ga4Events     = 25  // in one request
	ga4Params     = 25  // of an event
	ga4Properties = 25  // of a user
	ga4Name       = 40  // characters of the name of an event or a parameter
	ga4UserName   = 24  // characters of the name of a user's property
	ga4Value      = 100 // characters of a parameter's value
)

// ga4Messages are what is wrong with a request.
type ga4Messages []ga4Message

type ga4Message struct{ path, text, code string }

// json is {"validationMessages":[{"fieldPath","description","validationCode"}]}.
func (m ga4Messages) json() []byte {
	b := []byte(`{"validationMessages":[`)
	for i, x := range m {
		if i > 0 {
			b = append(b, ',')
		}
		b = append(b, `{"fieldPath":`...)
		b = appendQuoted(b, []byte(x.path))
		b = append(b, `,"description":`...)
		b = appendQuoted(b, []byte(x.text))
		b = append(b, `,"validationCode":`...)
		b = append(appendQuoted(b, []byte(x.code)), '}')
	}
	return append(b, "]}"...)
}

// most bounds how much is said of one request.
const ga4Most = 100

func (m *ga4Messages) say(code, path, text string) {
	if len(*m) < ga4Most {
		*m = append(*m, ga4Message{path, strings.ToValidUTF8(text, "\ufffd"), code})
	}
}

// validate says what is wrong with a request. It takes nothing.
func (g *ga4) validate(r *Request) ga4Messages {
	m := ga4Messages{}
	g.open(r, r.Body)
	g.outer = ga4Outer{}
	g.body()
	if g.fault == "" {
		if g.space(); g.pos < len(g.data) {
			g.fail("want nothing after the value")
		}
	}
	if g.fault != "" {
		m.say("VALUE_INVALID", "", "Unable to parse Measurement Protocol JSON payload: byte "+strconv.Itoa(min(g.pos, len(g.data)))+": "+g.fault+".")
		return m
	}
	if g.outer.texts[fieldDevice] == "" {
		if r.Query.Get("firebase_app_id") == "" {
			m.say("VALUE_REQUIRED", "client_id", "Measurement requires a client_id.")
		} else {
			m.say("VALUE_REQUIRED", "app_instance_id", "Measurement requires an app_instance_id.")
		}
	}
	if g.outer.events == 0 {
		m.say("VALUE_REQUIRED", "events", "Measurement requires events.")
		return m
	}
	g.pos = g.outer.events
	n := 0
	for more := g.begin(']'); more; more = g.more(']') {
		g.validateEvent(&m, "Event at index: ["+strconv.Itoa(n)+"]")
		n++
	}
	switch {
	case n == 0:
		m.say("VALUE_REQUIRED", "events", "Measurement requires events.")
	case n > ga4Events:
		m.say("EXCEEDED_MAX_ENTITIES", "events", "Measurement has "+strconv.Itoa(n)+" events; at most "+strconv.Itoa(ga4Events)+" are allowed.")
	}
	if g.pos = g.outer.properties; g.pos > 0 {
		n = 0
		g.readObject(func(key []byte) {
			n++
			g.validateName(&m, "user_properties", "User property", string(key), ga4UserName)
			g.skip()
		})
		if n > ga4Properties {
			m.say("EXCEEDED_MAX_ENTITIES", "user_properties", "Measurement has more than "+strconv.Itoa(ga4Properties)+" user properties.")
		}
	}
	return m
}

func (g *ga4) validateEvent(m *ga4Messages, which string) {
	g.startItem()
	if g.peek() != '{' {
		m.say("VALUE_INVALID", "events", which+" is not an object.")
		g.skip()
		return
	}
	name, params := "", 0
	g.readObject(func(key []byte) {
		switch string(key) {
		case "name":
			at := g.readText()
			name = string(g.text[at.from:at.to])
		case "params":
			if g.peek() != '{' && g.peek() != 'n' {
				m.say("VALUE_INVALID", "events", which+" has params that are not an object.")
			}
			g.readObject(func(key []byte) {
				params++
				g.validateName(m, "events", which+": param", string(key), ga4Name)
				g.validateValue(m, which, string(key))
			})
		default:
			g.skip()
		}
	})
	switch {
	case name == "":
		m.say("VALUE_REQUIRED", "events", which+" requires a name.")
	case ga4Reserved(name):
		m.say("NAME_RESERVED", "events", which+" has name ["+name+"] which is reserved.")
	default:
		g.validateName(m, "events", which, name, ga4Name)
	}
	if params > ga4Params {
		m.say("EXCEEDED_MAX_ENTITIES", "events", which+" has more than "+strconv.Itoa(ga4Params)+" params.")
	}
}

// validateName looks at a name: letters, digits and underscores, a letter first.
func (g *ga4) validateName(m *ga4Messages, path, which, name string, most int) {
	short := name[:min(len(name), 200)]
	switch {
	case !firstLetter(name):
		m.say("NAME_INVALID", path, which+" has invalid name ["+short+"]. Names must start with an alphabetic character.")
	case strings.ContainsFunc(name, notInName):
		m.say("NAME_INVALID", path, which+" has invalid name ["+short+"]. Names may have letters, digits and underscores.")
	case utf8.RuneCountInString(name) > most:
		m.say("VALUE_OUT_OF_BOUNDS", path, which+" has name ["+short+"] which is longer than "+strconv.Itoa(most)+" characters.")
	}
}

func notInName(r rune) bool {
	return r != '_' && r < utf8.RuneSelf && !('0' <= r && r <= '9') && !('a' <= r|0x20 && r|0x20 <= 'z')
}

func firstLetter(name string) bool {
	if name == "" {
		return false
	}
	c := name[0] | 0x20
	return c >= 'a' && c <= 'z' || name[0] >= utf8.RuneSelf
}

// validateValue looks at the length of a parameter's text; those of pages may be
// longer.
func (g *ga4) validateValue(m *ga4Messages, which, key string) {
	if g.peek() != '"' {
		g.skip()
		return
	}
	most := ga4Value
	switch key {
	case "page_location":
		most = 1000
	case "page_referrer":
		most = 420
	case "page_title":
		most = 300
	}
	at := g.readText()
	if n := utf8.RuneCount(g.text[at.from:at.to]); n > most {
		m.say("VALUE_OUT_OF_BOUNDS", "events", which+": param ["+key[:min(len(key), 200)]+"] has "+strconv.Itoa(n)+" characters; at most "+strconv.Itoa(most)+" are allowed.")
	}
	g.text = g.text[:at.from]
}

// ga4Reserved says whether Google keeps the name of an event for itself.
func ga4Reserved(name string) bool {
	switch name {
	case "ad_activeview", "ad_click", "ad_exposure", "ad_query", "ad_reward", "adunit_exposure", "app_background", "app_clear_data", "app_exception",
		"app_remove", "app_store_refund", "app_store_subscription_cancel", "app_store_subscription_convert", "app_store_subscription_renew", "app_update",
		"app_upgrade", "dynamic_link_app_open", "dynamic_link_app_update", "dynamic_link_first_open", "error", "firebase_campaign",
		"firebase_in_app_message_action", "firebase_in_app_message_dismiss", "firebase_in_app_message_impression", "first_open", "first_visit",
		"notification_dismiss", "notification_foreground", "notification_open", "notification_receive", "notification_send", "os_update", "session_start",
		"user_engagement":
		return true
	}
	return false
}
