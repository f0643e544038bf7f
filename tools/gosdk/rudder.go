package main

import (
	"net"
	"time"

	"github.com/rudderlabs/analytics-go/v4"
)

// tellRudder is a server that knows its users. The SDK gives each call an anonymous id of its
// own.
func tellRudder(s *scenario) {
	client, err := analytics.NewWithConfig(s.key, analytics.Config{DataPlaneUrl: s.url, BatchSize: s.batch(), Interval: 200 * time.Millisecond, RetryAfter: soon, Logger: s, Callback: outcome[analytics.Message]{s}})
	must(err)
	page := func(address, path, title, referrer string) {
		s.queued(client.Enqueue(analytics.Page{
			MessageId: s.note("page", title, nil), UserId: "ada", Name: title,
			Properties: analytics.NewProperties().SetURL(address).SetPath(path).SetTitle(title).SetReferrer(referrer),
			Context:    &analytics.Context{IP: net.IPv4(203, 0, 113, 7), UserAgent: userAgent, Locale: "de-AT"},
		}))
	}
	track := func(user, event string, n *int, properties map[string]any, at time.Time) {
		s.queued(client.Enqueue(analytics.Track{MessageId: s.note("track", event, n), UserId: user, Event: event, Properties: properties, OriginalTimestamp: at}))
	}
	page(home, "/", "Home", "https://www.google.com/")
	page(pricing, "/pricing", "Pricing", origin+"/")
	track("ada", "signup_started", nil, properties, time.Time{})
	s.queued(client.Enqueue(analytics.Identify{
		MessageId: s.note("identify", "", nil), UserId: "ada",
		Traits: analytics.NewTraits().SetEmail("ada@example.org").SetFirstName("Ada").SetLastName("Lovelace").Set("plan", "pro").SetAge(36),
	}))
	s.queued(client.Enqueue(analytics.Alias{MessageId: s.note("alias", "", nil), UserId: "ada", PreviousId: "ada@example.org"}))
	s.queued(client.Enqueue(analytics.Group{MessageId: s.note("group", "", nil), UserId: "ada", GroupId: "acme", Traits: analytics.NewTraits().SetName("Acme").Set("seats", 20)}))
	track("ada", "Order Completed", nil, analytics.NewProperties().SetRevenue(49.9).SetCurrency("EUR").SetOrderId("o-1"), time.Time{})
	s.queued(client.Enqueue(analytics.Identify{MessageId: s.note("identify", "", nil), UserId: "ben", Traits: analytics.NewTraits().SetEmail("ben@example.org")}))
	track("ben", "report_viewed", nil, nil, time.Time{})
	track("ben", "imported", nil, nil, time.Now().Add(-3*24*time.Hour))
	for n := range s.ticks {
		track("ben", "tick", &n, map[string]any{"n": n}, time.Time{})
	}
	track("ben", "last", nil, nil, time.Time{})
	s.delivered()
	must(client.Close())
}
