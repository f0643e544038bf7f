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

// Firsts finds the rows that count persons: the first that was written of a
// person in a quarter of an hour. Whoever counts the persons of all events in
// whole quarters may pass over the others, which are five in six. Every other row
// must have a first one that is in the store; a row too many that says it is one
// does no harm, so little needs to be remembered, and nothing over a restart.
//
// It is not safe for concurrent use.
type Firsts struct {
	seen, before map[personKey]int32 // last quarter written, of late and before that
	batch        map[personKey]int32 // of the batch at hand
}

type personKey struct{ project, person string }

// firstsKept is how many persons are remembered, once or twice that: some 20 MB.
const firstsKept = 100_000

// First says whether an event of the batch at hand is a first one, and whose. It
// is to be called once for each event, in order.
func (f *Firsts) First(e *weir.Event) (person string, first bool) {
	person = Person(e)
	if person == "" {
		return "", false
	}
	k, q := personKey{e.ProjectID, person}, Quarter(e)
	last, ok := f.batch[k]
	if !ok {
		if last, ok = f.seen[k]; !ok {
			last, ok = f.before[k]
		}
	}
	if ok && last == q {
		return person, false
	}
	if f.batch == nil {
		f.batch = make(map[personKey]int32)
	}
	k.project = strings.Clone(k.project) // not to hold the record that it is part of
	f.batch[k] = q
	return person, true
}

// Begin forgets what was not kept and begins a batch.
func (f *Firsts) Begin() { clear(f.batch) }

// Keep remembers the batch at hand. It is called when the batch is in the store
// for sure, and not when that is in doubt.
func (f *Firsts) Keep() {
	if f.seen == nil || len(f.seen) >= firstsKept {
		f.before, f.seen = f.seen, make(map[personKey]int32)
	}
	maps.Copy(f.seen, f.batch)
	clear(f.batch)
}
