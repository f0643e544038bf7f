// Package ga4 has the two protocols of Google Analytics 4: the Measurement Protocol of servers,
// and that of gtag.js in pages.
package ga4

import (
	"net/http"
	"strings"
	"sync"

	weir "github.com/weir-analytics/weir"
	"github.com/weir-analytics/weir/internal/wire"
	"github.com/weir-analytics/weir/internal/wire/item"
	"github.com/weir-analytics/weir/internal/wire/jsonscan"
)

// Protocol is the Measurement Protocol of Google Analytics 4, with which servers and
// devices send events, and the protocol of gtag.js.
// Source: developers.google.com/analytics/devguides/collection/protocol/ga4. Google does not
// describe what gtag.js sends; see hit.go.
type Protocol struct{}

const (
	pathDebug = "/debug/mp/collect"
	pathHit   = "/g/collect"
)

// maxEvents bounds the events of a request, each of which gets what the request says of
// all. Google takes 25.
const maxEvents = 1000

// Vendor is the protocol's name.
func (Protocol) Vendor() string { return "ga4" }

// Routes are the addresses of events, and of their validation.
func (Protocol) Routes() []wire.Route {
	return []wire.Route{
		{Method: http.MethodPost, Path: "/mp/collect"},
		{Method: http.MethodPost, Path: pathDebug},
		{Method: http.MethodGet, Path: pathHit, Body: wire.IgnoreBody},
		{Method: http.MethodPost, Path: pathHit},
	}
}

// ProjectNames returns the name in the request's address. gtag.js may also have it in the body.
func (Protocol) ProjectNames(r *wire.Request, text []byte) []string {
	if r.Route.Path == pathHit {
		return []string{r.Query().Get("tid"), measurementIn(text)}
	}
	return []string{projectOf(r)}
}

// Decode reads the events of one device. Those that are to be validated go nowhere.
func (Protocol) Decode(r *wire.Request) (*wire.Decoded, error) {
	g := decoders.Get().(*decoder)
	defer func() {
		g.outer = requestFields{}
		if g.Close() && g.params.poolable() {
			decoders.Put(g)
		}
	}()
	switch r.Route.Path {
	case pathDebug:
		return &wire.Decoded{State: g.validate(r)}, nil
	case pathHit:
		return g.hits(r)
	}
	return g.sent(r)
}

// projectOf is what a request of the Measurement Protocol names its project by: a write key in place of the API
// secret, or else the stream, as the name of a site.
func projectOf(r *wire.Request) string {
	if secret := r.Query().Get("api_secret"); strings.HasPrefix(secret, "wk_") {
		return secret
	}
	if id := r.Query().Get("measurement_id"); id != "" {
		return id
	}
	return r.Query().Get("firebase_app_id")
}

// Answer returns 204 without a body, or for a validation request 200 with what is wrong with
// its events.
func (Protocol) Answer(_ *wire.Request, s *wire.Decoded) wire.Response {
	messages, ok := s.State.(validationMessages)
	if !ok {
		return wire.Response{Status: http.StatusNoContent}
	}
	return wire.Response{Status: http.StatusOK, ContentType: "application/json; charset=utf-8", Body: messages.json()}
}

// Refuse returns 204 for a wrong body, as Google does. An unknown key, and limits of the server,
// keep their status: Google hides these too, but then nobody would notice that events are lost.
func (Protocol) Refuse(_ *wire.Request, status int, err *weir.Error) wire.Response {
	if status == http.StatusBadRequest {
		return wire.Response{Status: http.StatusNoContent}
	}
	return wire.Response{Status: status, ContentType: "text/plain; charset=utf-8", Body: []byte(err.Message)}
}

var decoders = sync.Pool{New: func() any { return new(decoder) }}

// decoder reads one request.
type decoder struct {
	item.Builder
	outer  requestFields
	event  event
	params params // of a hit
}

// requestFields are the fields that all events of a request share.
type requestFields struct {
	texts      [item.FieldCount]string
	screen     string
	model      string
	events     jsonscan.Mark
	properties jsonscan.Mark // of the user
	us         int64
	timed      bool
	client     bool
}

// event has what was read of an event, besides the fields of the Builder.
type event struct {
	params                                    jsonscan.Mark
	name, transaction                         item.Span
	value                                     jsonscan.Mark
	sum                                       float64 // of value, if it is money that was paid
	paid                                      bool
	us                                        int64
	timed                                     bool
	screenName, screen, session, sessionOlder item.Span
}

func (g *decoder) sent(r *wire.Request) (*wire.Decoded, error) {
	g.Open(r, r.Body)
	g.Limits.Events = min(g.Limits.Events, maxEvents)
	g.outer = requestFields{client: fromVisitor(r)}
	if g.body(); !g.End() {
		return nil, g.Malformed()
	}
	g.ReadAt(g.outer.events, func() { g.ReadArray(g.item) })
	if g.outer.texts[item.Profile] != "" {
		g.ReadAt(g.outer.properties, g.identify)
	}
	if err := g.TooManyEvents(); err != nil {
		return nil, err
	}
	g.SetTimes(0, g.Limits.Future)
	return &wire.Decoded{Parts: []wire.Part{g.Part(projectOf(r))}}, nil
}

// fromVisitor reports whether the visitor's own browser sent the request, rather than a server.
func fromVisitor(r *wire.Request) bool {
	return r.Header.Get("Origin") != "" || strings.HasPrefix(r.UserAgent, "Mozilla/")
}

// body reads all but the events and the user's properties, which are noted.
func (g *decoder) body() {
	o := &g.outer
	if g.Peek() != '{' {
		g.Fail("want an object")
		return
	}
	g.StartItem()
	g.ReadObject(func(key []byte) {
		switch string(key) {
		case "client_id", "app_instance_id":
			g.outerText(item.Device)
		case "user_id":
			g.outerText(item.Profile)
		case "timestamp_micros":
			o.us, o.timed = g.Moment()
		case "ip_override":
			g.outerText(item.IP)
		case "user_agent":
			g.outerText(item.UserAgent)
		case "device":
			g.ReadObject(g.device)
		case "user_location":
			g.ReadObject(g.location)
		case "user_properties":
			g.position('{', &o.properties)
		case "events":
			g.position('[', &o.events)
		default: // consent, user_data, non_personalized_ads, validation_behavior
			g.Skip()
		}
	})
}

// position notes the place of a value that has a bracket, and skips it.
func (g *decoder) position(bracket byte, at *jsonscan.Mark) {
	if g.Peek() == bracket {
		*at = g.Mark()
	}
	g.Skip()
}

// bounded reads a text that will be a property of all events.
func (g *decoder) bounded() string {
	return string(item.Truncate(g.ReadBrief(), g.Limits.String))
}

// outerText reads a field of all events.
func (g *decoder) outerText(f item.Field) {
	g.Read(f)
	g.outer.texts[f] = string(g.Get(f))
}

func (g *decoder) device(key []byte) {
	o := &g.outer
	switch string(key) {
	case "category":
		g.outerText(item.DeviceType)
		switch kind := strings.ToLower(o.texts[item.DeviceType]); kind {
		case "mobile":
			o.texts[item.DeviceType] = weir.DevicePhone
		case "smart tv":
			o.texts[item.DeviceType] = weir.DeviceTV
		case weir.DeviceTablet, weir.DeviceDesktop, weir.DeviceTV:
			o.texts[item.DeviceType] = kind
		default:
			o.texts[item.DeviceType] = ""
		}
	case "language":
		g.outerText(item.Language)
	case "operating_system":
		g.outerText(item.OS)
	case "operating_system_version":
		g.outerText(item.OSVersion)
	case "browser":
		g.outerText(item.Browser)
	case "browser_version":
		g.outerText(item.BrowserVersion)
	case "screen_resolution":
		o.screen = g.bounded()
	case "model":
		o.model = g.bounded()
	default:
		g.Skip()
	}
}

// location reads a place; that of a region, "US-CA", names the country too.
func (g *decoder) location(key []byte) {
	switch string(key) {
	case "country_id":
		g.outerText(item.Country)
	case "region_id":
		g.outerText(item.Region)
		if region := g.outer.texts[item.Region]; len(region) > 3 && region[2] == '-' && g.outer.texts[item.Country] == "" {
			g.outer.texts[item.Country] = region[:2]
		}
	case "city":
		g.outerText(item.City)
	default:
		g.Skip()
	}
}
