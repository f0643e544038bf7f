// Package live sends what happens in a project to open streams: events that were received,
// batches that were saved, and how many visitors there are.
package live

import (
	"time"

	"github.com/weir-analytics/weir/internal/insight"
)

// Event is one thing that happened in a project.
type Event struct {
	Type string // TypeReceived, TypeSaved or TypePresence
	Data any    // marshalled to JSON: a Received, Saved or Presence
}

// Types of events.
const (
	TypeReceived = "received"
	TypeSaved    = "saved"
	TypePresence = "presence"
)

// Received is the data of an event of TypeReceived.
type Received struct {
	Events []insight.EventItem `json:"events" nullable:"false" doc:"the last of those accepted, at most 20"`
	Count  int                 `json:"count" doc:"how many were accepted"`
}

// Saved is the data of an event of TypeSaved.
type Saved struct {
	Events int       `json:"events" doc:"of the project in the batch"`
	AsOf   time.Time `json:"as_of" doc:"when the batch was committed"`
}

// Presence is the data of an event of TypePresence.
type Presence struct {
	LiveVisitors int `json:"live_visitors" doc:"devices with an event in the last 5 minutes, without bots"`
}
