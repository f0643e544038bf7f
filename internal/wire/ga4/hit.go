package ga4

import (
	"bytes"
	"crypto/sha256"
	"math"
	"strconv"

	weir "github.com/weir-analytics/weir"
	"github.com/weir-analytics/weir/internal/wire"
	"github.com/weir-analytics/weir/internal/wire/item"
)

// This file reads what gtag.js sends: parameters in the query, and for several events at once
// a line of parameters each in the body. Google does not document them.
// Sources: thyngster.com/ga4-measurement-protocol-cheatsheet,
// github.com/d8a-tech/d8a (docs, "GA4 gtag"), npm's @minimal-analytics/ga4.

// hitFields are the parameters that Weir has a field for.
var hitFields = map[string]item.Field{
	"cid": item.Device, "uid": item.Profile, "sid": item.Session, "_uip": item.IP,
	"dl": item.URL, "dp": item.Path, "dr": item.Referrer, "dt": item.Title, "ul": item.Language,
	"cs": item.UTMSource, "cm": item.UTMMedium, "cn": item.UTMCampaign, "ck": item.UTMTerm, "ct": item.UTMTerm, "cc": item.UTMContent,
}

// eventFields are the parameters of an event (ep.) that Weir has a field for.
var eventFields = map[string]item.Field{
	"page_location": item.URL, "page_path": item.Path, "page_referrer": item.Referrer, "page_title": item.Title, "language": item.Language,
}

// hitProperties are parameters of Google's own that become properties, under the names that
// the Measurement Protocol has for them.
var hitProperties = map[string]string{"_et": "engagement_time_msec", "tt": "traffic_type", "uam": "context_device_model"}

// hits reads all events of a request.
func (g *decoder) hits(r *wire.Request) (*wire.Decoded, error) {
	g.Open(r, r.Body)
	g.Limits.Events = min(g.Limits.Events, maxEvents)
	g.outer = requestFields{client: fromVisitor(r)}
	g.params.readQuery(r.RawQuery, &g.Limits)
	project := string(item.Truncate(g.params.get("tid"), wire.LongestName))
	for first := true; first || len(g.Rest()) > 0; first = false {
		g.StartItem()
		line := g.Line()
		if len(bytes.TrimSpace(line)) == 0 && !first {
			continue
		}
		g.params.readLine(line, &g.Limits)
		if project == "" {
			project = string(item.Truncate(g.params.get("tid"), wire.LongestName))
		}
		g.hit(first)
		if err := g.TooManyEvents(); err != nil {
			return nil, err
		}
	}
	g.SetTimes(0, g.Limits.Future)
	return &wire.Decoded{Parts: []wire.Part{g.Part(project)}}, nil
}

// hit adds the event of the parameters, and one for the properties of its user. Those in the
// query go with the first event.
func (g *decoder) hit(first bool) {
	g.event = event{}
	if g.params.tooMany {
		g.Defect(wire.ReasonTooMany, "over "+strconv.Itoa(g.Limits.Properties)+" parameters, or too long ones")
		g.FinishItem()
		return
	}
	g.Put(item.Library, "gtag")
	g.Client, g.Reported = g.outer.client, !g.outer.client
	g.SetText(item.Name, g.params.get("en"))
	g.OpenProperties()
	g.params.each(g.hitParam)
	g.keepGoods()
	if string(g.params.get("ir")) == "1" { // ignore_referrer
		g.Clear(item.Referrer)
	}
	if withoutStorage(g.params.get("gcs")) { // the ids are of this page load alone
		g.Clear(item.Device, item.Session)
	}
	g.setSystem()
	g.finish()
	g.setHashID()
	if g.FinishItem() && g.Has(item.Profile) {
		g.identifyHit(first)
	}
}

// hitParam reads a parameter. If it occurs twice, the first one counts.
func (g *decoder) hitParam(name, value []byte) {
	e := &g.event
	if f, ok := hitFields[string(name)]; ok {
		g.setParam(f, name, value)
		return
	}
	if property, ok := hitProperties[string(name)]; ok {
		g.keepParam([]byte(property), value, property == "engagement_time_msec")
		return
	}
	switch string(name) {
	case "sr":
		if e.screen.Empty() {
			e.screen = g.AddText(value)
		}
		return
	case "cu":
		g.setCurrency(value)
		return
	}
	if own, ok := bytes.CutPrefix(name, []byte("ep.")); ok {
		g.eventParam(own, value, false)
	} else if own, ok := bytes.CutPrefix(name, []byte("epn.")); ok {
		g.eventParam(own, value, true)
	}
}

// setParam sets a field, unless an earlier parameter did. In events about promotions, cn and
// cs are not of a campaign.
func (g *decoder) setParam(f item.Field, name, value []byte) {
	if promotion := string(g.Get(item.Name)); promotion == "view_promotion" || promotion == "select_promotion" {
		switch string(name) {
		case "cn":
			g.keepParam([]byte("creative_name"), value, false)
			return
		case "cs":
			g.keepParam([]byte("creative_slot"), value, false)
			return
		}
	}
	if !g.Has(f) {
		g.SetText(f, value)
	}
}

// setCurrency sets the currency; a text that is none becomes a property.
func (g *decoder) setCurrency(value []byte) {
	if g.Has(item.Currency) {
		return
	}
	g.SetText(item.Currency, value)
	if g.CheckCurrency(); !g.Has(item.Currency) {
		g.keepParam([]byte("currency"), value, false)
	}
}

// eventParam reads a parameter that the page gave to the event.
func (g *decoder) eventParam(name, value []byte, number bool) {
	e := &g.event
	if f, ok := eventFields[string(name)]; ok {
		g.setParam(f, nil, value)
		return
	}
	switch string(name) {
	case "debug_mode":
		return
	case "currency":
		g.setCurrency(value)
		return
	case "screen_resolution":
		if e.screen.Empty() {
			e.screen = g.AddText(value)
		}
		return
	case "screen_name", "firebase_screen":
		e.screenName = g.AddText(value)
	case "transaction_id":
		e.transaction = g.AddText(value)
	case "value":
		if RevenueSign(string(g.Get(item.Name))) == 0 || e.paid {
			break
		}
		if e.sum, e.paid = item.Amount(value); e.paid {
			return
		}
	}
	g.keepParam(name, value, number)
}

// keepParam stores a property: a number as such, unless its text is none.
func (g *decoder) keepParam(name, value []byte, number bool) {
	if !g.NewPropertyKey(name) {
		return
	}
	g.appendParam(value, number)
}

func (g *decoder) appendParam(value []byte, number bool) {
	if f, ok := item.Decimal(value); ok && number {
		form := byte('f')
		if size := math.Abs(f); size >= 1e21 || size < 1e-6 && size > 0 { // as JavaScript writes them
			form = 'e'
		}
		g.AppendFloat(f, form)
		return
	}
	g.AppendText(value)
}

// withoutStorage reports whether the visitor has not allowed storage for analytics: gcs is
// G1, then a digit for advertising, then one for analytics. Then gtag.js makes new ids for
// each page load.
func withoutStorage(gcs []byte) bool {
	return len(gcs) == len("G100") && gcs[0] == 'G' && gcs[3] == '0'
}

// setSystem sets the system and its version from the browser's client hints: the user agent
// of Chromium has old versions on purpose.
func (g *decoder) setSystem() {
	version := g.params.get("uapv")
	if len(version) == 0 || len(version) > 32 {
		return
	}
	whole, rest, _ := bytes.Cut(version, []byte("."))
	second, _, _ := bytes.Cut(rest, []byte("."))
	n, err := strconv.Atoi(string(whole))
	if err != nil || n <= 0 {
		return
	}
	switch string(g.params.get("uap")) {
	case "Windows": // learn.microsoft.com: 13 and above is Windows 11
		g.Put(item.OS, "Windows")
		if g.Put(item.OSVersion, "10"); n >= 13 {
			g.Put(item.OSVersion, "11")
		}
	case "macOS":
		g.Put(item.OS, "macOS")
		if m, err := strconv.Atoi(string(second)); err == nil && m > 0 {
			g.Put(item.OSVersion, strconv.Itoa(n), ".", strconv.Itoa(m))
		} else {
			g.Put(item.OSVersion, strconv.Itoa(n))
		}
	case "Android":
		g.Put(item.OS, "Android")
		g.Put(item.OSVersion, strconv.Itoa(n))
	}
}

// setHashID gives the event an id, so that it is stored once if the request is sent again. The
// id is a hash of the event's parameters. Two of them name the page load (_p) and the number of
// the request (_s). Without these two the event gets no id, since another event may be equal.
func (g *decoder) setHashID() {
	if g.Has(item.ID) || g.params.get("_p") == nil || g.params.get("_s") == nil || g.HasDefect() {
		return
	}
	hash := sha256.New()
	var lengths []byte
	g.params.each(func(name, value []byte) {
		lengths = strconv.AppendInt(append(strconv.AppendInt(lengths[:0], int64(len(name)), 10), ' '), int64(len(value)), 10)
		hash.Write(append(lengths, ' '))
		hash.Write(name)
		hash.Write(value)
	})
	g.PutID(strconv.AppendInt(hash.Sum(nil)[:16], int64(g.Count()), 10))
}

// identifyHit adds an identify event with the properties of the user (up., upn.).
func (g *decoder) identifyHit(first bool) {
	g.DropProperties()
	g.ClearAllBut(item.ID, item.Profile, item.Device, item.Session, item.IP, item.Library, item.OS, item.OSVersion)
	g.Put(item.Name, weir.NameIdentify)
	g.Revenue = weir.Number{}
	all := g.params.all[g.params.shared:]
	if first {
		all = g.params.all
	}
	for _, x := range all {
		if name, ok := bytes.CutPrefix(g.params.name(x), []byte("up.")); ok {
			g.keepParam(name, g.params.text(x), false)
		} else if name, ok := bytes.CutPrefix(g.params.name(x), []byte("upn.")); ok {
			g.keepParam(name, g.params.text(x), true)
		}
	}
	if !g.HasProperties() {
		return
	}
	if g.Has(item.ID) {
		g.Put(item.ID, string(g.Get(item.ID)), ":user")
	}
	g.FinishExtra()
}
