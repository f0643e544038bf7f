package e2e_test

// What Weir is to make of the stories of Go SDKs (tools/gosdk).

var goPosthogNames = map[string]string{
	"$pageview": "screen_view", "$create_alias": "identify", "$identify": "identify", "$groupidentify": "group",
}

func goPostHog() sdk {
	return sdk{
		scenario: "go posthog", library: "posthog-go/1.5.2", names: goPosthogNames,
		events: []object{
			with(landing, "profile_id", "device-1", "device_id", absent, "session_id", same("session")),
			with(pricing, "profile_id", "device-1", "session_id", same("session")),
			named("signup_started", "profile_id", "device-1", "properties", allTypes),
			named("group", "properties", object{"group_type": "company", "group_id": "acme", "name": "Acme", "seats": 20}),
			named("order_completed", "profile_id", "ada", "revenue", 49.9, "currency", "EUR", "properties", object{"order": "o-1", "$groups": object{"company": "acme"}}),
			named("report_viewed", "profile_id", "ben", "device_id", absent),
			named("imported", "profile_id", "ben"),
			named("last", "profile_id", "ben"),
		},
		profiles: map[string]any{
			"ada": object{"email": "ada@example.org", "plan": "pro", "age": 36},
			"ben": object{"email": "ben@example.org"},
		},
		troubles: []trouble{tooLarge, slowDown, overload, unheard, serverOff},
		says:     []string{`^sending request`},
	}
}

func goSegment() sdk {
	return sdk{
		scenario: "go segment", library: "analytics-go/3.", names: segmentNames,
		events: []object{
			with(landing, "device_id", "device-1", "profile_id", absent, "language", "de-AT", "browser", "Chrome"),
			with(pricing, "device_id", "device-1"),
			named("signup_started", "device_id", "device-1", "properties", allTypes),
			named("group", "profile_id", "ada", "device_id", absent, "properties", object{"group_type": "group", "group_id": "acme", "name": "Acme", "seats": 20}),
			named("Order Completed", "profile_id", "ada", "device_id", absent, "revenue", 49.9, "currency", "EUR", "properties", object{"orderId": "o-1"}),
			named("report_viewed", "profile_id", "ben", "device_id", absent),
			named("imported", "profile_id", "ben"),
			named("last", "profile_id", "ben"),
		},
		profiles: adaAndBen,
		// It sends again whatever the answer is.
		troubles: []trouble{tooLarge, slowDown, overload, unheard, serverOff},
		says:     []string{`^sending request`},
	}
}

// RudderStack's SDK makes an anonymous id for each call: none of them is a device.
func goRudder() sdk {
	c := goSegment()
	c.scenario, c.library = "go rudder", "analytics-go/4.2.1"
	c.events = []object{
		with(landing, "device_id", absent, "profile_id", "ada", "language", "de-AT", "browser", "Chrome"),
		with(pricing, "device_id", absent, "profile_id", "ada"),
		named("signup_started", "device_id", absent, "profile_id", "ada", "properties", allTypes),
	}
	c.events = append(c.events, goSegment().events[3:]...)
	return c
}
