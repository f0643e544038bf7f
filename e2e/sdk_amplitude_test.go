package e2e_test

var amplitudeNames = map[string]string{
	"[Amplitude] Page Viewed": "screen_view", "$identify": "identify", "$groupidentify": "group", "lists": "", "lists $identify": "", "campaign": "", "campaign $identify": "",
}

var amplitudeProfiles = map[string]any{
	"ada": object{"email": "ada@example.org", "plan": "pro", "first_plan": "free", "visits": 2, "age": absent, "colours": absent},
	"ben": object{"email": "ben@example.org"},
}

// amplitudePaid is the event of the story that brings money.
var amplitudePaid = named("revenue_amount", "profile_id", "ada", "revenue", 19, "currency", "EUR", "properties", object{"order": "o-1", "productId": "A-1", "price": 9.5, "quantity": 2})

func amplitudeNode() sdk {
	device := []any{"device_id", "device-1", "profile_id", absent, "session_id", same("session"), "language", "de-AT"}
	return sdk{
		scenario: "amplitude-node", library: "amplitude-node-ts/1.5.73", names: amplitudeNames,
		events: []object{
			with(landing, device...), with(pricing, device...),
			with(named("signup_started", "properties", allTypes), device...),
			named("group", "profile_id", "ada", "properties", object{"group_type": "company", "group_id": "acme", "name": "Acme", "seats": 20}),
			with(amplitudePaid, "device_id", "device-1"),
			named("app_opened", "profile_id", "ada", "device_id", "device-2", "properties", object{"$groups": object{"company": "acme"}}),
			named("report_viewed", "profile_id", "ben", "device_id", absent),
			named("imported", "profile_id", "ben"),
			named("last", "profile_id", "ben"),
		},
		profiles: amplitudeProfiles,
		// It gives up what got no answer, which the server has taken.
		troubles: []trouble{tooLarge, slowDown, overload, unheard},
		says:     []string{`^error: \[0\] Unexpected error occurred`},
	}
}

func amplitudeBrowser() sdk {
	first := []any{"device_id", same("first device"), "session_id", same("first session"), "language", "de-AT"}
	second := []any{"device_id", same("second device"), "session_id", same("second session")}
	third := []any{"device_id", same("device after logout")}
	return sdk{
		scenario: "amplitude-browser", browser: true, library: "amplitude-ts/2.48.1", names: amplitudeNames,
		events: []object{
			with(with(landing, first...), "profile_id", absent, "browser", "Chrome", "os", "Linux"),
			with(with(pricing, first...), "profile_id", absent),
			with(landing, second...),
			with(named("signup_started", "path", "/pricing", "properties", allTypes), first...),
			named("group", "profile_id", "ada", "properties", object{"group_type": "company", "group_id": "acme", "name": "Acme", "seats": 20}),
			with(amplitudePaid, first...),
			with(named("browsed", "profile_id", absent), third...),
			with(named("arrived", "profile_id", absent, "path", "/"), second...),
			with(named("app_opened", "profile_id", "ada"), second...),
			with(named("last", "profile_id", "ben"), third...),
			with(named("last", "profile_id", "ada"), second...),
		},
		profiles: amplitudeProfiles,
		troubles: []trouble{slowDown, overload, unheard, serverOff, tooLarge},
		gone:     []trouble{tooLarge}, // of a single event
		says:     []string{networkSays, `error 413`},
	}
}
