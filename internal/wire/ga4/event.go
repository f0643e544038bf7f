package ga4

import (
	"math"

	weir "github.com/weir-analytics/weir"
	"github.com/weir-analytics/weir/internal/wire"
	"github.com/weir-analytics/weir/internal/wire/item"
)

// item reads the event at pos.
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
	g.shared()
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
	if g.Fault != "" {
		return
	}
	end := g.Pos
	g.At[item.Name] = g.Truncate(item.Name, e.name)
	if g.Pos = e.params; g.Pos > 0 && g.Reason == "" {
		g.ReadProperties(g.param)
	}
	g.finish()
	g.Pos = end
	g.FinishItem()
}

// shared fills in what the request says of all of its events.
func (g *decoder) shared() {
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

// param reads what of an event's parameters is a field.
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
		at := g.Pos
		e.screenName = g.ReadText()
		g.Pos = at
		return false
	case "transaction_id":
		at := g.Pos
		e.transaction = g.ReadText()
		g.Pos = at
		return false
	case "value":
		e.value = g.Pos
		return RevenueSign(string(g.Get(item.Name))) != 0 && g.Skip()
	case "currency":
		begin := g.Pos
		g.Read(item.Currency)
		if g.CheckCurrency(); !g.Has(item.Currency) && g.Fault == "" {
			g.Pos = begin
			return false
		}
	case "campaign":
		return g.campaigned(item.UTMCampaign)
	case "source":
		return g.campaigned(item.UTMSource)
	case "medium":
		return g.campaigned(item.UTMMedium)
	case "term":
		return g.campaigned(item.UTMTerm)
	case "content":
		return g.campaigned(item.UTMContent)
	default:
		return false
	}
	return true
}

// campaigned reads a part of a campaign, where the event tells of one.
func (g *decoder) campaigned(f item.Field) bool {
	if string(g.Get(item.Name)) != "campaign_details" {
		return false
	}
	g.Read(f)
	return true
}

// finish makes fields of what was noted.
func (g *decoder) finish() {
	e := &g.event
	text := func(at item.Span) []byte { return g.Text[at.From:at.To] }
	if e.timed {
		g.Stamp = item.Stamp{Micros: e.us, Given: true, Exact: true}
	}
	if sign := RevenueSign(string(g.Get(item.Name))); sign != 0 && e.value > 0 {
		g.Pos = e.value
		sum, ok := g.ReadAmount()
		if g.Revenue = sign * math.Abs(sum); sign > 0 {
			g.Revenue = sum
		}
		if g.Revenue == 0 {
			g.Revenue = 0 // not -0
		}
		if g.Pos = e.value; !ok && g.Absent("value") {
			g.Keep("value")
		}
	}
	if at := e.session; at.To > at.From {
		g.At[item.Session] = g.Truncate(item.Session, at)
	} else if at = e.sessionOlder; at.To > at.From {
		g.At[item.Session] = g.Truncate(item.Session, at)
	}
	g.Put(item.Name, Name(string(g.Get(item.Name))))
	switch string(g.Get(item.Name)) {
	case weir.NameScreenView:
		if at := e.screenName; at.To > at.From && !g.Has(item.URL) && !g.Has(item.Path) {
			g.At[item.Path] = g.Truncate(item.Path, at)
			if !g.Has(item.Title) {
				g.At[item.Title] = g.Truncate(item.Title, at)
			}
		}
	case "purchase":
		// The same purchase twice is one, as in Google's reports.
		if e.transaction.To > e.transaction.From {
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

// identify makes an event of the user's properties, {"plan":{"value":"pro"}}.
func (g *decoder) identify() {
	g.StartItem()
	g.event = event{}
	g.shared()
	g.Put(item.Name, weir.NameIdentify)
	g.OpenProperties()
	for more := g.Begin('}'); more; more = g.More('}') {
		g.CheckSize()
		begin := g.Pos
		if _, ok := g.Key(); !ok {
			return
		}
		value := g.Pos
		if g.Peek() == '{' {
			value = 0
			g.ReadObject(func(key []byte) {
				if string(key) == "value" {
					value = g.Pos
				}
				g.Skip()
			})
		} else {
			g.Skip()
		}
		end := g.Pos
		if value > 0 && g.Reason == "" {
			g.Pos = begin
			g.Property(value)
			g.Pos = end
		}
	}
	if g.Fault == "" {
		g.FinishItem()
	}
}
