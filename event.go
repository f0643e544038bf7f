// Package weir holds the domain: events, projects, visits, insights and errors.
//
// It imports only the standard library; everything else imports it.
package weir

import (
	"encoding/json"
	"time"
)

// Names of events that Weir itself gives a meaning to. Any other name is the
// project's own.
const (
	NameScreenView   = "screen_view"   // a page or screen came up
	NameScreenLeave  = "screen_leave"  // the visitor left it; closes its page time
	NameSessionStart = "session_start" // reserved for SDKs that announce a visit
	NameFirstVisit   = "first_visit"   // of Google's: somebody's first visit of a site
	NameFirstOpen    = "first_open"    // of Google's: the same of an app
	NameSessionEnd   = "session_end"   // ends the device's open visit
	NameCall         = "api_call"      // an API request; carries Event.Call
	NameIdentify     = "identify"      // links the device to a profile
	NameGroup        = "group"         // says what is known of a company, a team …
)

// Event is one thing that happened. Strings that are unknown are empty.
type Event struct {
	ID         string    // the sender's id, or a UUIDv7 that Weir made
	ProjectID  string    // the project that it belongs to
	Name       string    // 1 to 255 bytes
	Time       time.Time // when it happened, UTC, microseconds
	ReceivedAt time.Time // when Weir took it, UTC, microseconds

	ProfileID string // the identified user
	DeviceID  string // the anonymous browser or machine
	SessionID string // the visit, when the SDK names it itself
	// Roams says that the sender named the event's id and no device: the DeviceID is of the request or of
	// the session, and a retry may come with another.
	Roams bool `json:"-"`

	Path     string // path of the page, without query
	Origin   string // scheme://host[:port] of the page
	Title    string // title of the page
	Referrer string // host of the page that led here, without "www."
	Channel  string // one of the Channel constants

	UTMSource, UTMMedium, UTMCampaign, UTMTerm, UTMContent string

	Country string // ISO 3166-1 alpha-2
	Region  string
	City    string

	Browser, BrowserVersion string
	OS, OSVersion           string
	DeviceType              string // one of the Device constants
	Bot                     bool   // sent by a known crawler or script
	Language                string // BCP 47, as the browser's first preference
	Library                 string // the SDK and its version, "name/version"
	ImportID                string // the import that brought it, "" for none

	Call *Call // set on NameCall, else nil

	Revenue  Number // in Currency
	Currency string // ISO 4217

	Properties json.RawMessage // a JSON object in compact form, or nil
}

// Texts returns the event's text fields, without those of its call. The order is part of
// the stored form of the hot tier: add at the end only.
func (e *Event) Texts() [28]*string {
	return [...]*string{
		&e.ID, &e.ProjectID, &e.Name, &e.ProfileID, &e.DeviceID, &e.SessionID,
		&e.Path, &e.Origin, &e.Title, &e.Referrer, &e.Channel,
		&e.UTMSource, &e.UTMMedium, &e.UTMCampaign, &e.UTMTerm, &e.UTMContent,
		&e.Country, &e.Region, &e.City, &e.Browser, &e.BrowserVersion,
		&e.OS, &e.OSVersion, &e.DeviceType, &e.Language, &e.Library, &e.Currency,
		&e.ImportID,
	}
}

// Call is what an api_call event says of the request.
type Call struct {
	Method    string // GET, POST, …
	Route     string // the route's pattern, or the path
	Status    int    // HTTP status, 100 to 599; 0 is unknown
	LatencyMS Number // milliseconds
	Consumer  string // who called: a customer, a key's name

	RequestBytes  Number // size of the request's body; a whole number
	ResponseBytes Number // size of the response's body; a whole number
	Error         string // why the call failed, at most MaxError bytes; "" is unknown or none
	TraceID       string // of the distributed trace, as the tracer writes it
}

// MaxBytes is the most that RequestBytes and ResponseBytes can be: what a double holds exactly.
const MaxBytes = 1 << 53

// QuarterSeconds is the length of a quarter of an hour.
const QuarterSeconds = 15 * 60

// Quarter returns the number of quarters of an hour from 1970 to a time. Hours and days of
// all current timezones begin at the start of a quarter.
func Quarter(t time.Time) int32 {
	s := t.Unix()
	q := s / QuarterSeconds
	if s%QuarterSeconds < 0 {
		q--
	}
	return int32(q)
}

// Person returns who an event counts for before links are known: "u" + profile id, or "d"
// + device id if there is no profile, or "" if there is neither.
func Person(profile, device string) string {
	switch {
	case profile != "":
		return "u" + profile
	case device != "":
		return "d" + device
	}
	return ""
}

// IsScreenView says whether the event shows a page or a screen.
func (e *Event) IsScreenView() bool { return e.Name == NameScreenView }

// IsInteractive says whether the event is the visitor's own doing beyond
// looking at a page: it keeps a visit from being a bounce.
func (e *Event) IsInteractive() bool {
	switch e.Name {
	case NameScreenView, NameScreenLeave, NameSessionStart, NameFirstVisit, NameFirstOpen, NameSessionEnd, NameCall, NameIdentify, NameGroup:
		return false
	}
	return true
}

// Source is what an event came with that enrichment reads and Weir does not
// store.
type Source struct {
	URL       string // the page's full address
	Referrer  string // the full referrer
	IP        string // the visitor's address, when the sender says it; else the peer's
	UserAgent string
	// Remote says that IP and UserAgent are the sending request's own rather
	// than named by the event.
	Remote bool
	// Reported says that a server tells of a call that it served, as a span:
	// the event gets no derived device and nothing of the sending request,
	// though IP and UserAgent, where it names them, are the caller's.
	Reported bool
	// Named says that the client names its visitor by a session and a profile where it names no
	// device: the event's device is that of its session, else the profile. It never comes from the
	// address, which changes when a phone leaves a wifi.
	Named bool
	// Client says that the visitor's own machine sent the request: what the event
	// does not say of address and user agent, the request does.
	Client bool
}

// Incoming is a decoded event on its way in, before enrichment.
type Incoming struct {
	Event  Event
	Source Source
	Index  int // position in the request, from 0
}

// Channels, by which a visitor came (numbers: utm_medium first, then referrer).
const (
	ChannelDirect   = "direct"
	ChannelSearch   = "search"
	ChannelSocial   = "social"
	ChannelEmail    = "email"
	ChannelPaid     = "paid"
	ChannelReferral = "referral"
	ChannelAI       = "ai"
	ChannelSpam     = "referrer_spam" // of bots only: the referrer is spam
)

// Device types.
const (
	DevicePhone   = "phone"
	DeviceTablet  = "tablet"
	DeviceDesktop = "desktop"
	DeviceTV      = "tv"
)

// Rejection says why the event at an index of a request was not taken. Reason
// is a stable word, the same that the metric carries; Detail is for people.
type Rejection struct {
	Index  int    `json:"index"`
	Reason string `json:"reason"`
	Detail string `json:"detail,omitempty"`
}
