package cold

import (
	"maps"
	"strings"

	weir "github.com/weir-analytics/weir"
)

// QuarterSeconds is the length of a quarter of an hour, by which events are
// numbered in the column quarter.
const QuarterSeconds = 15 * 60

// Quarter is the number of the quarter of an hour since 1970 that an event is in.
// Hours and days of all of today's timezones begin with one.
func Quarter(e *weir.Event) int32 {
	s := e.Time.Unix()
	q := s / QuarterSeconds
	if s%QuarterSeconds < 0 {
		q--
	}
	return int32(q)
}

// Person names who counts in one column, so that one key is hashed where persons
// are counted: the profile, else the device, else nobody. A link from the device
// to a profile is looked up at read.
func Person(e *weir.Event) string {
	switch {
	case e.ProfileID != "":
		return "u" + e.ProfileID
	case e.DeviceID != "":
		return "d" + e.DeviceID
	}
	return ""
}

// Sighting says that a person was seen in a quarter of an hour: what is needed to
// count the persons of all events, in a fifth as many rows. The table sightings
// has at least one for each person and quarter that events has.
type Sighting struct {
	ProjectID string
	Quarter   int32
	Person    string
}

// Sightings finds the sightings that a batch adds. One too many does no harm, so
// little needs to be remembered, and nothing over a restart.
//
// It is not safe for concurrent use.
type Sightings struct {
	seen, before map[personKey]int32 // last quarter written, of late and before that
	batch        map[personKey]int32 // of the batch at hand
}

type personKey struct{ project, person string }

// sightingsKept is how many persons are remembered, once or twice that: some 20 MB.
const sightingsKept = 100_000

// New begins a batch and returns its sightings that may not be in the store yet.
// What was not kept of the batch before is forgotten.
func (s *Sightings) New(events []weir.EventRow) []Sighting {
	s.batch = make(map[personKey]int32)
	var out []Sighting
	for i := range events {
		e := &events[i].Event
		k, q := personKey{e.ProjectID, Person(e)}, Quarter(e)
		if k.person == "" || s.has(k, q) {
			continue
		}
		k.project = strings.Clone(k.project) // not to hold the record that it is part of
		s.batch[k] = q
		out = append(out, Sighting{ProjectID: k.project, Quarter: q, Person: k.person})
	}
	return out
}

func (s *Sightings) has(k personKey, quarter int32) bool {
	last, ok := s.batch[k]
	if !ok {
		if last, ok = s.seen[k]; !ok {
			last, ok = s.before[k]
		}
	}
	return ok && last == quarter
}

// Keep remembers the batch at hand. It is called when the batch is in the store
// for sure, and not when that is in doubt.
func (s *Sightings) Keep() {
	if s.seen == nil || len(s.seen) >= sightingsKept {
		s.before, s.seen = s.seen, make(map[personKey]int32)
	}
	maps.Copy(s.seen, s.batch)
	s.batch = nil
}
