package cold

import (
	"maps"
	"strings"

	weir "github.com/weir-analytics/weir"
	"github.com/weir-analytics/weir/internal/cold/schema"
)

// QuarterSeconds is the length of a quarter of an hour, see weir.Quarter.
const QuarterSeconds = weir.QuarterSeconds

// Sighting is a row of the table sightings.
type Sighting = schema.Sighting

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
		k, q := personKey{e.ProjectID, weir.Person(e.ProfileID, e.DeviceID)}, weir.Quarter(e.Time)
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
