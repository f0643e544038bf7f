package cold

import (
	"maps"
	"strings"

	weir "github.com/weir-analytics/weir"
)

// QuarterSeconds is the length of a quarter of an hour. The column quarter counts
// quarters of an hour since 1970.
const QuarterSeconds = 15 * 60

// Quarter returns the number of quarters of an hour from 1970 to the event. Hours and
// days of all current timezones begin at the start of a quarter.
func Quarter(e *weir.Event) int32 {
	s := e.Time.Unix()
	q := s / QuarterSeconds
	if s%QuarterSeconds < 0 {
		q--
	}
	return int32(q)
}

// Person returns the value of the column person: "u" + profile id, or "d" + device id
// if there is no profile, or "" if there is neither. Queries that count persons hash
// this one column. They replace a device by its profile when they read.
func Person(e *weir.Event) string {
	switch {
	case e.ProfileID != "":
		return "u" + e.ProfileID
	case e.DeviceID != "":
		return "d" + e.DeviceID
	}
	return ""
}

// Sighting says that a person had an event in a quarter of an hour. The table sightings
// has at least one row for each such pair in events. It is enough to count persons, and
// has about a fifth of the rows.
type Sighting struct {
	ProjectID string
	Quarter   int32
	Person    string
}

// Sightings computes the sightings that a batch must add, and leaves out those that it
// remembers to be in the store. An extra row does no harm, so the memory is small and
// does not survive a restart.
//
// It is not safe for concurrent use.
type Sightings struct {
	// The last quarter written, by person. When recent is full it becomes older, and
	// the former older is dropped.
	recent, older map[personKey]int32
	batch         map[personKey]int32 // of the current batch, until Keep
}

type personKey struct{ project, person string }

// maxRecentPersons bounds recent, and so older: both together take about 20 MB.
const maxRecentPersons = 100_000

// New starts a batch and returns the sightings to write: those that may not be in the
// store yet. If Keep was not called for the previous batch, its sightings are not
// remembered.
func (s *Sightings) New(events []weir.EventRow) []Sighting {
	s.batch = make(map[personKey]int32)
	var out []Sighting
	for i := range events {
		e := &events[i].Event
		k, q := personKey{e.ProjectID, Person(e)}, Quarter(e)
		if k.person == "" || s.remembers(k, q) {
			continue
		}
		k.project = strings.Clone(k.project) // otherwise it would keep the whole record in memory
		s.batch[k] = q
		out = append(out, Sighting{ProjectID: k.project, Quarter: q, Person: k.person})
	}
	return out
}

func (s *Sightings) remembers(k personKey, quarter int32) bool {
	last, ok := s.batch[k]
	if !ok {
		if last, ok = s.recent[k]; !ok {
			last, ok = s.older[k]
		}
	}
	return ok && last == quarter
}

// Keep remembers the sightings of the current batch. Call it only when the batch is
// certainly in the store.
func (s *Sightings) Keep() {
	if s.recent == nil || len(s.recent) >= maxRecentPersons {
		s.older, s.recent = s.recent, make(map[personKey]int32)
	}
	maps.Copy(s.recent, s.batch)
	s.batch = nil
}
