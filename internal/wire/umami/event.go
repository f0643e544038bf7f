package umami

import (
	"bytes"

	weir "github.com/weir-analytics/weir"
	"github.com/weir-analytics/weir/internal/wire/item"
)

// itemKind is what Weir does with an item.
type itemKind uint8

const (
	kindUnknown itemKind = iota
	kindEvent
	kindUnsupported
)

// event has what was read of an item, besides the fields of the Builder.
type event struct {
	kind     itemKind
	identify bool
	unkept   string // the type of an item that Weir does not store
	wrong    string // what is wrong with the item as a whole

	payload  bool      // there is one
	site     item.Span // the website
	hostname item.Span
	screen   item.Span
	tag      item.Span
	dataID   item.Span // the id among the data
}

// item reads the item at the cursor: {"type","payload"}.
func (u *decoder) item() {
	u.StartItem()
	u.event = event{}
	u.Client = true
	if u.Peek() != '{' {
		u.Skip()
		u.wrong = "want an object of type and payload"
		u.website(nil)
		return
	}
	for more := u.Begin('}'); more; more = u.More('}') {
		key, ok := u.Key()
		switch {
		case !ok:
		case string(key) == "type":
			u.typed(string(u.ReadBrief()))
		case string(key) == "payload" && u.Peek() == '{' && !u.payload:
			u.payload = true
			for more := u.Begin('}'); more; more = u.More('}') {
				if key, ok := u.Key(); ok {
					u.entry(string(key))
				}
			}
		default:
			u.Skip()
		}
	}
	if u.Failed() {
		return
	}
	site := u.Text(u.site)
	u.website(site)
	switch {
	case !u.payload:
		u.wrong = "payload: is required"
	case u.kind == kindUnknown:
		u.wrong = "type: want event or identify"
	case len(site) == 0:
		u.wrong = "website: is required"
	case u.kind == kindEvent:
		u.setMeaning()
	}
}

func (u *decoder) typed(kind string) {
	switch kind {
	case "event":
		u.kind = kindEvent
	case "identify":
		u.kind, u.identify = kindEvent, true
	case "performance", "engagement", "error":
		u.kind, u.unkept = kindUnsupported, kind
	case "record":
		u.kind, u.unkept = kindUnsupported, "replay"
	case "heatmap":
		u.kind, u.unkept = kindUnsupported, kind
	}
}

func (u *decoder) entry(key string) {
	u.CheckSize()
	switch key {
	case "website":
		u.site = u.ReadText()
	case "hostname":
		u.hostname = u.Truncate(item.Origin, u.ReadText())
	case "url":
		u.Read(item.URL)
	case "referrer":
		u.Read(item.Referrer)
	case "title":
		u.Read(item.Title)
	case "language":
		u.Read(item.Language)
	case "screen":
		u.screen = u.Truncate(item.Title, u.ReadText())
	case "tag":
		u.tag = u.Truncate(item.Title, u.ReadText())
	case "name":
		u.Read(item.Name)
	case "id":
		u.Read(item.Profile)
	case "timestamp":
		u.ReadTime()
	case "ip":
		u.Read(item.IP)
	case "userAgent":
		u.Read(item.UserAgent)
	case "browser":
		u.Read(item.Browser)
	case "os":
		u.Read(item.OS)
	case "device":
		u.device()
	case "data":
		u.ReadProperties(u.consumeData)
	default:
		u.Skip()
	}
}

// device reads the type of the visitor's device.
func (u *decoder) device() {
	switch string(u.ReadBrief()) {
	case "desktop", "laptop":
		u.Put(item.DeviceType, weir.DeviceDesktop)
	case "mobile":
		u.Put(item.DeviceType, weir.DevicePhone)
	case "tablet":
		u.Put(item.DeviceType, weir.DeviceTablet)
	}
}

// consumeData reads a property that Weir has a field for.
func (u *decoder) consumeData(key []byte) bool {
	switch string(key) {
	case "revenue":
		if c := u.Peek(); c != '"' && c != '-' && c-'0' > 9 {
			return false
		}
		return u.Try(func() bool {
			f, ok := u.ReadDecimal()
			if ok {
				u.Revenue = weir.Known(f)
			}
			return ok
		})
	case "currency":
		if u.Peek() == '"' && !u.Has(item.Currency) {
			u.Read(item.Currency)
			return true
		}
	case "id":
		if c := u.Peek(); c == '"' || c-'0' <= 9 {
			u.dataID = u.Truncate(item.Profile, u.PeekText()) // it stays a property
		}
	}
	return false
}

// setMeaning sets name, revenue, page and library.
func (u *decoder) setMeaning() {
	switch {
	case u.identify:
		u.Put(item.Name, weir.NameIdentify)
		if !u.Has(item.Profile) {
			u.Set(item.Profile, u.dataID)
		}
	case !u.Has(item.Name):
		u.Put(item.Name, weir.NameScreenView)
	}
	u.setRevenue()
	u.setPage()
	if !u.identify { // its properties are traits
		u.keepNew("screen", u.screen)
		u.keepNew("tag", u.tag)
	}
	if !u.server {
		u.Put(item.Library, "umami")
		return
	}
	u.Put(item.Library, "umami-node")
	u.Client = false // the request's agent is the SDK's, its address the server's
	u.Reported = !u.Has(item.IP) && !u.Has(item.UserAgent)
}

// setRevenue drops a currency without a revenue. Traits with these names are no payment: they
// stay traits.
func (u *decoder) setRevenue() {
	if u.Revenue.Known && !u.identify {
		u.CheckCurrency()
		return
	}
	if u.Revenue.Known {
		if u.Absent("revenue") {
			u.KeepNumber("revenue", u.Revenue.Value)
		}
		u.Revenue = weir.Number{}
	}
	if !u.Has(item.Currency) {
		return
	}
	if u.Absent("currency") {
		u.KeepText("currency", u.Get(item.Currency))
	}
	u.Clear(item.Currency)
}

// setPage sets the URL from hostname and url, which is often only a path. If the fragment is
// a path, it names the page.
func (u *decoder) setPage() {
	url, host := u.Get(item.URL), u.Text(u.hostname)
	if _, route, ok := bytes.Cut(url, []byte("#")); ok && (bytes.HasPrefix(route, []byte("/")) || bytes.HasPrefix(route, []byte("!/"))) {
		if path := item.HashPath(nil, url); path != nil {
			u.Put(item.Path, string(path))
			url, host = u.Get(item.URL), u.Text(u.hostname)
		}
	}
	switch {
	case len(host) == 0 || bytes.Contains(url, []byte("://")) && !bytes.HasPrefix(url, []byte("/")):
	case len(url) == 0:
		u.Put(item.Origin, "https://", string(host))
	case url[0] == '/' || url[0] == '?' || url[0] == '#':
		between := ""
		if url[0] != '/' {
			between = "/"
		}
		u.Put(item.URL, "https://", string(host), between, string(url))
	}
}

// keepNew stores a text as a property, unless the property exists.
func (u *decoder) keepNew(name string, at item.Span) {
	if !at.Empty() && u.Absent(name) {
		u.KeepText(name, u.Text(at))
	}
}
