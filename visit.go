package weir

import "time"

// EventRow is an event as the cold tier stores it: with its place in the log
// and what the visit fold found out.
type EventRow struct {
	Event
	Shard int
	Seq   uint64

	InheritedFrom string // id of the screen view that Path and Origin come from
	// A row that ends the screen view before it in its visit names it here.
	ClosesEventID string
	ClosesPath    string
	ClosesMS      int64 // time spent on it, milliseconds, never negative
}

// VisitRow is what one batch adds to one visit. Rows of a visit add up: least
// Start, greatest End, sums of counts, Entry of the row with the least EntryAt,
// Exit of the row with the greatest ExitAt. A visit is named by device and
// session id.
type VisitRow struct {
	ProjectID, DeviceID, SessionID string
	ProfileID                      string // last one seen, "" if none

	Start, End time.Time // first and last event of this batch
	// Entry and Exit are paths of this batch's first and last screen view; the
	// times are zero when it has none.
	Entry, Exit     string
	EntryAt, ExitAt time.Time

	Events      int64 // all events
	ScreenViews int64
	Interactive int64 // see Event.IsInteractive
	Calls       int64
	Revenue     float64
	Ended       bool // the visit ended, by session_end, idleness or age

	// The visitor, as the visit's first event in this batch has it.
	Bot                               bool
	Referrer, Channel                 string
	UTMSource, UTMMedium, UTMCampaign string
	Country, Region, City             string
	Browser, OS, DeviceType, Language string
}

// Link says that a device is used by a profile.
type Link struct {
	ProjectID, DeviceID, ProfileID string
	At                             time.Time // time of the event that said so
}

// DeadLetter is an event that the cold tier refused, kept with the reason.
type DeadLetter struct {
	ProjectID string
	Shard     int
	Seq       uint64
	Reason    string
	Event     []byte // the event as JSON
	At        time.Time
}
