package wire

import (
	"time"

	weir "github.com/weir-analytics/weir"
)

// nativeKey is a key of an event or of its call.
type nativeKey uint8

const (
	nativeID nativeKey = iota
	nativeName
	nativeTS
	nativeProfileID
	nativeDeviceID
	nativeSessionID
	nativeURL
	nativePath
	nativeReferrer
	nativeIP
	nativeUserAgent
	nativeTitle
	nativeLanguage
	nativeRevenue
	nativeCurrency
	nativeLibrary
	nativeOrigin
	nativeUTMSource
	nativeUTMMedium
	nativeUTMCampaign
	nativeUTMTerm
	nativeUTMContent
	nativeCountry
	nativeRegion
	nativeCity
	nativeBrowser
	nativeBrowserVersion
	nativeOS
	nativeOSVersion
	nativeDeviceType
	nativeBot
	nativeProperties
	nativeCall
	nativeMethod
	nativeRoute
	nativeStatus
	nativeLatency
	nativeConsumer
	nativeOther // any other key
)

// nativeNames are the keys' names in a Detail.
var nativeNames = [nativeOther]string{
	"id", "name", "ts", "profile_id", "device_id", "session_id", "url", "path", "referrer", "ip",
	"user_agent", "title", "language", "revenue", "currency", "library", "origin",
	"utm_source", "utm_medium", "utm_campaign", "utm_term", "utm_content", "country", "region", "city",
	"browser", "browser_version", "os", "os_version", "device_type", "bot", "properties", "call",
	"call.method", "call.route", "call.status", "call.latency_ms", "call.consumer",
}

// eventKey knows the keys of an event. Case counts.
func eventKey(key []byte) nativeKey {
	switch string(key) {
	case "id":
		return nativeID
	case "name":
		return nativeName
	case "ts":
		return nativeTS
	case "profile_id":
		return nativeProfileID
	case "device_id":
		return nativeDeviceID
	case "session_id":
		return nativeSessionID
	case "url":
		return nativeURL
	case "path":
		return nativePath
	case "referrer":
		return nativeReferrer
	case "ip":
		return nativeIP
	case "user_agent":
		return nativeUserAgent
	case "title":
		return nativeTitle
	case "language":
		return nativeLanguage
	case "revenue":
		return nativeRevenue
	case "currency":
		return nativeCurrency
	case "library":
		return nativeLibrary
	case "origin":
		return nativeOrigin
	case "utm_source":
		return nativeUTMSource
	case "utm_medium":
		return nativeUTMMedium
	case "utm_campaign":
		return nativeUTMCampaign
	case "utm_term":
		return nativeUTMTerm
	case "utm_content":
		return nativeUTMContent
	case "country":
		return nativeCountry
	case "region":
		return nativeRegion
	case "city":
		return nativeCity
	case "browser":
		return nativeBrowser
	case "browser_version":
		return nativeBrowserVersion
	case "os":
		return nativeOS
	case "os_version":
		return nativeOSVersion
	case "device_type":
		return nativeDeviceType
	case "bot":
		return nativeBot
	case "properties":
		return nativeProperties
	case "call":
		return nativeCall
	}
	return nativeOther
}

// callKey knows the keys of a call.
func callKey(key []byte) nativeKey {
	switch string(key) {
	case "method":
		return nativeMethod
	case "route":
		return nativeRoute
	case "status":
		return nativeStatus
	case "latency_ms":
		return nativeLatency
	case "consumer":
		return nativeConsumer
	}
	return nativeOther
}

// nativeEvent is what was read of an event.
type nativeEvent struct {
	seen    uint64            // keys, as bits
	texts   [nativeOther]span // of reader.text
	time    int64             // unix microseconds
	revenue float64
	bot     bool
	called  bool // has a call that is not null
	status  int
	latency float64 // milliseconds
}

// begun begins an event at pos.
func (n *native) begun() {
	n.next()
	n.event = nativeEvent{time: n.now}
}

// entry reads the value of one key of an event or a call. Unknown keys are
// passed over; so is everything after a defect.
func (n *native) entry(k nativeKey) {
	n.measure()
	if k == nativeOther || n.reason != "" {
		n.skip()
		return
	}
	e, l, name := &n.event, &n.limits, nativeNames[k]
	if e.seen&(1<<k) != 0 {
		n.defect(ReasonDuplicateKey, name)
		n.skip()
		return
	}
	e.seen |= 1 << k
	switch k {
	case nativeID, nativeProfileID, nativeDeviceID, nativeSessionID:
		e.texts[k] = n.id(name)
	case nativeName:
		e.texts[k] = n.string(name, l.Name, ReasonNameTooLong)
	case nativeURL, nativeReferrer:
		e.texts[k] = n.string(name, l.URL, ReasonStringTooLong)
	case nativeTS:
		e.time = n.instant(name)
	case nativeRevenue:
		e.revenue = n.float(name)
	case nativeCurrency:
		e.texts[k] = n.string(name, l.String, ReasonStringTooLong)
		n.currency(name, e.texts[k])
	case nativeCountry:
		e.texts[k] = n.string(name, l.String, ReasonStringTooLong)
		n.country(name, e.texts[k])
	case nativeDeviceType:
		e.texts[k] = n.string(name, l.String, ReasonStringTooLong)
		n.deviceType(name, e.texts[k])
	case nativeBot:
		e.bot = n.flag(name)
	case nativeProperties:
		n.object(name)
	case nativeCall:
		n.call(name)
	case nativeStatus:
		e.status = n.status(name)
	case nativeLatency:
		if e.latency = n.float(name); e.latency < 0 {
			n.defect(ReasonNumber, name+": want 0 or more")
		}
	default:
		e.texts[k] = n.string(name, l.String, ReasonStringTooLong)
	}
}

// call reads the object of a call; null is none.
func (n *native) call(name string) {
	if n.null() {
		return
	}
	if n.peek() != '{' {
		n.wrongType(name, "an object")
		return
	}
	n.event.called = true
	for more := n.begin('}'); more; more = n.more('}') {
		if key, ok := n.field(); ok {
			n.entry(callKey(key))
		}
	}
}

// finish looks at the event as a whole, after its last byte was read.
func (n *native) finish() {
	n.measure()
	if n.reason != "" {
		return
	}
	e := &n.event
	switch name := n.text[e.texts[nativeName].from:e.texts[nativeName].to]; {
	case len(name) == 0 && !e.called:
		n.defect(ReasonNameMissing, "")
	case len(name) == 0, string(name) == weir.NameCall:
		e.called = true
	case e.called:
		n.defect(ReasonCallElsewhere, "")
	}
}

// fill writes the event that was read to in, which is zero.
func (n *native) fill(in *weir.Incoming) {
	e, text := &n.event, string(n.text)
	get := func(k nativeKey) string {
		at := e.texts[k]
		return text[at.from:at.to]
	}
	if e.seen&nativeFollowing != 0 {
		e.follow(&in.Event, get)
	}
	in.Source = weir.Source{
		URL:       get(nativeURL),
		Referrer:  get(nativeReferrer),
		IP:        get(nativeIP),
		UserAgent: get(nativeUserAgent),
	}
	ev := &in.Event
	ev.ID = get(nativeID)
	ev.Name = get(nativeName)
	ev.Time = time.UnixMicro(e.time).UTC()
	ev.ProfileID = get(nativeProfileID)
	ev.DeviceID = get(nativeDeviceID)
	ev.SessionID = get(nativeSessionID)
	ev.Path = get(nativePath)
	ev.Title = get(nativeTitle)
	ev.Language = get(nativeLanguage)
	ev.Library = get(nativeLibrary)
	ev.Revenue = e.revenue
	ev.Currency = get(nativeCurrency)
	ev.Properties = n.owned()
	if e.called {
		ev.Name = weir.NameCall
		ev.Call = &weir.Call{
			Method:    get(nativeMethod),
			Route:     get(nativeRoute),
			Status:    e.status,
			LatencyMS: e.latency,
			Consumer:  get(nativeConsumer),
		}
	}
}
