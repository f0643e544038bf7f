package ga4

import (
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/weir-analytics/weir/internal/wire"
	"github.com/weir-analytics/weir/internal/wire/item"
	"github.com/weir-analytics/weir/internal/wire/jsonscan"
)

// What Google bounds. Weir itself takes more.
const (
	googleEvents     = 25  // in one request
	googleParams     = 25  // of an event
	googleProperties = 25  // of a user
	googleName       = 40  // characters of the name of an event or a parameter
	googleUserName   = 24  // characters of the name of a user's property
	googleValue      = 100 // characters of a parameter's value
)

// validationMessages are what is wrong with a request.
type validationMessages []validationMessage

type validationMessage struct{ path, text, code string }

// json is {"validationMessages":[{"fieldPath","description","validationCode"}]}.
func (m validationMessages) json() []byte {
	b := []byte(`{"validationMessages":[`)
	for i, x := range m {
		if i > 0 {
			b = append(b, ',')
		}
		b = append(b, `{"fieldPath":`...)
		b = jsonscan.AppendString(b, []byte(x.path))
		b = append(b, `,"description":`...)
		b = jsonscan.AppendString(b, []byte(x.text))
		b = append(b, `,"validationCode":`...)
		b = append(jsonscan.AppendString(b, []byte(x.code)), '}')
	}
	return append(b, "]}"...)
}

// most bounds how much is said of one request.
const maxMessages = 100

func (m *validationMessages) say(code, path, text string) {
	if len(*m) < maxMessages {
		*m = append(*m, validationMessage{path, strings.ToValidUTF8(text, "\ufffd"), code})
	}
}

// validate says what is wrong with a request. It takes nothing.
func (g *decoder) validate(r *wire.Request) validationMessages {
	m := validationMessages{}
	g.Open(r, r.Body)
	g.outer = requestFields{}
	if g.body(); !g.End() {
		m.say("VALUE_INVALID", "", "Unable to parse Measurement Protocol JSON payload: byte "+strconv.Itoa(g.Offset())+": "+g.Fault()+".")
		return m
	}
	if g.outer.texts[item.Device] == "" {
		if r.Query().Get("firebase_app_id") == "" {
			m.say("VALUE_REQUIRED", "client_id", "Measurement requires a client_id.")
		} else {
			m.say("VALUE_REQUIRED", "app_instance_id", "Measurement requires an app_instance_id.")
		}
	}
	if !g.outer.events.IsSet() {
		m.say("VALUE_REQUIRED", "events", "Measurement requires events.")
		return m
	}
	g.Seek(g.outer.events)
	n := 0
	for more := g.Begin(']'); more; more = g.More(']') {
		g.validateEvent(&m, "Event at index: ["+strconv.Itoa(n)+"]")
		n++
	}
	switch {
	case n == 0:
		m.say("VALUE_REQUIRED", "events", "Measurement requires events.")
	case n > googleEvents:
		m.say("EXCEEDED_MAX_ENTITIES", "events", "Measurement has "+strconv.Itoa(n)+" events; at most "+strconv.Itoa(googleEvents)+" are allowed.")
	}
	if g.outer.properties.IsSet() {
		g.Seek(g.outer.properties)
		n = 0
		g.ReadObject(func(key []byte) {
			n++
			g.validateName(&m, "user_properties", "User property", string(key), googleUserName)
			g.Skip()
		})
		if n > googleProperties {
			m.say("EXCEEDED_MAX_ENTITIES", "user_properties", "Measurement has more than "+strconv.Itoa(googleProperties)+" user properties.")
		}
	}
	return m
}

func (g *decoder) validateEvent(m *validationMessages, which string) {
	g.StartItem()
	if g.Peek() != '{' {
		m.say("VALUE_INVALID", "events", which+" is not an object.")
		g.Skip()
		return
	}
	name, params := "", 0
	g.ReadObject(func(key []byte) {
		switch string(key) {
		case "name":
			name = string(g.ReadBrief())
		case "params":
			if g.Peek() != '{' && g.Peek() != 'n' {
				m.say("VALUE_INVALID", "events", which+" has params that are not an object.")
			}
			g.ReadObject(func(key []byte) {
				params++
				g.validateName(m, "events", which+": param", string(key), googleName)
				g.validateValue(m, which, string(key))
			})
		default:
			g.Skip()
		}
	})
	switch {
	case name == "":
		m.say("VALUE_REQUIRED", "events", which+" requires a name.")
	case reservedName(name):
		m.say("NAME_RESERVED", "events", which+" has name ["+name+"] which is reserved.")
	default:
		g.validateName(m, "events", which, name, googleName)
	}
	if params > googleParams {
		m.say("EXCEEDED_MAX_ENTITIES", "events", which+" has more than "+strconv.Itoa(googleParams)+" params.")
	}
}

// validateName looks at a name: letters, digits and underscores, a letter first.
func (g *decoder) validateName(m *validationMessages, path, which, name string, most int) {
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
func (g *decoder) validateValue(m *validationMessages, which, key string) {
	if g.Peek() != '"' {
		g.Skip()
		return
	}
	most := googleValue
	switch key {
	case "page_location":
		most = 1000
	case "page_referrer":
		most = 420
	case "page_title":
		most = 300
	}
	if n := utf8.RuneCount(g.ReadBrief()); n > most {
		m.say("VALUE_OUT_OF_BOUNDS", "events", which+": param ["+key[:min(len(key), 200)]+"] has "+strconv.Itoa(n)+" characters; at most "+strconv.Itoa(most)+" are allowed.")
	}
}

// reservedName says whether Google keeps the name of an event for itself.
func reservedName(name string) bool {
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
