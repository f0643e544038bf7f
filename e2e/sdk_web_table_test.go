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
