package e2e_test

import "maps"

// What Weir is to make of each SDK's story (tools/sdk).

// landing is what the first page view of a story says, wherever it comes from.
var landing = object{
	"name": "screen_view", "path": "/", "origin": "http://shop.example", "title": "Home",
	"referrer": "google.com", "event_utm_source": "newsletter", "event_utm_medium": "email", "event_utm_campaign": "spring",
}

// pricing is the same of the second.
var pricing = object{"name": "screen_view", "path": "/pricing", "origin": "http://shop.example", "title": "Pricing"}

// allTypes are the properties of signup_started.
var allTypes = object{
	"plan": "pro", "seats": 3, "price": 9.5, "trial": true, "tags": []any{"a", "b"}, "nested": object{"a": object{"b": 1}},
	"text": "Größe \"XL\" \\ 漢字 😀",
}

// with is the event with more fields.
func with(event object, fields ...any) object {
	all := object{}
	maps.Copy(all, event)
	for i := 0; i < len(fields); i += 2 {
		all[fields[i].(string)] = fields[i+1]
	}
	return all
}

func named(name string, fields ...any) object { return with(object{"name": name}, fields...) }

// What browsers say of a request that fails.
const networkSays = `^console\.error: (Failed to load resource|Access to fetch|Fetch API cannot load)|net::ERR_`

func sdks() map[string]sdk {
	return map[string]sdk{
		"posthog-node":    posthogNode(),
		"posthog-node-v1": posthogNodeV1(),
		"posthog-js":      posthogJS(),
		"openpanel-sdk":   openpanelSDK(),
		"openpanel-web":   openpanelWeb(),
		"segment-node":    segmentNode(),
		"segment-next":    segmentNext(),
		"plausible":       plausible(),
		"umami-node":      umamiNode(),
		"ga4-minimal":     ga4Minimal(),
		"go posthog":      goPostHog(),
		"go segment":      goSegment(),
		"go rudder":       goRudder(),
		"segment-snippet": segmentSnippet(),
		"rudder-js":       rudderJS(),
		"rudder-node":     rudderNode(),
		"jitsu-js":        jitsuJS(),
		"posthog-lite":    posthogLite(),

		"plausible-tracker": plausibleTracker(),
		"matomo-tracker":    matomoTracker(),

		"mixpanel-node":    mixpanelNode(),
		"mixpanel-browser": mixpanelBrowser(),

		"amplitude-node":    amplitudeNode(),
		"amplitude-browser": amplitudeBrowser(),
	}
}

var posthogNames = map[string]string{
	"$pageview": "screen_view", "$pageleave": "screen_leave", "$identify": "identify", "$create_alias": "identify", "$set": "identify", "$groupidentify": "group",
}

func posthogNode() sdk {
	return sdk{
		scenario: "posthog-node", library: "posthog-node/5.70.0", names: posthogNames,
		events: []object{
			with(landing, "profile_id", "device-1", "session_id", same("session")),
			with(pricing, "profile_id", "device-1", "session_id", same("session")),
			named("signup_started", "profile_id", "device-1", "session_id", same("session"), "properties", allTypes),
			named("group", "properties", object{"group_type": "company", "group_id": "acme", "name": "Acme", "seats": 20}),
			named("order_completed", "profile_id", "ada", "revenue", 49.9, "currency", "EUR", "properties", object{"order": "o-1", "$groups": object{"company": "acme"}}),
			named("app_opened", "profile_id", "device-2"),
			named("report_viewed", "profile_id", "ben"),
			named("imported", "profile_id", "ben"),
			named("last", "profile_id", "ben"),
		},
		profiles: map[string]any{
			"ada": object{"email": "ada@example.org", "first": "Ada", "last": "Lovelace", "plan": "team", "first_plan": "free", "age": absent},
			"ben": object{"email": "ben@example.org"},
		},
		troubles: []trouble{tooLarge, slowDown, overload, unheard, serverOff},
		says:     []string{`Received 413 when sending batch`},
	}
}

func posthogNodeV1() sdk {
	c := posthogNode()
	c.env = []string{"POSTHOG_CAPTURE_MODE=v1"}
	// The newer protocol gives up at 413: the batch is gone, which the SDK says.
	c.troubles = []trouble{slowDown, overload, unheard, serverOff}
	c.says = nil
	return c
}

func posthogJS() sdk {
	first := []any{"device_id", same("first device")}
	second := []any{"device_id", same("second device")}
	return sdk{
		scenario: "posthog-js", browser: true, library: "posthog-js/1.430.0", names: posthogNames,
		unsaid: map[string]int{"screen_leave": 2},
		events: []object{
			with(with(landing, first...), "session_id", same("first session")),
			with(with(pricing, first...), "session_id", same("first session")),
			with(with(landing, second...), "session_id", same("other device's session")),
			with(named("signup_started", "path", "/pricing", "session_id", same("first session"), "properties", allTypes), first...),
			with(named("$autocapture", "path", "/pricing"), first...),
			named("group", "profile_id", "ada", "properties", object{"group_type": "company", "group_id": "acme", "name": "Acme", "seats": 20}),
			named("order_completed", "profile_id", "ada", "revenue", 49.9, "currency", "EUR", "properties", object{"order": "o-1", "$groups": object{"company": "acme"}}),
			named("browsed", "profile_id", absent, "device_id", same("device after logout"), "session_id", same("second session")),
			named("$opt_in", "profile_id", "ben", "session_id", same("second session")),
			named("app_opened", "profile_id", "ada", "session_id", same("other device's session")),
			named("last", "profile_id", "ben"),
			named("left", "profile_id", "ben"), named("left", "profile_id", "ada"),
			named("screen_leave", "path", "/pricing", "profile_id", "ben"), named("screen_leave", "path", "/", "profile_id", "ada"),
		},
		profiles: map[string]any{
			"ada": object{"email": "ada@example.org", "plan": "pro", "first_plan": "free", "age": 36, "team": "red", "first_team": "red"},
			"ben": object{"email": "ben@example.org"},
		},
		// It does not repeat what got a 4xx, 429 among them.
		troubles: []trouble{overload, unheard, serverOff, slowDown, tooLarge},
		gone:     []trouble{slowDown, tooLarge},
		says:     []string{networkSays, `on_request_error (429|413|503)`},
	}
}

var openpanelNames = map[string]string{
	"identify": "identify", "increment": "identify", "decrement": "identify", "group Acme": "group", "assign_group": "group", "replay": "",
}

var openpanelProfiles = map[string]any{
	"ada": object{"firstName": "Ada", "lastName": "Lovelace", "email": "ada@example.org", "plan": "pro", "age": 36, "visits": 2},
	"ben": object{"email": "ben@example.org"},
}

// An event has no id: if its answer is lost, it is there twice. The SDK repeats up to three times, 413 and 429 too.
var openpanelTroubles = []trouble{unheard, passes, tooLarge, passes, slowDown, passes, overload, passes, serverOff}

func openpanelSDK() sdk {
	return sdk{
		scenario: "openpanel-sdk", library: "openpanel-node/1.3.1", names: openpanelNames,
		events: []object{
			with(landing, "device_id", absent), with(pricing, "device_id", absent),
			named("signup_started", "profile_id", absent, "properties", with(allTypes, "app", "shop")),
			named("group", "properties", object{"group_type": "company", "group_id": "acme", "name": "Acme", "seats": 20}),
			named("group", "profile_id", "ada", "properties", object{"group_type": "group", "group_id": "acme"}),
			named("revenue", "profile_id", "ada", "revenue", 49.9, "currency", "EUR", "properties", object{"order": "o-1", "$groups": object{"group": "acme"}}),
			named("revenue", "profile_id", "ada", "revenue", 1, "device_id", "device-2", "properties", object{"order": "o-2"}),
			named("report_viewed", "profile_id", "ben"),
			named("queued", "profile_id", "ben"),
			named("last", "profile_id", "ben"),
		},
		profiles: openpanelProfiles,
		troubles: openpanelTroubles,
		single:   true,
		other:    `"type":"replay"`,
	}
}

func openpanelWeb() sdk {
	device := []any{"device_id", same("device")} // address and user agent are the same
	return sdk{
		scenario: "openpanel-web", browser: true, library: "openpanel-web/1.4.1", names: openpanelNames,
		events: []object{
			with(landing, device...), with(pricing, device...), with(landing, device...),
			with(named("signup_started", "path", "/pricing", "properties", allTypes), device...),
			with(named("buy_clicked", "properties", object{"item": "shoe"}), device...),
			with(named("link_out", "properties", object{"href": "http://partner.example/offer?x=1", "text": "Partner"}), device...),
			named("group", "properties", object{"group_type": "company", "group_id": "acme", "name": "Acme", "seats": 20}),
			named("group", "profile_id", "ada", "properties", object{"group_type": "group", "group_id": "acme"}),
			named("revenue", "profile_id", "ada", "revenue", 49.9, "currency", "EUR", "properties", object{"order": "o-1"}),
			named("revenue", "profile_id", "ada", "revenue", 1, "properties", object{"order": "o-2"}),
			with(named("browsed", "profile_id", absent), device...),
			named("app_opened", "profile_id", "ada"),
			named("last", "profile_id", "ben"),
		},
		profiles: openpanelProfiles,
		troubles: openpanelTroubles,
		single:   true,
		other:    `"type":"replay"`,
		says:     []string{networkSays},
	}
}

var segmentNames = map[string]string{
	"page": "screen_view", "page Home": "screen_view", "page Pricing": "screen_view", "screen Welcome": "screen_view", "identify": "identify", "alias": "identify", "group": "group",
}

func segmentNode() sdk {
	return sdk{
		scenario: "segment-node", library: "@segment/analytics-node/3.1.0", names: segmentNames,
		events: []object{
			with(landing, "device_id", "device-1", "profile_id", absent, "utm_term", "shoes", "utm_content", "top", "language", "de-AT"),
			with(pricing, "device_id", "device-1", "properties", object{"category": "Shop"}),
			named("screen_view", "device_id", "phone-1", "title", "Welcome", "properties", object{"tab": 1}),
			named("signup_started", "device_id", "device-1", "properties", allTypes),
			named("group", "profile_id", "ada", "properties", object{"group_id": "acme", "name": "Acme", "seats": 20}),
			named("Order Completed", "profile_id", "ada", "device_id", "device-1", "revenue", 49.9, "currency", "EUR", "properties", object{"order_id": "o-1"}),
			named("app_opened", "profile_id", "ada", "device_id", "device-2"),
			named("report_viewed", "profile_id", "ben", "device_id", absent),
			named("imported", "profile_id", "ben"),
			named("last", "profile_id", "ben"),
		},
		profiles: map[string]any{
			"ada": object{"email": "ada@example.org", "firstName": "Ada", "lastName": "Lovelace", "plan": "pro", "age": 36},
			"ben": object{"email": "ben@example.org"},
		},
		// 413 is not repeated: the batch is gone, and error says so.
		troubles: []trouble{slowDown, overload, unheard, serverOff, tooLarge},
		gone:     []trouble{tooLarge},
		says:     []string{`^error: .*\[413\]`, `^error: .*delivery_failure`},
	}
}

func segmentNext() sdk {
	first := []any{"device_id", same("first device")}
	third := []any{"device_id", same("second device")}
	return sdk{
		scenario: "segment-next", browser: true, library: "analytics.js/npm:next-1.84.3", names: segmentNames,
		events: []object{
			with(with(landing, first...), "profile_id", absent, "utm_term", "shoes", "utm_content", "top", "language", "de-AT"),
			with(with(pricing, first...), "properties", object{"category": "Shop"}),
			with(named("screen_view", "title", "Welcome", "properties", object{"tab": 1}), first...),
			with(landing, third...),
			with(named("signup_started", "properties", allTypes), first...),
			with(named("group", "profile_id", "ada", "properties", object{"group_id": "acme", "name": "Acme", "seats": 20}), first...),
			with(named("Order Completed", "profile_id", "ada", "revenue", 49.9, "currency", "EUR", "properties", object{"order_id": "o-1"}), first...),
			named("browsed", "profile_id", absent, "device_id", same("device after logout")),
			with(named("app_opened", "profile_id", "ada"), third...),
			named("last", "profile_id", "ben", "device_id", same("device after logout")),
			with(named("last", "profile_id", "ada"), third...),
		},
		profiles: map[string]any{
			"ada": object{"email": "ada@example.org", "firstName": "Ada", "lastName": "Lovelace", "plan": "pro", "age": 36},
			"ben": object{"email": "ben@example.org"},
		},
		troubles: []trouble{slowDown, overload, unheard, serverOff, tooLarge},
		gone:     []trouble{tooLarge},
		says:     []string{networkSays, `delivery_failure`},
	}
}

func plausible() sdk {
	device := []any{"device_id", same("device")}
	at := []any{"path", "/pricing", "profile_id", absent, "device_id", same("device")}
	return sdk{
		scenario: "plausible", browser: true, library: "plausible/", names: map[string]string{"pageview": "screen_view", "answer": "", "event pageview": "screen_view"},
		events: []object{
			with(with(landing, device...), "title", absent, "utm_term", "shoes", "utm_content", "top"),
			with(with(pricing, device...), "title", absent),
			with(named("signup_started", "properties", object{"plan": "pro", "seats": "3", "text": allTypes["text"], "app": "shop"}), at...),
			with(named("Purchase", "revenue", 49.9, "currency", "EUR", "properties", object{"order": "o-1", "app": "shop"}), at...),
			with(named("autoplay"), at...),
			named("elsewhere", "path", "/elsewhere", "event_utm_source", "print"),
			with(named("Outbound Link: Click", "properties", object{"url": "http://partner.example/offer?x=1"}), at...),
			with(named("last"), at...),
		},
		profiles: map[string]any{},
		besides:  "screen_leave", // whenever the page loses the focus too
		other:    `"n":"engagement"`,
		troubles: []trouble{unheard, tooLarge, slowDown, overload, serverOff},
		gone:     []trouble{tooLarge, slowDown, overload, serverOff},
		single:   true,
		says:     []string{networkSays},
	}
}

func umamiNode() sdk {
	device := []any{"device_id", same("device")}
	return sdk{
		scenario: "umami-node", library: "umami", names: map[string]string{"identify": "identify", "event ": "screen_view"},
		events: []object{
			with(with(landing, device...), "origin", "https://shop.example", "language", "de-AT"),
			with(with(pricing, device...), "origin", "https://shop.example"),
			with(named("signup_started", "path", "/pricing", "properties", allTypes), device...),
			with(named("order_completed", "revenue", 49.9, "currency", "EUR", "properties", object{"order": "o-1"}), device...),
			named("report_viewed", "profile_id", "ben", "path", "/report", "properties", object{"tag": "b"}),
			with(named("last"), device...),
		},
		profiles: map[string]any{
			"ada": object{"email": "ada@example.org", "plan": "pro", "age": 36},
			"ben": object{},
		},
		troubles: []trouble{unheard, tooLarge, slowDown, overload, serverOff},
		gone:     []trouble{tooLarge, slowDown, overload, serverOff},
		single:   true,
	}
}
