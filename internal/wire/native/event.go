package native

import (
	"time"

	weir "github.com/weir-analytics/weir"
	"github.com/weir-analytics/weir/internal/wire"
	"github.com/weir-analytics/weir/internal/wire/item"
)

// fieldKey is a key of an event or of its call.
type fieldKey uint8

const (
	keyID fieldKey = iota
	keyName
	keyTS
	keyProfileID
	keyDeviceID
	keySessionID
	keyURL
	keyPath
	keyReferrer
	keyIP
	keyUserAgent
	keyTitle
	keyLanguage
	keyRevenue
	keyCurrency
	keyLibrary
	keyOrigin
	keyUTMSource
	keyUTMMedium
	keyUTMCampaign
	keyUTMTerm
	keyUTMContent
	keyCountry
	keyRegion
	keyCity
	keyBrowser
	keyBrowserVersion
	keyOS
	keyOSVersion
	keyDeviceType
	keyBot
	keyProperties
	keyGroups
	keyCall
	keyMethod
	keyRoute
	keyStatus
	keyLatency
	keyConsumer
	keyRequestBytes
	keyResponseBytes
	keyError
	keyTraceID
	keyOther // any other key
)

// keyNames are the keys' names in a Detail.
var keyNames = [keyOther]string{
	"id", "name", "ts", "profile_id", "device_id", "session_id", "url", "path", "referrer", "ip",
	"user_agent", "title", "language", "revenue", "currency", "library", "origin",
	"utm_source", "utm_medium", "utm_campaign", "utm_term", "utm_content", "country", "region", "city",
	"browser", "browser_version", "os", "os_version", "device_type", "bot", "properties", "groups", "call",
	"call.method", "call.route", "call.status", "call.latency_ms", "call.consumer",
	"call.request_bytes", "call.response_bytes", "call.error", "call.trace_id",
}

// eventKey returns the key of an event. Keys are case-sensitive.
func eventKey(key []byte) fieldKey {
	switch string(key) {
	case "id":
		return keyID
	case "name":
		return keyName
	case "ts":
		return keyTS
	case "profile_id":
		return keyProfileID
	case "device_id":
		return keyDeviceID
	case "session_id":
		return keySessionID
	case "url":
		return keyURL
	case "path":
		return keyPath
	case "referrer":
		return keyReferrer
	case "ip":
		return keyIP
	case "user_agent":
		return keyUserAgent
	case "title":
		return keyTitle
	case "language":
		return keyLanguage
	case "revenue":
		return keyRevenue
	case "currency":
		return keyCurrency
	case "library":
		return keyLibrary
	case "origin":
		return keyOrigin
	case "utm_source":
		return keyUTMSource
	case "utm_medium":
		return keyUTMMedium
	case "utm_campaign":
		return keyUTMCampaign
	case "utm_term":
		return keyUTMTerm
	case "utm_content":
		return keyUTMContent
	case "country":
		return keyCountry
	case "region":
		return keyRegion
	case "city":
		return keyCity
	case "browser":
		return keyBrowser
	case "browser_version":
		return keyBrowserVersion
	case "os":
		return keyOS
	case "os_version":
		return keyOSVersion
	case "device_type":
		return keyDeviceType
	case "bot":
		return keyBot
	case "properties":
		return keyProperties
	case "groups":
		return keyGroups
	case "call":
		return keyCall
	}
	return keyOther
}

// callKey returns the key of a call.
func callKey(key []byte) fieldKey {
	switch string(key) {
	case "method":
		return keyMethod
	case "route":
		return keyRoute
	case "status":
		return keyStatus
	case "latency_ms":
		return keyLatency
	case "consumer":
		return keyConsumer
	case "request_bytes":
		return keyRequestBytes
	case "response_bytes":
		return keyResponseBytes
	case "error":
		return keyError
	case "trace_id":
		return keyTraceID
	}
	return keyOther
}

// event has what was read of an event.
type event struct {
	seen    uint64              // keys, as bits
	texts   [keyOther]item.Span // by key
	time    int64               // unix microseconds
	revenue weir.Number
	bot     bool
	called  bool // has a call that is not null
	status  int
	latency weir.Number // milliseconds

	requestBytes, responseBytes weir.Number
}

// startItem begins an event at the cursor.
func (n *decoder) startItem() {
	n.NextItem()
	n.event = event{time: n.Now}
}

// entry reads the value of one key of an event or a call. It skips unknown keys, and
// everything after a defect.
func (n *decoder) entry(k fieldKey) {
	n.CheckSize()
	if k == keyOther || n.HasDefect() {
		n.Skip()
		return
	}
	e, l, name := &n.event, &n.Limits, keyNames[k]
	if e.seen&(1<<k) != 0 {
		n.Defect(wire.ReasonDuplicateKey, name)
		n.Skip()
		return
	}
	e.seen |= 1 << k
	switch k {
	case keyID, keyProfileID, keyDeviceID, keySessionID, keyTraceID:
		e.texts[k] = n.id(name)
	case keyName:
		e.texts[k] = n.string(name, l.Name, wire.ReasonNameTooLong)
	case keyURL, keyReferrer:
		e.texts[k] = n.string(name, l.URL, wire.ReasonStringTooLong)
	case keyTS:
		e.time = n.instant(name)
	case keyRevenue:
		e.revenue = n.number(name)
	case keyCurrency:
		e.texts[k] = n.string(name, l.String, wire.ReasonStringTooLong)
		n.currency(name, e.texts[k])
	case keyCountry:
		e.texts[k] = n.string(name, l.String, wire.ReasonStringTooLong)
		n.country(name, e.texts[k])
	case keyDeviceType:
		e.texts[k] = n.string(name, l.String, wire.ReasonStringTooLong)
		n.deviceType(name, e.texts[k])
	case keyBot:
		e.bot = n.flag(name)
	case keyProperties:
		n.object(name)
	case keyGroups:
		e.texts[k] = n.groups(name)
	case keyCall:
		n.call(name)
	case keyStatus:
		e.status = n.status(name)
	case keyLatency:
		if e.latency = n.number(name); e.latency.Value < 0 {
			n.Defect(wire.ReasonNumber, name+": want 0 or more")
		}
	case keyRequestBytes:
		e.requestBytes = n.size(name)
	case keyResponseBytes:
		e.responseBytes = n.size(name)
	case keyError: // its beginning is stored, so a long one is no defect
		e.texts[k] = n.string(name, l.Event, wire.ReasonStringTooLong)
	default:
		e.texts[k] = n.string(name, l.String, wire.ReasonStringTooLong)
	}
}

// call reads the object of a call; null is none.
func (n *decoder) call(name string) {
	if n.Null() {
		return
	}
	if n.Peek() != '{' {
		n.wrongType(name, "an object")
		return
	}
	n.event.called = true
	for more := n.Begin('}'); more; more = n.More('}') {
		if key, ok := n.Key(); ok {
			n.entry(callKey(key))
		}
	}
}

// finish checks the event as a whole, after its last byte was read.
func (n *decoder) finish() {
	n.CheckSize()
	if n.HasDefect() {
		return
	}
	e := &n.event
	switch name := n.Text(e.texts[keyName]); {
	case len(name) == 0 && !e.called:
		n.Defect(wire.ReasonNameMissing, "")
	case len(name) == 0, string(name) == weir.NameCall:
		e.called = true
	case e.called:
		n.Defect(wire.ReasonCallElsewhere, "")
	}
}

// fill writes the event that was read to in, which is zero.
func (n *decoder) fill(in *weir.Incoming) {
	e, texts := &n.event, n.Texts()
	get := func(k fieldKey) string { return texts.At(e.texts[k]) }
	if e.seen&derivedKeys != 0 {
		e.fillDerived(&in.Event, get)
	}
	in.Source = weir.Source{
		URL:       get(keyURL),
		Referrer:  get(keyReferrer),
		IP:        get(keyIP),
		UserAgent: get(keyUserAgent),
	}
	ev := &in.Event
	ev.ID = get(keyID)
	ev.Name = get(keyName)
	ev.Time = time.UnixMicro(e.time).UTC()
	ev.ProfileID = get(keyProfileID)
	ev.DeviceID = get(keyDeviceID)
	ev.SessionID = get(keySessionID)
	ev.Path = get(keyPath)
	ev.Title = get(keyTitle)
	ev.Language = get(keyLanguage)
	ev.Library = get(keyLibrary)
	ev.Revenue = e.revenue
	ev.Currency = get(keyCurrency)
	ev.Properties = withGroups(n.CopyProperties(), n.Text(e.texts[keyGroups]))
	if e.called {
		ev.Name = weir.NameCall
		ev.Call = &weir.Call{
			Method:    get(keyMethod),
			Route:     get(keyRoute),
			Status:    e.status,
			LatencyMS: e.latency,
			Consumer:  get(keyConsumer),

			RequestBytes:  e.requestBytes,
			ResponseBytes: e.responseBytes,
			Error:         weir.CutError(get(keyError)),
			TraceID:       get(keyTraceID),
		}
	}
}
