package e2e_test

// What Weir is to make of the stories of more SDKs in pages.

func ga4Minimal() sdk {
	device := []any{"device_id", same("device"), "session_id", same("session"), "language", "de-AT"}
	later := append([]any{"path", "/pricing", "origin", "http://shop.example", "title", "Pricing"}, device...)
	return sdk{
		scenario: "ga4-minimal", browser: true, library: "gtag",
		names:  map[string]string{"page_view": "screen_view", "user_engagement": ""},
		unsaid: map[string]int{"identify": 1, "screen_leave": 1},
		events: []object{
			with(landing, device...),
			with(pricing, device...),
			with(named("signup_started", "profile_id", absent, "properties", object{"plan": "pro", "seats": 3, "text": allTypes["text"]}), later...),
			with(named("click", "properties", object{"link_id": "out", "link_url": "http://partner.example/offer?x=1", "outbound": "true"}), later...),
			with(named("login", "profile_id", "ada"), later...),
			with(named("purchase", "profile_id", absent, "revenue", 49.9, "currency", "EUR",
				"properties", object{"transaction_id": "o-1", "items": []any{object{"item_id": "SKU_1", "item_name": "Shoe", "price": 49.9, "quantity": 1}}}), later...),
			with(named("last"), later...),
			with(named("screen_leave"), later...),
		},
		profiles: map[string]any{"ada": object{"email": "ada@example.org", "age": 36}},
		troubles: []trouble{unheard, tooLarge, slowDown, overload, serverOff},
		gone:     []trouble{tooLarge, slowDown, overload, serverOff},
		single:   true,
		once:     true,
		pairs:    1,
		says:     []string{networkSays},
	}
}

func segmentSnippet() sdk {
	device := []any{"device_id", same("device")}
	return sdk{
		scenario: "segment-snippet", browser: true, library: "analytics.js/next-1.84.3", names: segmentNames,
		events: []object{
			with(with(landing, device...), "profile_id", absent, "utm_term", "shoes", "utm_content", "top"),
			with(with(pricing, device...), "properties", object{"category": "Shop"}),
			with(named("landed"), device...),
			with(named("partner_clicked", "properties", object{"to": "partner"}), device...),
			with(named("signup_started", "properties", allTypes), device...),
			with(named("Order Completed", "profile_id", "ada", "revenue", 49.9, "currency", "EUR", "properties", object{"order_id": "o-1"}), device...),
			with(named("last", "profile_id", "ada"), device...),
		},
		profiles: map[string]any{"ada": object{"email": "ada@example.org", "plan": "pro", "age": 36}},
		troubles: []trouble{slowDown, overload, unheard, serverOff, tooLarge},
		gone:     []trouble{tooLarge},
		says:     []string{networkSays, `delivery_failure`},
	}
}

var adaAndBen = map[string]any{
	"ada": object{"email": "ada@example.org", "firstName": "Ada", "lastName": "Lovelace", "plan": "pro", "age": 36},
	"ben": object{"email": "ben@example.org"},
}

func rudderJS() sdk {
	first := []any{"device_id", same("first device"), "session_id", same("first session")}
	second := []any{"device_id", same("device after logout"), "session_id", same("second session")}
	types := with(allTypes, "screen", "1440x900")
	return sdk{
		scenario: "rudder-js", browser: true, library: "RudderLabs JavaScript SDK/3.34.1", names: segmentNames,
		events: []object{
			with(with(landing, first...), "profile_id", absent, "language", "de-AT"),
			with(with(pricing, first...), "properties", object{"category": "Shop"}),
			with(named("signup_started", "profile_id", absent, "properties", types), first...),
			with(named("group", "profile_id", "ada", "properties", object{"group_type": "group", "group_id": "acme", "name": "Acme", "seats": 20}), first...),
			with(named("Order Completed", "profile_id", "ada", "revenue", 49.9, "currency", "EUR", "properties", object{"order_id": "o-1"}), first...),
			with(named("browsed", "profile_id", absent), second...),
			with(named("last", "profile_id", "ben"), second...),
		},
		profiles: adaAndBen,
		// What got a 413 is gone.
		troubles: []trouble{slowDown, overload, unheard, serverOff, tooLarge},
		gone:     []trouble{tooLarge},
		says:     []string{networkSays, `XhrQueue`},
	}
}

func rudderNode() sdk {
	return sdk{
		scenario: "rudder-node", library: "analytics-node/3.0.13", names: segmentNames,
		events: []object{
			with(landing, "device_id", "device-1", "profile_id", absent, "language", "de-AT", "browser", "Chrome"),
			with(pricing, "device_id", "device-1"),
			named("signup_started", "device_id", "device-1", "properties", allTypes),
			named("group", "profile_id", "ada", "properties", object{"group_type": "group", "group_id": "acme", "name": "Acme", "seats": 20}),
			named("Order Completed", "profile_id", "ada", "device_id", "device-1", "revenue", 49.9, "currency", "EUR", "properties", object{"order_id": "o-1"}),
			named("report_viewed", "profile_id", "ben", "device_id", absent),
			named("imported", "profile_id", "ben"),
			named("last", "profile_id", "ben"),
		},
		profiles: adaAndBen,
		troubles: []trouble{slowDown, overload, unheard, serverOff},
		says:     []string{`\[Rudder\] error: Response error`},
	}
}

func jitsuJS() sdk {
	first := []any{"device_id", same("first device")}
	second := []any{"device_id", same("device after logout")}
	return sdk{
		scenario: "jitsu-js", browser: true, library: "@jitsu/js/1.11.0", names: segmentNames,
		events: []object{
			with(with(landing, first...), "profile_id", absent, "language", "de-AT"),
			with(pricing, first...),
			with(named("signup_started", "profile_id", absent, "properties", with(allTypes, "screen", "1440x900")), first...),
			with(named("group", "profile_id", "ada", "properties", object{"group_type": "group", "group_id": "acme", "name": "Acme", "seats": 20}), first...),
			with(named("Order Completed", "profile_id", "ada", "revenue", 49.9, "currency", "EUR", "properties", object{"order_id": "o-1", "$groups": object{"group": "acme"}}), first...),
			with(named("browsed", "profile_id", absent), second...),
			with(named("last", "profile_id", "ben"), second...),
		},
		profiles: adaAndBen,
	}
}

func posthogLite() sdk {
	first := []any{"device_id", same("first device"), "session_id", same("first session")}
	second := []any{"device_id", same("device after logout"), "session_id", same("second session")}
	return sdk{
		scenario: "posthog-lite", browser: true, library: "js/4.12.1", names: posthogNames,
		events: []object{
			with(with(landing, first...), "profile_id", absent),
			with(pricing, first...),
			with(named("signup_started", "profile_id", absent, "properties", allTypes), first...),
			with(named("group", "profile_id", "ada", "properties", object{"group_type": "company", "group_id": "acme", "name": "Acme", "seats": 20}), first...),
			with(named("order_completed", "profile_id", "ada", "revenue", 49.9, "currency", "EUR", "properties", object{"order": "o-1", "$groups": object{"company": "acme"}}), first...),
			with(named("browsed", "profile_id", absent), second...),
			with(named("last", "profile_id", "ben"), second...),
		},
		profiles: map[string]any{
			"ada": object{"email": "ada@example.org", "plan": "pro", "age": 36},
			"ben": object{"email": "ben@example.org"},
		},
		troubles: []trouble{overload, unheard, serverOff, slowDown},
		says:     []string{networkSays, `Error while flushing PostHog`},
	}
}

func plausibleTracker() sdk {
	device := []any{"device_id", same("device"), "profile_id", absent}
	return sdk{
		scenario: "plausible-tracker", browser: true, library: "plausible", names: map[string]string{"pageview": "screen_view"},
		events: []object{
			with(with(landing, device...), "title", absent),
			with(with(pricing, device...), "title", absent),
			with(named("signup_started", "path", "/pricing", "properties", object{"plan": "pro", "seats": "3", "text": allTypes["text"]}), device...),
			with(named("elsewhere", "path", "/elsewhere", "event_utm_source", "print"), device...),
			with(named("last", "path", "/pricing"), device...),
		},
		profiles: map[string]any{},
	}
}

func matomoTracker() sdk {
	device := []any{"device_id", "0123456789abcdef", "session_id", same("session"), "language", "de-AT", "browser", "Chrome"}
	return sdk{
		scenario: "matomo-tracker", library: "matomo", names: map[string]string{"view": "screen_view", "purchase again": ""},
		events: []object{
			with(landing, device...),
			with(pricing, device...),
			with(named("signup_started", "profile_id", absent, "properties", object{"category": "signup", "name": "pro", "value": 3}), device...),
			with(named("login", "profile_id", "ada"), device...),
			with(named("purchase", "profile_id", "ada", "revenue", 49.9, "properties", object{"order_id": "o-1"}), device...),
			with(named("last"), device...),
		},
		profiles: map[string]any{"ada": object{}},
	}
}
