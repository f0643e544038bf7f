package main

import (
	"time"

	"github.com/posthog/posthog-go"
)

// tellPostHog is a server that has its visitors' ids, and knows its users.
func tellPostHog(s *scenario) {
	client, err := posthog.NewWithConfig(s.key, posthog.Config{Endpoint: s.url, BatchSize: s.batch(), Interval: 200 * time.Millisecond, RetryAfter: soon, Logger: s, Callback: outcome[posthog.APIMessage]{s}})
	must(err)
	say := func(user, event string, n *int, properties map[string]any, groups posthog.Groups, at time.Time) {
		s.queued(client.Enqueue(posthog.Capture{
			Uuid: s.note("capture", event, n), DistinctId: user, Event: event, Properties: properties, Groups: groups, Timestamp: at,
		}))
	}
	session := "0190b2f0-0000-7000-8000-000000000001"
	now := time.Now()
	say("device-1", "$pageview", nil, map[string]any{"$current_url": home, "$session_id": session, "$referrer": "https://www.google.com/", "title": "Home"}, nil, now)
	say("device-1", "$pageview", nil, map[string]any{"$current_url": pricing, "$session_id": session, "$referrer": origin + "/", "title": "Pricing"}, nil, now.Add(time.Millisecond))
	say("device-1", "signup_started", nil, properties, nil, time.Time{})
	s.sent = append(s.sent, sent{Kind: "$create_alias"}, sent{Kind: "$identify"}, sent{Kind: "$groupidentify"}, sent{Kind: "$identify"})
	s.queued(client.Enqueue(posthog.Alias{DistinctId: "ada", Alias: "device-1"}))
	s.queued(client.Enqueue(posthog.Identify{DistinctId: "ada", Properties: posthog.NewProperties().Set("email", "ada@example.org").Set("plan", "pro").Set("age", 36)}))
	s.queued(client.Enqueue(posthog.GroupIdentify{Type: "company", Key: "acme", Properties: posthog.NewProperties().Set("name", "Acme").Set("seats", 20)}))
	say("ada", "order_completed", nil, map[string]any{"revenue": 49.9, "currency": "EUR", "order": "o-1"}, posthog.NewGroups().Set("company", "acme"), time.Time{})
	s.queued(client.Enqueue(posthog.Identify{DistinctId: "ben", Properties: posthog.NewProperties().Set("email", "ben@example.org")}))
	say("ben", "report_viewed", nil, nil, nil, time.Time{})
	say("ben", "imported", nil, nil, nil, now.Add(-3*24*time.Hour))
	for n := range s.ticks {
		say("ben", "tick", &n, map[string]any{"n": n}, nil, time.Time{})
	}
	say("ben", "last", nil, nil, nil, time.Time{})
	s.delivered()
	must(client.Close())
}
