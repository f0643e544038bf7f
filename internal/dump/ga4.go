package dump

import (
	"encoding/json"
	"errors"
	"strings"

	weir "github.com/weir-analytics/weir"
	"github.com/weir-analytics/weir/internal/wire/ga4"
)

// ga4 reads the events of Google Analytics 4 as BigQuery exports its tables
// events_YYYYMMDD as JSON lines.
// Source: support.google.com/analytics/answer/7029846, "BigQuery Export schema".
type ga4Export struct{}

func (ga4Export) pages() ([]string, string) { return nil, "" }

func (ga4Export) fits(r row) bool { return r.has("event_name", "event_timestamp") }

func (ga4Export) wanted() string {
	return "JSON lines of the BigQuery tables events_… with event_name, event_timestamp and event_params"
}

// refuse returns an error for CSV, which cannot contain nested parameters.
func (ga4Export) refuse(_ string, r row) error {
	if _, ok := r.fields["event_params"].(string); ok && r.has("event_name") {
		return errors.New("this is CSV, which BigQuery cannot write events with their parameters as: export JSON (newline delimited) instead")
	}
	return nil
}

// ga4Dropped are parameters that stand in fields of the event, or are Google's
// own bookkeeping.
var ga4Dropped = []string{
	"ga_session_id", "ga_session_number", "page_location", "page_title", "page_referrer", "session_engaged", "engaged_session_event",
	"source", "medium", "campaign", "term", "content", "campaign_id", "ignore_referrer", "entrances", "batch_ordering_id", "batch_page_id", "debug_mode",
	"firebase_screen", "firebase_screen_class", "firebase_screen_id", "firebase_previous_screen", "firebase_previous_class", "firebase_previous_id", "firebase_event_origin", "firebase_conversion",
	"synthetic_bundle", "language", "screen_resolution", "gclid", "dclid", "srsltid",
}

func (ga4Export) read(r row, out *recordEvents) error {
	at, err := r.time("event_timestamp")
	if err != nil {
		return err
	}
	name, p := ga4.Name(r.text("event_name")), ga4Params(r)
	properties := p.fields
	in := out.add(name, at, properties)
	e, s := &in.Event, &in.Source
	e.DeviceID, e.ProfileID, e.SessionID = r.text("user_pseudo_id"), r.text("user_id"), p.text("ga_session_id")
	s.URL, s.Referrer, e.Title = p.text("page_location"), p.text("page_referrer"), p.text("page_title", "firebase_screen")
	if s.URL == "" {
		e.Path = p.text("firebase_screen", "firebase_screen_class")
	}
	ga4Campaign(e, r, p)
	geo, device := r.object("geo"), r.object("device")
	e.Country, e.Region, e.City = countryCode(geo.text("country")), none(geo.text("region")), none(geo.text("city"))
	web := device.object("web_info")
	browserName, version := web.text("browser"), web.text("browser_version")
	if browserName == "" {
		browserName, version = device.text("browser"), device.text("browser_version")
	}
	agent(e, browserName, version, device.text("operating_system"), ga4Version(device), device.text("category"))
	e.Language = device.text("language")
	e.Library = "ga4"
	if platform := strings.ToLower(r.text("platform")); platform != "" {
		e.Library = "ga4-" + platform
	}
	ga4Money(e, r, p)
	if deal := none(p.text("transaction_id")); deal != "" && name == "purchase" {
		e.ID = "purchase." + e.DeviceID + "." + deal // the same purchase twice is one, as in Google's reports
	}
	size := p.text("screen_resolution")
	p.drop(ga4Dropped...)
	put(properties, "screen", size)
	if items := r.list("items"); len(items) > 0 {
		properties["items"] = items
	}
	put(properties, "transaction_id", none(r.object("ecommerce").text("transaction_id")))
	return nil
}

// ga4Params are the event's parameters by name, each by the one value that it has.
func ga4Params(r row) row {
	out := map[string]any{}
	for _, x := range r.list("event_params") {
		m, ok := x.(map[string]any)
		if !ok {
			continue
		}
		key, value := textOf(m["key"]), row{fields: m}.object("value")
		if key == "" {
			continue
		}
		for _, kind := range []string{"string_value", "int_value", "double_value", "float_value"} {
			v, ok := value.fields[kind]
			if !ok || v == nil {
				continue
			}
			if _, ok := value.number(kind); ok && kind != "string_value" {
				v = json.Number(textOf(v)) // BigQuery writes integers as text
			}
			out[key] = v
			break
		}
	}
	return row{out, r.zone}
}

// ga4Campaign sets what brought this event, not what brought the user once.
func ga4Campaign(e *weir.Event, r, p row) {
	c := r.object("collected_traffic_source")
	set := func(field *string, names ...string) {
		if *field = none(c.text(names[0])); *field == "" {
			*field = none(p.text(names[1:]...))
		}
	}
	set(&e.UTMSource, "manual_source", "source")
	set(&e.UTMMedium, "manual_medium", "medium")
	set(&e.UTMCampaign, "manual_campaign_name", "campaign")
	set(&e.UTMTerm, "manual_term", "term")
	set(&e.UTMContent, "manual_content", "content")
	for _, field := range []*string{&e.UTMSource, &e.UTMMedium, &e.UTMCampaign} {
		if *field == "(direct)" || *field == "(referral)" || *field == "(organic)" {
			*field = ""
		}
	}
}

// ga4Money sets the revenue of a purchase, in the currency it was made in.
func ga4Money(e *weir.Event, r, p row) {
	shop, sign := r.object("ecommerce"), ga4.RevenueSign(r.text("event_name"))
	value, valued := p.number("value")
	if amount, ok := shop.number("purchase_revenue"); ok && amount != 0 {
		money(e, amount, ok, p.text("currency"))
	} else if amount, ok := shop.number("purchase_revenue_in_usd"); ok && amount != 0 {
		money(e, amount, ok, "USD")
	} else if sign > 0 {
		money(e, value, valued, p.text("currency"))
	}
	if sign < 0 {
		if amount, ok := shop.number("refund_value"); ok {
			value, valued = amount, ok
		}
		money(e, -max(value, -value), valued, p.text("currency"))
	}
	if e.Revenue.Known || sign != 0 && valued {
		p.drop("value")
	}
	if code := letters(p.text("currency"), 3); code != "" {
		if e.Currency == "" { // that of a cart's value, for example
			e.Currency = code
		}
		p.drop("currency")
	}
}

// ga4Version is a system's version, before which some have its name.
func ga4Version(device row) string {
	version := none(device.text("operating_system_version"))
	name := device.text("operating_system")
	return strings.TrimSpace(strings.TrimPrefix(version, name))
}
