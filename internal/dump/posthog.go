package dump

import (
	"strings"
	"time"

	weir "github.com/weir-analytics/weir"
)

// posthog reads events as PostHog's batch exports and file downloads write them
// as JSON lines, as its events API answers them, and its CSV exports.
// Source: posthog.com/docs/data-pipelines/batch-exports/s3 (model "events"),
// posthog.com/docs/api/events, posthog/tasks/exports/csv_exporter.py.
type posthog struct{}

func (posthog) pages() ([]string, string) { return []string{"next", "previous", "results"}, "results" }

func (posthog) fits(r row) bool {
	r = posthogRow(r)
	return r.has("event", "distinct_id", "timestamp") || r.has("event", "distinct_id", "uuid")
}

func (posthog) wanted() string {
	return "JSON lines or CSV with event, distinct_id, timestamp and properties"
}

// posthogRow makes one of the names in a CSV, "*.event" and "properties.$os",
// which flatten what is nested.
func posthogRow(r row) row {
	var out map[string]any
	for name := range r.fields {
		if strings.HasPrefix(name, "*.") || strings.HasPrefix(name, "properties.") {
			out = map[string]any{}
			break
		}
	}
	if out == nil {
		return r
	}
	properties := map[string]any{}
	for name, v := range r.fields {
		name = strings.TrimPrefix(name, "*.")
		if key, ok := strings.CutPrefix(name, "properties."); ok {
			if v != "" {
				properties[key] = v
			}
			continue
		}
		out[name] = v
	}
	if _, ok := out["properties"]; !ok {
		out["properties"] = properties
	}
	return row{out, r.zone}
}

// posthogDropped are properties that are PostHog's own bookkeeping, or that
// stand in fields of the event.
var posthogDropped = []string{
	"token", "api_key", "distinct_id", "$distinct_id", "$device_id", "$anon_distinct_id", "$user_id", "$is_identified", "$process_person_profile",
	"$session_id", "$window_id", "$insert_id", "$time", "$sent_at", "$ignore_sent_at", "$offset", "$timestamp", "$configured_session_timeout_ms",
	"$current_url", "$host", "$pathname", "$referrer", "$referring_domain", "$search_engine", "title", "$title", "$ip", "$raw_user_agent", "$user_agent", "$useragent",
	"$locale", "$lib", "$lib_version", "$lib_custom_api_host", "$lib_rate_limit_remaining_tokens", "$browser", "$browser_version", "$browser_language", "$browser_language_prefix", "$browser_type",
	"$os", "$os_name", "$os_version", "$device_type", "$screen_width", "$screen_height", "$viewport_width", "$viewport_height", "$timezone", "$timezone_offset",
	"$geoip_country_code", "$geoip_country_name", "$geoip_continent_code", "$geoip_continent_name", "$geoip_city_name", "$geoip_city_confidence", "$geoip_postal_code",
	"$geoip_latitude", "$geoip_longitude", "$geoip_accuracy_radius", "$geoip_time_zone", "$geoip_subdivision_1_code", "$geoip_subdivision_1_name",
	"$geoip_subdivision_2_code", "$geoip_subdivision_2_name", "$geoip_country_confidence", "$geoip_subdivision_1_confidence", "$geoip_subdivision_2_confidence", "$geoip_postal_code_confidence",
	"utm_source", "utm_medium", "utm_campaign", "utm_term", "utm_content", "$session_entry_url", "$session_entry_host", "$session_entry_pathname", "$session_entry_referrer",
	"$session_entry_referring_domain", "$session_entry_search_engine", "$entry_current_url", "$initial_person_info", "$client_session_initial_referring_host", "$client_session_initial_pathname",
	"$pageview_id", "$prev_pageview_id", "$transformations_succeeded", "$transformations_failed", "$plugins_succeeded", "$plugins_failed", "$plugins_deferred", "$set", "$set_once", "$unset", "$group_set", "$group_type", "$group_key",
	"$group_0", "$group_1", "$group_2", "$group_3", "$group_4", "$feature_flag_payloads", "$active_feature_flags", "$session_recording_start_reason", "$recording_status", "$sdk_debug_replay_internal_buffer_length",
	"$sdk_debug_replay_internal_buffer_size", "$sdk_debug_retry_queue_size", "$sdk_debug_current_session_duration", "$sdk_debug_session_start", "$replay_sample_rate", "$replay_minimum_duration", "$replay_script_config",
	"$session_recording_recorder_version_server_side", "$session_recording_canvas_recording", "$session_recording_network_payload_capture", "$session_recording_masking", "$web_vitals_enabled_server_side",
	"$web_vitals_allowed_metrics", "$autocapture_disabled_server_side", "$dead_clicks_enabled_server_side", "$exception_capture_enabled_server_side", "$exception_capture_endpoint", "$had_persisted_distinct_id", "$screen_name_source",
}

// posthogLeft are events that Weir does not keep.
var posthogLeft = map[string]string{
	"$snapshot": "replay", "$snapshot_items": "replay", "$performance_event": "performance events", "$$heatmap": "heatmaps", "$$client_ingestion_warning": "ingestion warnings",
}

func (posthog) read(r row, out *batch) error {
	r = posthogRow(r)
	name := r.text("event")
	if what, ok := posthogLeft[name]; ok {
		out.leave(what)
		return nil
	}
	at, err := r.time("timestamp", "created_at")
	if err != nil {
		return err
	}
	p := r.object("properties")
	ev := posthogEvent{
		id: r.text("uuid", "id"), who: r.text("distinct_id", "$distinct_id"), at: at, p: p,
		traits: posthogTraits(r, p), device: p.text("$device_id"), lib: p.text("$lib"),
	}
	if ev.id != "" {
		ev.id = "posthog_" + ev.id
	}
	if ev.who == "" {
		ev.who = p.text("distinct_id", "$distinct_id")
	}
	if chain := r.text("elements_chain"); chain != "" && name == "$autocapture" {
		p.fields["$elements_chain"] = chain
	}
	switch name {
	case "$pageview", "$screen":
		name = weir.NameScreenView
	case "$pageleave":
		name = weir.NameScreenLeave
	case "$identify", "$set":
		ev.identify(out)
		return nil
	case "$create_alias", "$merge_dangerously":
		ev.alias(out)
		return nil
	case "$groupidentify":
		return ev.group(out)
	}
	ev.plain(name, out)
	return nil
}

// posthogEvent is one event of PostHog's.
type posthogEvent struct {
	id, who     string
	device, lib string
	at          time.Time
	p           row // properties
	traits      map[string]any
}

// posthogTraits are the changes of traits that an event asks for.
func posthogTraits(r, p row) map[string]any {
	out := map[string]any{}
	for _, from := range []row{p, r} {
		for _, op := range []string{"$set", "$set_once"} {
			if m := from.object(op).fields; len(m) > 0 {
				out[op] = m
			}
		}
		if l := from.list("$unset"); len(l) > 0 {
			out["$unset"] = l
		}
	}
	return out
}

// identified says whether the distinct id is a user's rather than the browser's.
func (v *posthogEvent) identified() bool {
	if v.device == "" || v.who == v.device {
		// A server names its users; a browser, which has no device id without
		// cookies, says whether it knows the user.
		known, said := v.p.fields["$is_identified"]
		return v.who != v.device && (!said || truth(known)) && textOf(v.p.fields["$process_person_profile"]) != "false"
	}
	return true
}

// begin adds an event with what all kinds have.
func (v *posthogEvent) begin(name string, out *batch, properties map[string]any) *weir.Incoming {
	in := out.add(name, v.at, properties)
	e, p := &in.Event, v.p
	e.ID, e.DeviceID, e.SessionID = v.id, v.device, p.text("$session_id")
	if v.identified() {
		e.ProfileID = v.who
	} else if e.DeviceID == "" {
		e.DeviceID = v.who
	}
	in.Source.URL, in.Source.Referrer = p.text("$current_url"), p.text("$referrer")
	if in.Source.Referrer == "$direct" {
		in.Source.Referrer = ""
	}
	in.Source.IP, in.Source.UserAgent = p.text("$ip"), p.text("$raw_user_agent", "$user_agent", "$useragent")
	e.Title = p.text("title", "$title")
	if e.Path = p.text("$pathname"); in.Source.URL != "" && strings.Contains(in.Source.URL, "://") {
		e.Path = ""
	}
	e.UTMSource, e.UTMMedium, e.UTMCampaign = p.text("utm_source"), p.text("utm_medium"), p.text("utm_campaign")
	e.UTMTerm, e.UTMContent = p.text("utm_term"), p.text("utm_content")
	e.Country, e.Region, e.City = p.text("$geoip_country_code"), p.text("$geoip_subdivision_1_name"), p.text("$geoip_city_name")
	agent(e, p.text("$browser"), p.text("$browser_version"), p.text("$os", "$os_name"), p.text("$os_version"), p.text("$device_type"))
	e.Language = p.text("$browser_language", "$locale")
	if e.Library = v.lib; e.Library != "" && p.text("$lib_version") != "" {
		e.Library += "/" + p.text("$lib_version")
	}
	return in
}

func (v *posthogEvent) plain(name string, out *batch) {
	p := v.p
	properties := p.fields
	in := v.begin(name, out, properties)
	if name == weir.NameScreenView && in.Source.URL == "" && in.Event.Path == "" {
		// An app's screen, which has a name instead of an address.
		in.Event.Path = p.text("$screen_name")
		if in.Event.Title == "" {
			in.Event.Title = p.text("$screen_name")
		}
		p.drop("$screen_name")
	}
	for _, field := range []string{"$revenue", "revenue"} {
		if amount, ok := p.number(field); ok {
			money(&in.Event, amount, ok, p.text("$currency", "currency"))
			p.drop(field)
			break
		}
	}
	if in.Event.Revenue != 0 && letters(in.Event.Currency, 3) != "" {
		p.drop("$currency", "currency")
	}
	size := screen(p.text("$screen_width"), p.text("$screen_height"))
	if len(v.traits) > 0 && in.Event.ProfileID != "" {
		e := v.begin(weir.NameIdentify, out, v.traits)
		e.Event.ID = suffixed(v.id, "set")
	}
	p.drop(posthogDropped...)
	put(properties, "screen", size)
}

func (v *posthogEvent) identify(out *batch) {
	in := v.begin(weir.NameIdentify, out, v.traits)
	e := &in.Event
	if anonymous := v.p.text("$anon_distinct_id"); e.DeviceID == "" {
		e.DeviceID = anonymous
	}
	e.ProfileID = v.who
	if e.ProfileID == e.DeviceID {
		e.ProfileID = ""
	}
}

func (v *posthogEvent) alias(out *batch) {
	properties := v.traits
	in := v.begin(weir.NameIdentify, out, properties)
	in.Event.ProfileID = v.who
	put(properties, weir.PropertyAlias, v.p.text("alias"))
}

func (v *posthogEvent) group(out *batch) error {
	properties := v.p.object("$group_set").fields
	kind, key := v.p.text("$group_type"), v.p.text("$group_key")
	put(properties, "group_type", kind)
	put(properties, "group_id", key)
	in := v.begin(weir.NameGroup, out, properties)
	if strings.HasPrefix(v.who, "$"+kind) { // what SDKs send when no user is meant
		in.Event.ProfileID, in.Event.DeviceID = "", ""
	}
	return nil
}

// suffixed is the id of an event that comes with another one.
func suffixed(id, suffix string) string {
	if id == "" {
		return ""
	}
	return id + "_" + suffix
}
