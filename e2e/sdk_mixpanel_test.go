package e2e_test

var mixpanelNames = map[string]string{
	"$mp_web_page_view": "screen_view", "$identify": "identify", "alias": "identify", "group": "group",
	"people track_charge": "charge", "people append": "", "people $append": "", "people": "identify",
	"people set": "identify", "people set_once": "identify", "people increment": "identify", "people unset": "identify",
	"people $set": "identify", "people $set_once": "identify", "people $add": "identify", "people $unset": "identify",
}

func mixpanelNode() sdk {
	device := []any{"device_id", "device-1", "profile_id", absent}
	return sdk{
		scenario: "mixpanel-node", library: "mixpanel", names: mixpanelNames,
		events: []object{
			with(landing, device...), with(pricing, device...),
			with(named("signup_started", "properties", allTypes), device...),
			named("group", "properties", object{"group_type": "company", "group_id": "acme", "name": "Acme", "seats": 20}),
			named("charge", "profile_id", "ada", "revenue", 9.5, "properties", object{"order": "o-0"}),
			named("order_completed", "profile_id", "ada", "revenue", 49.9, "currency", "EUR", "properties", object{"order": "o-1"}),
			named("report_viewed", "profile_id", "ben", "id", "report-1"),
			named("imported", "profile_id", "ben"),
			named("last", "profile_id", "ben", "device_id", absent),
		},
		profiles: map[string]any{
			"ada": object{"email": "ada@example.org", "first_name": "Ada", "last_name": "Lovelace", "plan": "pro", "first_plan": "free", "visits": 2, "age": absent, "colours": absent},
			"ben": object{"email": "ben@example.org"},
		},
		// It sends nothing again.
		troubles: []trouble{unheard, tooLarge, slowDown, overload, serverOff},
		gone:     []trouble{tooLarge, slowDown, overload, serverOff},
		single:   true,
		other:    `"$append":{"colours"`,
		says:     []string{`^error: (Could not parse response|Mixpanel Server Error|socket hang up|connect ECONNREFUSED|read ECONNRESET)`},
	}
}

func mixpanelBrowser() sdk {
	first := []any{"device_id", same("first device")}
	second := []any{"device_id", same("second device")}
	third := []any{"device_id", same("device after logout")}
	return sdk{
		scenario: "mixpanel-browser", browser: true, library: "mixpanel", names: mixpanelNames,
		events: []object{
			with(with(landing, first...), "profile_id", absent, "browser", "Chrome", "os", "Linux"),
			with(pricing, first...),
			with(landing, second...),
			with(named("signup_started", "path", "/pricing", "properties", allTypes), first...),
			named("group", "properties", object{"group_type": "company", "group_id": "acme", "name": "Acme", "seats": 20}),
			with(named("order_completed", "profile_id", "ada", "revenue", 49.9, "currency", "EUR", "properties", object{"order": "o-1"}), first...),
			with(named("browsed", "profile_id", absent), third...),
			with(named("app_opened", "profile_id", "ada"), second...),
			with(named("last", "profile_id", "ben"), third...),
			with(named("last", "profile_id", "ada"), second...),
		},
		profiles: map[string]any{
			"ada": object{"email": "ada@example.org", "first_name": "Ada", "last_name": "Lovelace", "plan": "pro", "first_plan": "free", "visits": 2, "company": []any{"acme"}, "colours": absent},
			"ben": object{"email": "ben@example.org"},
		},
		// A refused connection is not tried again while the browser is online, and a single event with 413 neither.
		troubles: []trouble{slowDown, overload, unheard, overload},
		says:     []string{networkSays, `error_reporter`, `Bad HTTP status`, `Mixpanel error`},
	}
}
