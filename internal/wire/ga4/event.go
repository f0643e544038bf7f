package ga4

import (
	"math"

	weir "github.com/weir-analytics/weir"
	"github.com/weir-analytics/weir/internal/wire"
	"github.com/weir-analytics/weir/internal/wire/item"
	"github.com/weir-analytics/weir/internal/wire/jsonscan"
)

// item reads the event at the cursor.
func (g *decoder) item() {
	g.StartItem()
	g.event = event{}
	e := &g.event
	if g.Peek() != '{' {
		g.Defect(wire.ReasonNotObject, "")
		g.Skip()
		g.FinishItem()
		return
	}
	g.setShared()
	g.ReadObject(func(key []byte) {
		g.CheckSize()
		switch string(key) {
		case "name":
			e.name = g.ReadText()
		case "timestamp_micros":
			e.us, e.timed = g.Moment()
		case "params":
			g.position('{', &e.params)
		default:
			g.Skip()
		}
	})
	if g.Failed() {
		return
	}
	g.Set(item.Name, e.name)
	if !g.HasDefect() {
		g.ReadAt(e.params, func() { g.ReadProperties(g.param) })
	}
	g.readValue()
	g.finish()
	g.FinishItem()
}

// setShared sets the fields that all events of the request share.
func (g *decoder) setShared() {
	o := &g.outer
	for f, text := range o.texts {
		if text != "" {
			g.Put(item.Field(f), text)
		}
	}
	g.Put(item.Library, "ga4")
	g.Client, g.Reported = o.client, !o.client
	g.Stamp = item.Stamp{Micros: o.us, Given: o.timed, Exact: true}
}

// param reads a parameter that Weir has a field for.
func (g *decoder) param(key []byte) bool {
	e := &g.event
	switch string(key) {
	case "page_location":
		g.Read(item.URL)
	case "page_path":
		g.Read(item.Path)
	case "page_referrer":
		g.Read(item.Referrer)
	case "page_title":
		g.Read(item.Title)
	case "language":
		g.Read(item.Language)
	case "screen_resolution":
		e.screen = g.ReadText()
	case "session_id":
		e.session = g.ReadText()
	case "ga_session_id":
		e.sessionOlder = g.ReadText()
	case "ga_session_number", "session_number", "debug_mode", "engaged_session_event":
		g.Skip()
	case "screen_name", "firebase_screen":
		e.screenName = g.PeekText()
		return false
	case "transaction_id":
		e.transaction = g.PeekText()
		return false
	case "value":
		e.value = g.Mark()
		return RevenueSign(string(g.Get(item.Name))) != 0 && g.Skip()
	case "currency":
		return g.ReadCurrency()
	case "campaign":
		return g.readCampaign(item.UTMCampaign)
	case "source":
		return g.readCampaign(item.UTMSource)
	case "medium":
		return g.readCampaign(item.UTMMedium)
	case "term":
		return g.readCampaign(item.UTMTerm)
	case "content":
		return g.readCampaign(item.UTMContent)
	default:
		return false
	}
	return true
}

// readCampaign reads a part of a campaign, if the event is about one.
func (g *decoder) readCampaign(f item.Field) bool {
	if string(g.Get(item.Name)) != "campaign_details" {
		return false
	}
	g.Read(f)
	return true
}

// readValue reads the noted value of an event that brings money. A value that is no sum
// stays a property.
func (g *decoder) readValue() {
	e := &g.event
	if RevenueSign(string(g.Get(item.Name))) == 0 || !e.value.IsSet() {
		return
	}
	g.ReadAt(e.value, func() { e.sum, e.paid = g.ReadAmount() })
	if !e.paid && g.Absent("value") {
		g.ReadAt(e.value, func() { g.Keep("value") })
	}
}

// finish sets fields from what was noted.
func (g *decoder) finish() {
	e := &g.event
	text := func(at item.Span) []byte { return g.Text(at) }
	if e.timed {
		g.Stamp = item.Stamp{Micros: e.us, Given: true, Exact: true}
	}
	if e.paid {
		g.Revenue = weir.Known(e.sum)
		if RevenueSign(string(g.Get(item.Name))) < 0 {
			g.Revenue = weir.Known(-math.Abs(e.sum))
		}
	}
	if at := e.session; !at.Empty() {
		g.Set(item.Session, at)
	} else if at = e.sessionOlder; !at.Empty() {
		g.Set(item.Session, at)
	}
	g.Put(item.Name, Name(string(g.Get(item.Name))))
	switch string(g.Get(item.Name)) {
	case weir.NameScreenView:
		if at := e.screenName; !at.Empty() && !g.Has(item.URL) && !g.Has(item.Path) {
			g.Set(item.Path, at)
			if !g.Has(item.Title) {
				g.Set(item.Title, at)
			}
		}
	case "purchase":
		// A purchase that is sent twice counts once, as in Google's reports.
		if !e.transaction.Empty() {
			g.Put(item.ID, "purchase.", string(g.Get(item.Device)), ".", string(text(e.transaction)))
		}
	}
	screen := text(e.screen)
	if len(screen) == 0 {
		screen = []byte(g.outer.screen)
	}
	g.KeepFirst("screen", screen)
	g.KeepFirst("context_device_model", []byte(g.outer.model))
}

// identify adds an event for the user's properties, {"plan":{"value":"pro"}}.
func (g *decoder) identify() {
	g.StartItem()
	g.event = event{}
	g.setShared()
	g.Put(item.Name, weir.NameIdentify)
	g.OpenProperties()
	for more := g.Begin('}'); more; more = g.More('}') {
		g.CheckSize()
		begin := g.Mark()
		if _, ok := g.Key(); !ok {
			return
		}
		value := g.Mark()
		if g.Peek() == '{' {
			value = jsonscan.Mark{}
			g.ReadObject(func(key []byte) {
				if string(key) == "value" {
					value = g.Mark()
				}
				g.Skip()
			})
		} else {
			g.Skip()
		}
		if value.IsSet() && !g.HasDefect() {
			g.ReadAt(begin, func() { g.KeepAt(begin, value) })
		}
	}
	if !g.Failed() {
		g.FinishItem()
	}
}
