package wire

import (
	"net/http"
	"strings"
	"sync"

	weir "github.com/weir-analytics/weir"
)

// GA4 is the Measurement Protocol of Google Analytics 4, with which servers and
// devices send events.
// Source: developers.google.com/analytics/devguides/collection/protocol/ga4.
type GA4 struct{}

const ga4Debug = "/debug/mp/collect"

// ga4Crowd bounds the events of a request, each of which gets what the request says of
// all. Google takes 25.
const ga4Crowd = 1000

// Vendor is the protocol's name.
func (GA4) Vendor() string { return "ga4" }

// Routes are the addresses of events, and of their validation.
func (GA4) Routes() []Route {
	return []Route{{Method: http.MethodPost, Path: "/mp/collect"}, {Method: http.MethodPost, Path: ga4Debug}}
}

// Decode reads the events of one device. Those that are to be validated go nowhere.
func (GA4) Decode(r *Request) (*Decoded, error) {
	g := ga4s.Get().(*ga4)
	defer func() {
		g.outer = ga4Outer{}
		if g.close() {
			ga4s.Put(g)
		}
	}()
	if r.Route.Path == ga4Debug {
		return &Decoded{State: g.validate(r)}, nil
	}
	return g.sent(r)
}

// ga4Project is what a request names its project by: a write key in place of the API
// secret, or else the stream, as the name of a site.
func ga4Project(r *Request) string {
	if secret := r.Query.Get("api_secret"); strings.HasPrefix(secret, "wk_") {
		return secret
	}
	if id := r.Query.Get("measurement_id"); id != "" {
		return id
	}
	return r.Query.Get("firebase_app_id")
}

// Answer is 204 and nothing else, or what is wrong with events that were to be
// validated.
func (GA4) Answer(_ *Request, s *Decoded) Response {
	messages, ok := s.State.(ga4Messages)
	if !ok {
		return Response{Status: http.StatusNoContent}
	}
	return Response{Status: http.StatusOK, ContentType: "application/json; charset=utf-8", Body: messages.json()}
}

// Refuse is 204 for a body that is wrong, as Google's is. A key that is nobody's, and
// what protects the server, keep their status: Google hides them, and then events are
// lost unseen.
func (GA4) Refuse(_ *Request, status int, err *weir.Error) Response {
	if status == http.StatusBadRequest {
		return Response{Status: http.StatusNoContent}
	}
	return Response{Status: status, ContentType: "text/plain; charset=utf-8", Body: []byte(err.Message)}
}

var ga4s = sync.Pool{New: func() any { return new(ga4) }}

// ga4 reads one request.
type ga4 struct {
	draft
	outer ga4Outer
	event ga4Event
}

// ga4Outer is what a request says of all of its events.
type ga4Outer struct {
	texts      [fieldCount]string
	screen     string
	model      string
	events     int // where they begin; 0 is nowhere
	properties int // where the user's begin
	us         int64
	timed      bool
	client     bool
}

// ga4Event is what an event says that is no field yet.
type ga4Event struct {
	params                                    int // where they begin
	name, transaction                         span
	value                                     int // where it stands
	us                                        int64
	timed                                     bool
	screenName, screen, session, sessionOlder span
}

func (g *ga4) sent(r *Request) (*Decoded, error) {
	g.open(r, r.Body)
	g.limits.Events = min(g.limits.Events, ga4Crowd)
	g.outer = ga4Outer{client: r.Header.Get("Origin") != "" || strings.HasPrefix(r.UserAgent, "Mozilla/")}
	g.body()
	if g.fault == "" {
		if g.space(); g.pos < len(g.data) {
			g.fail("want nothing after the value")
		}
	}
	if g.fault != "" {
		return nil, g.malformed()
	}
	if g.pos = g.outer.events; g.pos > 0 {
		for more := g.begin(']'); more; more = g.more(']') {
			g.item()
		}
	}
	if g.pos = g.outer.properties; g.pos > 0 && g.outer.texts[fieldProfile] != "" {
		g.identify()
	}
	if err := g.tooManyEvents(); err != nil {
		return nil, err
	}
	g.date(0, g.limits.Future)
	return &Decoded{Parts: []Part{g.part(ga4Project(r))}}, nil
}

// body reads all but the events and the user's properties, which are noted.
func (g *ga4) body() {
	o := &g.outer
	if g.peek() != '{' {
		g.fail("want an object")
		return
	}
	g.startItem()
	g.readObject(func(key []byte) {
		switch string(key) {
		case "client_id", "app_instance_id":
			g.outerText(fieldDevice)
		case "user_id":
			g.outerText(fieldProfile)
		case "timestamp_micros":
			o.us, o.timed = g.moment()
		case "ip_override":
			g.outerText(fieldIP)
		case "user_agent":
			g.outerText(fieldUserAgent)
		case "device":
			g.readObject(g.device)
		case "user_location":
			g.readObject(g.location)
		case "user_properties":
			g.position('{', &o.properties)
		case "events":
			g.position('[', &o.events)
		default: // consent, user_data, non_personalized_ads, validation_behavior
			g.skip()
		}
	})
}

// position notes where a value begins that has a bracket, and steps over it.
func (g *ga4) position(bracket byte, at *int) {
	if g.peek() == bracket {
		*at = g.pos
	}
	g.skip()
}

// bounded reads a text that will be a property of all events.
func (g *ga4) bounded() string {
	at := g.truncate(fieldTitle, g.readText())
	return string(g.text[at.from:at.to])
}

// outerText reads a field of all events.
func (g *ga4) outerText(f slot) {
	g.read(f)
	g.outer.texts[f] = string(g.get(f))
}

func (g *ga4) device(key []byte) {
	o := &g.outer
	switch string(key) {
	case "category":
		g.outerText(fieldDeviceType)
		switch kind := strings.ToLower(o.texts[fieldDeviceType]); kind {
		case "mobile":
			o.texts[fieldDeviceType] = weir.DevicePhone
		case "smart tv":
			o.texts[fieldDeviceType] = weir.DeviceTV
		case weir.DeviceTablet, weir.DeviceDesktop, weir.DeviceTV:
			o.texts[fieldDeviceType] = kind
		default:
			o.texts[fieldDeviceType] = ""
		}
	case "language":
		g.outerText(fieldLanguage)
	case "operating_system":
		g.outerText(fieldOS)
	case "operating_system_version":
		g.outerText(fieldOSVersion)
	case "browser":
		g.outerText(fieldBrowser)
	case "browser_version":
		g.outerText(fieldBrowserVersion)
	case "screen_resolution":
		o.screen = g.bounded()
	case "model":
		o.model = g.bounded()
	default:
		g.skip()
	}
}

// location reads a place; that of a region, "US-CA", names the country too.
func (g *ga4) location(key []byte) {
	switch string(key) {
	case "country_id":
		g.outerText(fieldCountry)
	case "region_id":
		g.outerText(fieldRegion)
		if region := g.outer.texts[fieldRegion]; len(region) > 3 && region[2] == '-' && g.outer.texts[fieldCountry] == "" {
			g.outer.texts[fieldCountry] = region[:2]
		}
	case "city":
		g.outerText(fieldCity)
	default:
		g.skip()
	}
}
