package wire

import (
	"math"

	weir "github.com/weir-analytics/weir"
)

// item reads the event at pos.
func (g *ga4) item() {
	g.startItem()
	g.event = ga4Event{}
	e := &g.event
	if g.peek() != '{' {
		g.defect(ReasonNotObject, "")
		g.skip()
		g.finishItem()
		return
	}
	g.shared()
	g.readObject(func(key []byte) {
		g.measure()
		switch string(key) {
		case "name":
			e.name = g.readText()
		case "timestamp_micros":
			e.us, e.timed = g.moment()
		case "params":
			g.position('{', &e.params)
		default:
			g.skip()
		}
	})
	if g.fault != "" {
		return
	}
	end := g.pos
	g.at[fieldName] = g.truncate(fieldName, e.name)
	if g.pos = e.params; g.pos > 0 && g.reason == "" {
		g.readProperties(g.param)
	}
	g.finish()
	g.pos = end
	g.finishItem()
}

// shared fills in what the request says of all of its events.
func (g *ga4) shared() {
	o := &g.outer
	for f, text := range o.texts {
		if text != "" {
			g.put(slot(f), text)
		}
	}
	g.put(fieldLibrary, "ga4")
	g.client, g.reported = o.client, !o.client
	g.stamp = stamp{us: o.us, given: o.timed, exact: true}
}

// param reads what of an event's parameters is a field.
func (g *ga4) param(key []byte) bool {
	e := &g.event
	switch string(key) {
	case "page_location":
		g.read(fieldURL)
	case "page_path":
		g.read(fieldPath)
	case "page_referrer":
		g.read(fieldReferrer)
	case "page_title":
		g.read(fieldTitle)
	case "language":
		g.read(fieldLanguage)
	case "screen_resolution":
		e.screen = g.readText()
	case "session_id":
		e.session = g.readText()
	case "ga_session_id":
		e.sessionOlder = g.readText()
	case "ga_session_number", "session_number", "debug_mode", "engaged_session_event":
		g.skip()
	case "screen_name", "firebase_screen":
		at := g.pos
		e.screenName = g.readText()
		g.pos = at
		return false
	case "transaction_id":
		at := g.pos
		e.transaction = g.readText()
		g.pos = at
		return false
	case "value":
		e.value = g.pos
		return GA4Sign(string(g.get(fieldName))) != 0 && g.skip()
	case "currency":
		begin := g.pos
		g.read(fieldCurrency)
		if g.money(); !g.has(fieldCurrency) && g.fault == "" {
			g.pos = begin
			return false
		}
	case "campaign":
		return g.campaigned(fieldUTMCampaign)
	case "source":
		return g.campaigned(fieldUTMSource)
	case "medium":
		return g.campaigned(fieldUTMMedium)
	case "term":
		return g.campaigned(fieldUTMTerm)
	case "content":
		return g.campaigned(fieldUTMContent)
	default:
		return false
	}
	return true
}

// campaigned reads a part of a campaign, where the event tells of one.
func (g *ga4) campaigned(f slot) bool {
	if string(g.get(fieldName)) != "campaign_details" {
		return false
	}
	g.read(f)
	return true
}

// finish makes fields of what was noted.
func (g *ga4) finish() {
	e := &g.event
	text := func(at span) []byte { return g.text[at.from:at.to] }
	if e.timed {
		g.stamp = stamp{us: e.us, given: true, exact: true}
	}
	if sign := GA4Sign(string(g.get(fieldName))); sign != 0 && e.value > 0 {
		g.pos = e.value
		sum, ok := g.amount()
		if g.revenue = sign * math.Abs(sum); sign > 0 {
			g.revenue = sum
		}
		if g.revenue == 0 {
			g.revenue = 0 // not -0
		}
		if g.pos = e.value; !ok && g.absent("value") {
			g.keep("value")
		}
	}
	if at := e.session; at.to > at.from {
		g.at[fieldSession] = g.truncate(fieldSession, at)
	} else if at = e.sessionOlder; at.to > at.from {
		g.at[fieldSession] = g.truncate(fieldSession, at)
	}
	g.put(fieldName, GA4Name(string(g.get(fieldName))))
	switch string(g.get(fieldName)) {
	case weir.NameScreenView:
		if at := e.screenName; at.to > at.from && !g.has(fieldURL) && !g.has(fieldPath) {
			g.at[fieldPath] = g.truncate(fieldPath, at)
			if !g.has(fieldTitle) {
				g.at[fieldTitle] = g.truncate(fieldTitle, at)
			}
		}
	case "purchase":
		// The same purchase twice is one, as in Google's reports.
		if e.transaction.to > e.transaction.from {
			g.put(fieldID, "purchase.", string(g.get(fieldDevice)), ".", string(text(e.transaction)))
		}
	}
	screen := text(e.screen)
	if len(screen) == 0 {
		screen = []byte(g.outer.screen)
	}
	g.keepFirst("screen", screen)
	g.keepFirst("context_device_model", []byte(g.outer.model))
}

// identify makes an event of the user's properties, {"plan":{"value":"pro"}}.
func (g *ga4) identify() {
	g.startItem()
	g.event = ga4Event{}
	g.shared()
	g.put(fieldName, weir.NameIdentify)
	g.openProperties()
	for more := g.begin('}'); more; more = g.more('}') {
		g.measure()
		begin := g.pos
		if _, ok := g.field(); !ok {
			return
		}
		value := g.pos
		if g.peek() == '{' {
			value = 0
			g.readObject(func(key []byte) {
				if string(key) == "value" {
					value = g.pos
				}
				g.skip()
			})
		} else {
			g.skip()
		}
		end := g.pos
		if value > 0 && g.reason == "" {
			g.pos = begin
			g.property(value)
			g.pos = end
		}
	}
	if g.fault == "" {
		g.finishItem()
	}
}
