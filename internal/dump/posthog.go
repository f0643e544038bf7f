package dump

import (
	"errors"
	"slices"
	"strings"

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
	"$current_url", "$host", "$pathname", "$referrer", "$referring_domain", "$title", "$ip", "$raw_user_agent", "$user_agent", "$useragent",
	"$locale", "$lib", "$lib_version", "$lib_custom_api_host", "$lib_rate_limit_remaining_tokens", "$browser", "$browser_version", "$browser_language", "$browser_language_prefix", "$browser_type",
	"$os", "$os_name", "$os_version", "$device_type", "$screen_width", "$screen_height", "$viewport_width", "$viewport_height", "$timezone_offset",
	"$geoip_country_code", "$geoip_country_name", "$geoip_continent_code", "$geoip_continent_name", "$geoip_city_name", "$geoip_city_confidence", "$geoip_postal_code",
	"$geoip_latitude", "$geoip_longitude", "$geoip_accuracy_radius", "$geoip_time_zone", "$geoip_subdivision_1_code", "$geoip_subdivision_1_name",
	"$geoip_subdivision_2_code", "$geoip_subdivision_2_name", "$geoip_country_confidence", "$geoip_subdivision_1_confidence", "$geoip_subdivision_2_confidence", "$geoip_postal_code_confidence",
	"utm_source", "utm_medium", "utm_campaign", "utm_term", "utm_content", "$entry_current_url", "$client_session_initial_referring_host", "$client_session_initial_pathname",
	"$pageview_id", "$transformations_succeeded", "$transformations_failed", "$plugins_succeeded", "$plugins_failed", "$plugins_deferred", "$set", "$set_once", "$unset", "$group_set", "$group_type", "$group_key",
	"$group_0", "$group_1", "$group_2", "$group_3", "$group_4", "$feature_flag_payloads", "$active_feature_flags", "$recording_status", "$replay_sample_rate", "$replay_script_config", "$feature_flag_request_id", "$config_defaults", "$had_persisted_distinct_id", "$heatmap_data", "$initialization_time",
	"$last_posthog_reset", "$lib_custom", "$product_tour_id", "$sdk_dist_channel", "$is_server", "$geoip_disable", "$cookieless_mode",
}

// posthogLeft are events that Weir does not keep.
var posthogLeft = map[string]string{
	"$snapshot": "replay", "$snapshot_items": "replay", "$performance_event": "performance events", "$$heatmap": "heatmaps", "$$client_ingestion_warning": "ingestion warnings",
}

// posthogOwn says whether a property serves PostHog alone.
func posthogOwn(name string) bool {
	for _, prefix := range []string{"$session_entry_", "$prev_pageview_", "$sdk_debug_", "$initial_", "$session_recording_"} {
		if strings.HasPrefix(name, prefix) {
			return true
		}
	}
	return strings.HasPrefix(name, "$") && strings.HasSuffix(name, "_server_side")
}

// posthogClicks are what posthog-js sends with each event, nearly always as null;
// and where the visitor came from first, which it sets once as traits. Weir has
// that in the events.
var posthogClicks = []string{
	"gad_source", "mc_cid", "gclid", "gclsrc", "dclid", "gbraid", "wbraid", "fbclid", "msclkid", "twclid",
	"li_fat_id", "igshid", "ttclid", "rdt_cid", "epik", "qclid", "sccid", "irclid", "_kx",
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
	v := posthogEvent{id: r.text("uuid", "id"), who: r.text("distinct_id", "$distinct_id"), at: at, p: p, device: p.text("$device_id"), traits: posthogTraits(r, p)}
	if v.who == "" {
		v.who = p.text("distinct_id", "$distinct_id")
	}
	if v.who == "" {
		return errors.New("there is no distinct_id")
	}
	v.library()
	if chain := r.text("elements_chain"); chain != "" && name == "$autocapture" {
		p.fields["$elements_chain"] = chain
	}
	switch name {
	case "$pageview", "$screen":
		v.plain(weir.NameScreenView, out)
	case "$pageleave":
		v.plain(weir.NameScreenLeave, out)
	case "$identify":
		v.identify(out)
	case "$set", "$set_once", "$unset":
		v.begin(weir.NameIdentify, out, v.traits)
	case "$create_alias", "$merge_dangerously":
		v.alias(out)
	case "$groupidentify":
		v.group(out)
	default:
		v.plain(name, out)
	}
	return nil
}

// posthogTraits are the changes of traits that an event asks for.
func posthogTraits(r, p row) map[string]any {
	out := map[string]any{}
	for _, from := range []row{p, r} { // what stands beside the properties wins
		for _, op := range []string{"$set", "$set_once"} {
			for name, value := range from.object(op).fields {
				if op == "$set_once" && (value == nil || strings.HasPrefix(name, "$") && (posthogOwn(name) || slices.Contains(posthogDropped, name)) ||
					strings.HasPrefix(name, "utm_") || slices.Contains(posthogClicks, name)) {
					continue
				}
				if out[op] == nil {
					out[op] = map[string]any{}
				}
				out[op].(map[string]any)[name] = value //nolint:forcetypeassert // set above
			}
		}
		if l := from.list("$unset"); len(l) > 0 {
			out["$unset"] = l
		} else if name := from.text("$unset"); name != "" {
			out["$unset"] = []any{name}
		}
	}
	return out
}
