package wire

import "bytes"

// property reads the value of a key among an event's properties, or returns false:
// then it is kept under its name.
func (p *posthog) property(key []byte) bool {
	if len(key) == 0 {
		return false
	}
	if key[0] == '$' {
		if p.known(key) {
			return true
		}
	} else if p.plain(key) {
		return true
	}
	if p.kind.person() || p.kind == posthogGroup || p.kind == posthogUnknown {
		return p.skip() || true
	}
	return false
}

// plain is property for a key without a dollar sign.
func (p *posthog) plain(key []byte) bool {
	switch string(key) {
	case "token":
		p.readOwn(ownTokenProperty)
	case "distinct_id":
		p.ident(ownDistinctProperty)
	case "utm_source":
		p.read(fieldUTMSource)
	case "utm_medium":
		p.read(fieldUTMMedium)
	case "utm_campaign":
		p.read(fieldUTMCampaign)
	case "utm_term":
		p.read(fieldUTMTerm)
	case "utm_content":
		p.read(fieldUTMContent)
	case "li_fat_id", "gad_source", "mc_cid", "gclid", "gclsrc", "dclid", "gbraid", "wbraid", "fbclid", "msclkid",
		"twclid", "igshid", "ttclid", "rdt_cid", "epik", "qclid", "sccid", "irclid", "_kx":
		// posthog-js sends each of them, nearly always as null.
		return p.null()
	case "title":
		if p.kind != posthogView && p.kind != posthogLeave {
			return false
		}
		p.read(fieldTitle)
	case "alias":
		if p.kind != posthogAlias {
			return false
		}
		p.ident(ownAlias)
	case "revenue":
		return p.price()
	case "currency":
		if p.peek() != '"' || p.has(fieldCurrency) {
			p.kept = true
			return false
		}
		p.read(fieldCurrency)
	case "screen":
		p.screened = true
		return false
	default:
		return false
	}
	return true
}

// price reads a number, or a text that is one. Another value is left where it is.
func (p *posthog) price() bool {
	begin := p.pos
	if f, ok := p.decimal(); ok && !p.priced && p.fault == "" {
		p.revenue, p.priced = f, true
		return true
	}
	if p.fault == "" {
		p.pos = begin
	}
	return false
}

// known is property for a key with a dollar sign: what Weir has a field for, and
// what only PostHog has a use for.
func (p *posthog) known(key []byte) bool {
	switch string(key) {
	case "$current_url":
		p.read(fieldURL)
	case "$referrer":
		p.read(fieldReferrer)
	case "$pathname":
		p.readOwn(ownPathname)
	case "$screen_name":
		p.readOwn(ownScreen)
	case "$title":
		p.read(fieldTitle)
	case "$session_id":
		p.read(fieldSession)
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
		p.read(fieldUserAgent)
	case "$ip":
		p.read(fieldIP)
	case "$browser_language", "$locale":
		p.readFirst(fieldLanguage)
	case "$browser":
		p.read(fieldBrowser)
	case "$browser_version":
		p.read(fieldBrowserVersion)
	case "$os", "$os_name":
		p.read(fieldOS)
	case "$os_version":
		p.read(fieldOSVersion)
	case "$device_type":
		p.read(fieldDeviceType)
	case "$screen_width":
		p.anywhere = true
		p.readOwn(ownWidth)
	case "$screen_height":
		p.readOwn(ownHeight)
	case "$group_type":
		return p.ofGroup(ownGroupType)
	case "$group_key":
		return p.ofGroup(ownGroupKey)
	case "$group_set":
		if p.kind != posthogGroup {
			return false
		}
		p.placed(&p.groupSet, 1)
	case "$set":
		p.placed(&p.set, 1)
	case "$set_once":
		p.placed(&p.once, 1)
	case "$unset":
		p.placed(&p.unset, 1)
	case "$is_identified":
		p.anywhere = true
		p.identified = p.either()
	case "$process_person_profile":
		p.process = p.either()
	case "$is_server":
		p.server = p.truth()
	case "$geoip_disable":
		p.nowhere = p.truth()
	case "$cookieless_mode":
		p.cookieless = p.truth()
		p.anywhere = p.anywhere || p.cookieless
	case "$ignore_sent_at":
		p.stamp.exact = p.truth()
	case "$revenue":
		return p.price()
	case "$currency":
		if p.peek() != '"' || p.has(fieldCurrency) {
			return false
		}
		p.read(fieldCurrency)
	case // PostHog's bookkeeping, and what Weir has from elsewhere, such as the host of an address
		"$active_feature_flags",
		"$browser_language_prefix",
		"$browser_type",
		"$config_defaults",
		"$configured_session_timeout_ms",
		"$feature_flag_payloads",
		"$feature_flag_request_id",
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
		"$user_id",
		"$viewport_height",
		"$viewport_width",
		"$window_id":
		p.skip()
	default:
		if !posthogOwn(key) {
			return false
		}
		p.skip()
	}
	return true
}

func (p *posthog) ofGroup(o own) bool {
	if p.kind != posthogGroup {
		return false
	}
	p.ident(o)
	return true
}

// either reads a truth value: yes, no, or 0 for anything else.
func (p *posthog) either() int8 {
	switch {
	case p.peek() == 'f', p.peek() == '0', bytes.HasPrefix(p.data[p.pos:], []byte(`"false"`)), bytes.HasPrefix(p.data[p.pos:], []byte(`"0"`)):
		p.skip()
		return no
	case p.truth():
		return yes
	}
	return 0
}

// posthogOwn says whether a property serves PostHog alone by how its name begins or ends:
// where a session and a person began, the page before, the SDK's own state.
func posthogOwn(key []byte) bool {
	for _, prefix := range [...]string{"$session_entry_", "$prev_pageview_", "$sdk_debug_", "$initial_", "$session_recording_"} {
		if len(key) > len(prefix) && string(key[:len(prefix)]) == prefix {
			return true
		}
	}
	return bytes.HasSuffix(key, []byte("_server_side"))
}
