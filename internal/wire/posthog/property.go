package posthog

import (
	"bytes"

	weir "github.com/weir-analytics/weir"
	"github.com/weir-analytics/weir/internal/wire/item"
)

// property reads a property that Weir has a field for, or does not store. Otherwise it
// returns false, and the property is stored under its name.
func (p *decoder) property(key []byte) bool {
	if len(key) == 0 {
		return false
	}
	if key[0] == '$' {
		if p.dollarProperty(key) {
			return true
		}
	} else if p.plainProperty(key) {
		return true
	}
	if p.kind.person() || p.kind == kindGroup || p.kind == kindUnsupported {
		return p.Skip() || true
	}
	return false
}

// plainProperty is property for a key without a dollar sign.
func (p *decoder) plainProperty(key []byte) bool {
	switch string(key) {
	case "token":
		p.readOwn(ownTokenProperty)
	case "distinct_id":
		p.ident(ownDistinctProperty)
	case "li_fat_id", "gad_source", "mc_cid", "gclid", "gclsrc", "dclid", "gbraid", "wbraid", "fbclid", "msclkid",
		"twclid", "igshid", "ttclid", "rdt_cid", "epik", "qclid", "sccid", "irclid", "_kx":
		// posthog-js sends each of them, nearly always as null.
		return p.Null()
	case "title":
		if p.kind != kindView && p.kind != kindLeave {
			return false
		}
		p.Read(item.Title)
	case "alias":
		if p.kind != kindAlias {
			return false
		}
		p.ident(ownAlias)
	case "revenue":
		return p.readRevenue()
	case "currency":
		if p.Peek() != '"' || p.Has(item.Currency) {
			p.kept = true
			return false
		}
		p.Read(item.Currency)
	case "screen":
		p.screened = true
		return false
	default:
		return p.ReadCampaign(key)
	}
	return true
}

// readRevenue reads a number, or a text that is one. It returns false, and leaves the value, if it is none.
func (p *decoder) readRevenue() bool {
	return p.Try(func() bool {
		f, ok := p.ReadDecimal()
		if ok = ok && !p.Revenue.Known; ok {
			p.Revenue = weir.Known(f)
		}
		return ok
	})
}

// dollarProperty is property for a key with a dollar sign. It skips those that only PostHog
// can use.
func (p *decoder) dollarProperty(key []byte) bool {
	switch string(key) {
	case "$current_url":
		p.Read(item.URL)
	case "$referrer":
		p.Read(item.Referrer)
	case "$pathname":
		p.readOwn(ownPathname)
	case "$screen_name":
		p.readOwn(ownScreen)
	case "$title":
		p.Read(item.Title)
	case "$session_id":
		p.Read(item.Session)
	case "$device_id":
		p.ident(ownDevice)
	case "$distinct_id":
		p.ident(ownDistinctProperty)
	case "$anon_distinct_id":
		p.ident(ownAnonymous)
	case "$insert_id":
		p.readOwn(ownInsert)
	case "$token":
		p.readOwn(ownTokenProperty)
	case "$lib":
		p.readOwn(ownLib)
	case "$lib_version":
		p.readOwn(ownLibVersion)
	case "$raw_user_agent", "$user_agent", "$useragent":
		p.anywhere = true
		p.Read(item.UserAgent)
	case "$ip":
		p.Read(item.IP)
	case "$browser_language", "$locale":
		p.ReadFirst(item.Language)
	case "$browser":
		p.Read(item.Browser)
	case "$browser_version":
		p.Read(item.BrowserVersion)
	case "$os", "$os_name":
		p.Read(item.OS)
	case "$os_version":
		p.Read(item.OSVersion)
	case "$device_type":
		p.Read(item.DeviceType)
	case "$screen_width":
		p.anywhere = true
		p.readOwn(ownWidth)
	case "$screen_height":
		p.readOwn(ownHeight)
	case "$group_type":
		return p.readGroupPart(ownGroupType)
	case "$group_key":
		return p.readGroupPart(ownGroupKey)
	case "$group_set":
		if p.kind != kindGroup {
			return false
		}
		p.groupSet = p.Note()
	case "$set":
		p.set[amongProperties] = p.Note()
	case "$set_once":
		p.once[amongProperties] = p.Note()
	case "$unset":
		p.unset[amongProperties] = p.Note()
	case "$user_id":
		p.user = len(p.ReadBrief()) > 0
	case "$is_identified":
		p.anywhere = true
		p.identified = p.readTristate()
	case "$process_person_profile":
		p.process = p.readTristate()
	case "$is_server":
		p.server = p.ReadBool()
	case "$geoip_country_code":
		p.Read(item.Country)
	case "$geoip_subdivision_1_name":
		p.Read(item.Region)
	case "$geoip_city_name":
		p.Read(item.City)
	case "$geoip_disable":
		p.nowhere = p.ReadBool()
	case "$cookieless_mode":
		p.cookieless = p.ReadBool()
		p.anywhere = p.anywhere || p.cookieless
	case "$ignore_sent_at":
		p.Stamp.Exact = p.ReadBool()
	case "$revenue":
		return p.readRevenue()
	case "$currency":
		if p.Peek() != '"' || p.Has(item.Currency) {
			return false
		}
		p.Read(item.Currency)
	case // PostHog's bookkeeping, and what Weir has from elsewhere, such as the host of an address
		"$active_feature_flags",
		"$browser_language_prefix",
		"$browser_type",
		"$client_session_initial_pathname",
		"$client_session_initial_referring_host",
		"$config_defaults",
		"$configured_session_timeout_ms",
		"$entry_current_url",
		"$feature_flag_payloads",
		"$feature_flag_request_id",
		"$group_0",
		"$group_1",
		"$group_2",
		"$group_3",
		"$group_4",
		"$had_persisted_distinct_id",
		"$heatmap_data",
		"$host",
		"$initialization_time",
		"$last_posthog_reset",
		"$lib_custom_api_host",
		"$lib_rate_limit_remaining_tokens",
		"$lib_custom",
		"$pageview_id",
		"$lib_consumer",
		"$os_distro",
		"$product_tour_id",
		"$python_runtime",
		"$python_version",
		"$recording_status",
		"$referring_domain",
		"$replay_sample_rate",
		"$replay_script_config",
		"$sdk_dist_channel",
		"$sent_at",
		"$time",
		"$timestamp",
		"$timezone_offset",
		"$viewport_height",
		"$viewport_width",
		"$window_id":
		p.Skip()
	default:
		if !internalProperty(key) {
			return false
		}
		p.Skip()
	}
	return true
}

func (p *decoder) readGroupPart(o own) bool {
	if p.kind != kindGroup {
		return false
	}
	p.ident(o)
	return true
}

// readTristate reads a boolean: yes, no, or 0 for any other value.
func (p *decoder) readTristate() int8 {
	switch {
	case p.Peek() == 'f', p.Peek() == '0', p.HasPrefix(`"false"`), p.HasPrefix(`"0"`):
		p.Skip()
		return no
	case p.ReadBool():
		return yes
	}
	return 0
}

// internalProperty reports whether only PostHog can use a property, by the beginning or the
// end of its name: the start of a session or a person, the previous page, the state of the
// SDK, what PostHog's server adds.
func internalProperty(key []byte) bool {
	for _, prefix := range [...]string{"$session_entry_", "$prev_pageview_", "$sdk_debug_", "$initial_", "$session_recording_", "$geoip_", "$plugins_", "$transformations_"} {
		if len(key) > len(prefix) && string(key[:len(prefix)]) == prefix {
			return true
		}
	}
	return bytes.HasSuffix(key, []byte("_server_side"))
}
