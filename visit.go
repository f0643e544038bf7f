package weir

import (
	"slices"
	"strings"
	"time"
)

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
	ClosesMS      int64 // from the view to this event, milliseconds, never negative

	// A row that came late corrects what stored rows say, since these are never changed.
	// Example: views at minutes 0 and 10 are stored, the one at 10 as closing the first after
	// 10 minutes. A late view at 4 closes the first after 4 minutes, replaces the 10, and is
	// itself closed after 6 minutes.
	ReplacesMS Number // the time that a stored event gave to the view that this one closes
	// RestMS is the time from this event to a stored event that closes a view. If this event is a
	// screen view, the stored event closes this view. Otherwise it closes the view that this event
	// closes, and the time of that view is ClosesMS + RestMS.
	RestMS Number
}

// VisitRow is a state of a visit as a whole. A batch that changes a visit
// writes two rows: the state before with Sign -1 and nothing else changed, if
// there was one, and the new state with Sign +1 and the next Version. So for any
// condition on a row and any value of a row, the sum of Sign * value over the
// rows is the sum over the visits, and nobody has to bring the rows of a visit
// together.
//
// A visit is named by device and session id. One that its SDK named, that the
// fold has let go of, and that comes back, begins again at Version 1: as another
// visit of the same name.
type VisitRow struct {
	ProjectID, DeviceID, SessionID string
	Sign                           int8   // +1 is a state of the visit, -1 cancels one
	Version                        uint32 // counts the visit's states, from 1
	ProfileID                      string // last one seen, "" if none
	Beside                         Beside // who else is in it

	Start, End time.Time // first and last event, by their own time
	// ReceivedAt is when the first of its events was received. No event of a person
	// who was erased before it is in the visit. Zero on rows of earlier versions.
	ReceivedAt time.Time
	// Entry and Exit are paths of the first and last screen view by time; the
	// times are zero when there is none.
	Entry, Exit     string
	EntryAt, ExitAt time.Time

	Events      int64 // all events
	ScreenViews int64
	Interactive int64 // see Event.IsInteractive
	Calls       int64
	Revenue     float64 // always finite
	Ended       bool    // by a session_end. Earlier versions marked other visits that were over too
	Bot         bool    // all its screen views are a bot's; without a view, all its events

	// The visitor, as the visit's earliest event has it.
	Referrer, Channel                 string
	UTMSource, UTMMedium, UTMCampaign string
	Country, Region, City             string
	Browser, OS, DeviceType, Language string

	// Formerly has further session ids that events of the visit are stored with, with spaces
	// between: those of visits that a late event merged into this one, and the one that it had
	// before its SDK named it. They are of Weir's making, and have no spaces.
	Formerly string
}

// Beside lists the persons, beside the visit's profile, who have events in the visit:
// BesideAnonymous, BesideCrowd and profiles after BesideProfile, each with a newline before and
// after it. "" is nobody; on rows of earlier versions it means unknown.
type Beside string

// What Beside says.
const (
	BesideAnonymous = "a"
	BesideCrowd     = "c" // more than are named
	BesideProfile   = "u" // and the profile's id
)

// mostBeside bounds the state of a device that is sent with ever new profiles.
const mostBeside = 4

// Add is the list with one more.
func (b Beside) Add(who string) Beside {
	if strings.HasPrefix(who, BesideProfile) && (strings.Contains(who, "\n") || len(b.Profiles()) == mostBeside) {
		who = BesideCrowd
	}
	switch {
	case b.Has(who):
		return b
	case b == "":
		b = "\n"
	}
	return b + Beside(who) + "\n"
}

// Has says whether somebody is in the list.
func (b Beside) Has(who string) bool { return strings.Contains(string(b), "\n"+who+"\n") }

// All returns the entries of the list.
func (b Beside) All() []string {
	return slices.DeleteFunc(strings.Split(string(b), "\n"), func(who string) bool { return who == "" })
}

// Profiles are the ids of those that are named.
func (b Beside) Profiles() (ids []string) {
	for who := range strings.SplitSeq(string(b), "\n") {
		if id, ok := strings.CutPrefix(who, BesideProfile); ok && !slices.Contains(ids, id) {
			ids = append(ids, id)
		}
	}
	return ids
}

// Link says that a device is used by a profile. Without a device it says only that the
// profile was identified.
type Link struct {
	ProjectID, DeviceID, ProfileID string
	At                             time.Time // time of the event that said so
	ReceivedAt                     time.Time // when that event was received; zero on rows of earlier versions
	// If DeviceID is "", the profile was identified without a device. If ProfileID is "", an event
	// without a device has DeviceID as its profile, and the event does not identify it.
	// Alias says that the device is a former id of the profile, which may have been a
	// profile's too.
	Alias bool
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
