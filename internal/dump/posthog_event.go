package dump

import (
	"slices"
	"time"

	weir "github.com/weir-analytics/weir"
)

// posthogEvent is one event of PostHog's, by the same rules as its protocol in
// package wire.
type posthogEvent struct {
	id, who string
	device  string // $device_id
	lib     string // with its version
	client  bool   // the visitor's own machine sent it
	at      time.Time
	p       row // properties
	traits  map[string]any
}

func (v *posthogEvent) library() {
	p := v.p
	switch v.lib = p.text("$lib"); v.lib {
	case "web", "js", "posthog-js", "posthog-js-lite", "posthog-web",
		"posthog-ios", "posthog-android", "posthog-react-native", "posthog-flutter", "posthog-unity", "posthog-kmp":
		v.client = true
	case "posthog-node", "posthog-edge", "posthog-python", "posthog-go", "posthog-php", "posthog-ruby", "posthog-java",
		"posthog-server", "posthog-dotnet", "posthog-elixir", "posthog-rs", "posthog-rust":
	default:
		v.client = v.device != "" || p.has("$raw_user_agent") || p.has("$screen_width") || p.has("$is_identified")
	}
	v.client = v.client && !truth(p.fields["$is_server"])
	if v.lib == "web" {
		v.lib = "posthog-js"
	}
	if version := p.text("$lib_version"); v.lib != "" && version != "" {
		v.lib += "/" + version
	}
}

// anonymous says whether the distinct id is the browser's rather than a user's.
func (v *posthogEvent) anonymous() bool {
	named := v.device != ""
	return v.p.text("$is_identified") == "false" || v.p.text("$process_person_profile") == "false" && (named || !v.client) ||
		named && v.who == v.device
}

// begin adds an event with what all kinds have.
func (v *posthogEvent) begin(name string, out *batch, properties map[string]any) *weir.Incoming {
	in := out.add(name, v.at, properties)
	e, s, p := &in.Event, &in.Source, v.p
	e.ID, e.SessionID, e.Library = v.id, p.text("$session_id"), v.lib
	if v.anonymous() {
		e.DeviceID = v.who
	} else {
		e.ProfileID, e.DeviceID = v.who, v.device
	}
	s.URL, s.Referrer = p.text("$current_url"), p.text("$referrer")
	if s.Referrer == "$direct" {
		s.Referrer = ""
	}
	if v.client {
		s.IP, s.UserAgent = p.text("$ip"), p.text("$raw_user_agent", "$user_agent", "$useragent")
		e.Country, e.Region, e.City = p.text("$geoip_country_code"), p.text("$geoip_subdivision_1_name"), p.text("$geoip_city_name")
		agent(e, p.text("$browser"), p.text("$browser_version"), p.text("$os", "$os_name"), p.text("$os_version"), p.text("$device_type"))
	}
	e.UTMSource, e.UTMMedium, e.UTMCampaign = p.text("utm_source"), p.text("utm_medium"), p.text("utm_campaign")
	e.UTMTerm, e.UTMContent = p.text("utm_term"), p.text("utm_content")
	e.Language = p.text("$browser_language", "$locale")
	return in
}

func (v *posthogEvent) plain(name string, out *batch) {
	p := v.p
	in := v.begin(name, out, p.fields)
	e := &in.Event
	e.Title = p.text("$title")
	if name == weir.NameScreenView || name == weir.NameScreenLeave {
		e.Title = p.text("$title", "title")
		p.drop("title")
	}
	if in.Source.URL == "" {
		if e.Path = p.text("$screen_name", "$pathname"); name == weir.NameScreenView && e.Title == "" {
			e.Title = p.text("$screen_name")
		}
		p.drop("$screen_name")
	}
	for _, field := range []string{"$revenue", "revenue"} {
		if amount, ok := p.number(field); ok {
			money(e, amount, ok, p.text("$currency", "currency"))
			p.drop(field)
			break
		}
	}
	if e.Revenue != 0 && letters(e.Currency, 3) != "" {
		p.drop("$currency", "currency")
	}
	size := screen(p.text("$screen_width"), p.text("$screen_height"))
	if who := e.ProfileID; len(v.traits) > 0 && who != "" {
		v.set(out)
	}
	p.drop(posthogDropped...)
	for name, value := range p.fields {
		if posthogOwn(name) || value == nil && slices.Contains(posthogClicks, name) {
			delete(p.fields, name)
		}
	}
	if _, ok := p.fields["screen"]; !ok {
		put(p.fields, "screen", size)
	}
}

// set adds the traits that came with another event.
func (v *posthogEvent) set(out *batch) {
	in := out.add(weir.NameIdentify, v.at, v.traits)
	e, p := &in.Event, v.p
	if v.id != "" {
		e.ID = v.id + ":set"
	}
	e.ProfileID, e.DeviceID, e.SessionID, e.Library = v.who, v.device, p.text("$session_id"), v.lib
}

func (v *posthogEvent) identify(out *batch) {
	in := v.begin(weir.NameIdentify, out, v.traits)
	e, anonymous := &in.Event, v.p.text("$anon_distinct_id")
	e.ProfileID, e.DeviceID = v.who, v.device
	switch {
	case anonymous == "":
	case v.client:
		e.DeviceID = anonymous
	default:
		put(v.traits, weir.PropertyAlias, anonymous)
	}
}

func (v *posthogEvent) alias(out *batch) {
	in := v.begin(weir.NameIdentify, out, v.traits)
	e, other := &in.Event, v.p.text("alias")
	if v.anonymous() && v.client { // a browser tells who its visitor is
		e.DeviceID, e.ProfileID = v.who, other
		return
	}
	e.ProfileID, e.DeviceID = v.who, v.device
	put(v.traits, weir.PropertyAlias, other)
}

func (v *posthogEvent) group(out *batch) {
	properties := v.p.object("$group_set").fields
	kind, key := v.p.text("$group_type"), v.p.text("$group_key")
	put(properties, "group_type", kind)
	put(properties, "group_id", key)
	in := v.begin(weir.NameGroup, out, properties)
	if v.who == "$"+kind+"_"+key { // what servers send when no user is meant
		in.Event.ProfileID, in.Event.DeviceID = "", ""
	}
}
