package wire

import (
	"bytes"

	weir "github.com/weir-analytics/weir"
)

// umamiKind is what an item of Umami's is to Weir.
type umamiKind uint8

const (
	umamiIsUnknown umamiKind = iota
	umamiIsEvent
	umamiIsNotKept
)

// umamiEvent is what an item says beyond a draft's fields.
type umamiEvent struct {
	kind     umamiKind
	identify bool
	unkept   string // the kind of what Weir does not keep
	wrong    string // what is wrong with the item as a whole

	payload  bool // there is one
	site     span // the website
	hostname span
	screen   span
	tag      span
	dataID   span // the id among the data
	paid     bool // the data has a revenue
}

// item reads the item at pos: {"type","payload"}.
func (u *umami) item() {
	u.startItem()
	u.umamiEvent = umamiEvent{}
	u.client = true
	if u.peek() != '{' {
		u.skip()
		u.wrong = "want an object of type and payload"
		u.website(nil)
		return
	}
	for more := u.begin('}'); more; more = u.more('}') {
		key, ok := u.field()
		switch {
		case !ok:
		case string(key) == "type":
			at := u.readText()
			u.typed(string(u.text[at.from:at.to]))
		case string(key) == "payload" && u.peek() == '{' && !u.payload:
			u.payload = true
			for more := u.begin('}'); more; more = u.more('}') {
				if key, ok := u.field(); ok {
					u.entry(string(key))
				}
			}
		default:
			u.skip()
		}
	}
	if u.fault != "" {
		return
	}
	site := u.text[u.site.from:u.site.to]
	u.website(site)
	switch {
	case !u.payload:
		u.wrong = "payload: is required"
	case u.kind == umamiIsUnknown:
		u.wrong = "type: want event or identify"
	case len(site) == 0:
		u.wrong = "website: is required"
	case u.kind == umamiIsEvent:
		u.mean()
	}
}

func (u *umami) typed(kind string) {
	switch kind {
	case "event":
		u.kind = umamiIsEvent
	case "identify":
		u.kind, u.identify = umamiIsEvent, true
	case "performance", "engagement", "error":
		u.kind, u.unkept = umamiIsNotKept, kind
	case "record":
		u.kind, u.unkept = umamiIsNotKept, "replay"
	case "heatmap":
		u.kind, u.unkept = umamiIsNotKept, kind
	}
}

func (u *umami) entry(key string) {
	u.measure()
	switch key {
	case "website":
		u.site = u.readText()
	case "hostname":
		u.hostname = u.truncate(fieldOrigin, u.readText())
	case "url":
		u.read(fieldURL)
	case "referrer":
		u.read(fieldReferrer)
	case "title":
		u.read(fieldTitle)
	case "language":
		u.read(fieldLanguage)
	case "screen":
		u.screen = u.truncate(fieldTitle, u.readText())
	case "tag":
		u.tag = u.truncate(fieldTitle, u.readText())
	case "name":
		u.read(fieldName)
	case "id":
		u.read(fieldProfile)
	case "timestamp":
		u.timed()
	case "ip":
		u.read(fieldIP)
	case "userAgent":
		u.read(fieldUserAgent)
	case "browser":
		u.read(fieldBrowser)
	case "os":
		u.read(fieldOS)
	case "device":
		u.device()
	case "data":
		u.readProperties(u.datum)
	default:
		u.skip()
	}
}

// device reads what kind of device a server says the visitor's is.
func (u *umami) device() {
	at := u.readText()
	switch string(u.text[at.from:at.to]) {
	case "desktop", "laptop":
		u.put(fieldDeviceType, weir.DeviceDesktop)
	case "mobile":
		u.put(fieldDeviceType, weir.DevicePhone)
	case "tablet":
		u.put(fieldDeviceType, weir.DeviceTablet)
	}
}

// datum reads one of the data that Weir has a field for.
func (u *umami) datum(key []byte) bool {
	switch string(key) {
	case "revenue":
		if c := u.peek(); c != '"' && c != '-' && c-'0' > 9 {
			return false
		}
		begin := u.pos
		if f, ok := u.decimal(); ok {
			u.revenue, u.paid = f, true
			return true
		}
		u.pos = begin
	case "currency":
		if u.peek() == '"' && !u.has(fieldCurrency) {
			u.read(fieldCurrency)
			return true
		}
	case "id":
		begin := u.pos
		if c := u.peek(); c == '"' || c-'0' <= 9 {
			u.dataID = u.truncate(fieldProfile, u.readText())
			u.pos = begin // it stays among the data
		}
	}
	return false
}

// mean puts what was read into Weir's words.
func (u *umami) mean() {
	switch {
	case u.identify:
		u.put(fieldName, weir.NameIdentify)
		if !u.has(fieldProfile) {
			u.at[fieldProfile] = u.dataID
		}
	case !u.has(fieldName):
		u.put(fieldName, weir.NameScreenView)
	}
	u.pay()
	u.address()
	if !u.identify { // whose properties are traits
		u.property("screen", u.screen)
		u.property("tag", u.tag)
	}
	if !u.server {
		u.put(fieldLibrary, "umami")
		return
	}
	u.put(fieldLibrary, "umami-node")
	u.client = false // the request's agent is the SDK's, its address the server's
	u.reported = !u.has(fieldIP) && !u.has(fieldUserAgent)
}

// pay settles the currency, which is one only beside a revenue. Traits of these names
// are no payment.
func (u *umami) pay() {
	if u.paid && !u.identify {
		u.money()
		return
	}
	if u.paid && u.absent("revenue") {
		u.keepNumber("revenue", u.revenue)
		u.revenue = 0
	}
	if !u.has(fieldCurrency) {
		return
	}
	if u.absent("currency") {
		u.keepText("currency", u.get(fieldCurrency))
	}
	u.at[fieldCurrency] = span{}
}

// address makes hostname and url, which is often a path only, one address. A fragment
// that is a path names the page, as it does where the address has no other.
func (u *umami) address() {
	url, host := u.get(fieldURL), u.text[u.hostname.from:u.hostname.to]
	if _, route, ok := bytes.Cut(url, []byte("#")); ok && (bytes.HasPrefix(route, []byte("/")) || bytes.HasPrefix(route, []byte("!/"))) {
		if path := hashPath(nil, url); path != nil {
			u.put(fieldPath, string(path))
			url, host = u.get(fieldURL), u.text[u.hostname.from:u.hostname.to]
		}
	}
	switch {
	case len(host) == 0 || bytes.Contains(url, []byte("://")) && !bytes.HasPrefix(url, []byte("/")):
	case len(url) == 0:
		u.put(fieldOrigin, "https://", string(host))
	case url[0] == '/' || url[0] == '?' || url[0] == '#':
		between := ""
		if url[0] != '/' {
			between = "/"
		}
		u.put(fieldURL, "https://", string(host), between, string(url))
	}
}

// property keeps a text that is not among the data already.
func (u *umami) property(name string, at span) {
	if at.to > at.from && u.absent(name) {
		u.keepText(name, u.text[at.from:at.to])
	}
}
