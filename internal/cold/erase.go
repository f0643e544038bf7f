package cold

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	weir "github.com/weir-analytics/weir"
)

// Erasure is a profile that is to be forgotten.
type Erasure struct {
	ProjectID, ProfileID string    // '' where only devices are to be forgotten
	Merged               []string  // profiles that count for it by an alias
	Devices              []string  // that are linked to it
	At                   time.Time // what was received before is erased
	By                   string    // who asked for it
}

// Eraser erases profiles.
type Eraser interface {
	// Erase takes the person out of what was received before e.At: the profile, those
	// that are merged into it, and its devices as far as they are no other profile's. Of
	// its events stays what Anonymous leaves, so that no number of events changes; its
	// visits, sightings, links, traits and dead letters are deleted, and the aliases that
	// one of its profiles is the former id in. When it returns without an error
	// that is so for every question that is asked after.
	//
	// It notes that first, by hashes: what was received before e.At and is written
	// later is written so. A Write that began before the note may miss it: to erase
	// the same again, once that has ended, erases what it wrote. To erase again
	// changes nothing else; after an error, when a part may be done, it does the rest.
	//
	// Error: EINVALID for an erasure that Check refuses.
	//
	// It is safe for concurrent use, beside Write and Forget too, which may wait for
	// it.
	Erase(ctx context.Context, e Erasure) error
}

// Check refuses an erasure of nobody, which would be one of everybody who is not
// known, and of a time that a store does not have. Error: EINVALID.
func (e *Erasure) Check() error {
	if e.ProjectID == "" || e.ProfileID == "" && len(e.Devices) == 0 || slices.Contains(e.Devices, "") || slices.Contains(e.Merged, "") {
		return weir.Errorf(weir.EINVALID, "cannot erase a profile without an id")
	}
	if e.At.Before(Earliest) || !e.At.Before(Latest) {
		return weir.Errorf(weir.EINVALID, "cannot erase what was before %s: the cold tier has no such time", e.At.UTC().Format(time.RFC3339))
	}
	e.At = e.At.UTC().Truncate(time.Microsecond)
	return nil
}

// FormerErasedID is the id that versions before gave to every event whose person was
// erased. Such rows keep it.
const FormerErasedID = "erased"

// erasedID is what the ids of events whose person was erased begin with.
const erasedID = FormerErasedID + "-"

// erasedIDHex is how many hex digits follow.
const erasedIDHex = 32

// ErasedID is the id of an event whose person is erased: the same wherever the event
// is erased, and another for each event, so that copies can be compared. It is a hash
// of what names the event and of its times to the microsecond. Of these the erased
// event keeps the place alone, so the hash leads nobody to the person or to the former
// id who does not have the whole event from elsewhere.
func ErasedID(r *weir.EventRow) string {
	sum := sha256.Sum256(fmt.Appendf(nil, "%d %d %d %d %s %s %s",
		r.Shard, r.Seq, r.Time.UnixMicro(), r.ReceivedAt.UnixMicro(), r.ProjectID, Person(&r.Event), r.ID))
	return erasedID + hex.EncodeToString(sum[:])[:erasedIDHex]
}

// ErasedIDOf is ErasedID in SQL, of a row of the table events.
func ErasedIDOf(d Dialect) string {
	return fmt.Sprintf("CONCAT('%s', SUBSTRING(%s, 1, %d))", erasedID, d.SHA256("CONCAT(CAST(shard AS VARCHAR), ' ', CAST(seq AS VARCHAR), ' ', CAST("+
		d.Micros("ts")+" AS VARCHAR), ' ', CAST("+d.Micros("received_at")+" AS VARCHAR), ' ', project_id, ' ', person, ' ', id)"), erasedIDHex)
}

// IsErasedID says whether an id is one of an event whose person was erased.
func IsErasedID(id string) bool { return id == FormerErasedID || strings.HasPrefix(id, erasedID) }

// Anonymous is what is left of an event whose person was erased: what the tallies
// count by, how long a call took, whether it was a bot's, and the minute.
func Anonymous(r *weir.EventRow) weir.EventRow {
	out := weir.EventRow{Shard: r.Shard, Seq: r.Seq}
	out.ID, out.ProjectID, out.Name, out.Bot = ErasedID(r), r.ProjectID, r.Name, r.Bot
	out.Time, out.ReceivedAt = r.Time.Truncate(time.Minute), r.ReceivedAt.Truncate(time.Minute)
	if c := r.Call; c != nil {
		out.Call = &weir.Call{Method: c.Method, Route: c.Route, Status: c.Status, LatencyMS: c.LatencyMS}
	}
	return out
}

// Mark says when a person was erased. Person is a hash.
type Mark struct {
	ProjectID, Person string
	At                time.Time
	By                string // on the profile's mark
}

// Marks are those of an erasure, the profile's first.
func (e *Erasure) Marks() []Mark {
	var marks []Mark
	if e.ProfileID != "" {
		marks = append(marks, Mark{e.ProjectID, HashOf(e.ProjectID, "u"+e.ProfileID), e.At, e.By})
	}
	for _, m := range e.Merged {
		marks = append(marks, Mark{ProjectID: e.ProjectID, Person: HashOf(e.ProjectID, "u"+m), At: e.At})
	}
	for _, d := range e.Devices {
		marks = append(marks, Mark{ProjectID: e.ProjectID, Person: HashOf(e.ProjectID, "d"+d), At: e.At})
	}
	return marks
}

// HashOf is what a mark has of a person as Person has it: a SHA-256 in hex.
func HashOf(project, person string) string {
	sum := sha256.Sum256([]byte(project + "\x00" + person))
	return hex.EncodeToString(sum[:])
}

// Erased knows who was erased when.
type Erased map[[2]string]time.Time // by project and hash

// Add takes marks in.
func (m Erased) Add(marks ...Mark) {
	for _, k := range marks {
		if key := [2]string{k.ProjectID, k.Person}; k.At.After(m[key]) {
			m[key] = k.At
		}
	}
}

// Has says whether a mark, or a later one of the same person, is known.
func (m Erased) Has(k Mark) bool { return !m[[2]string{k.ProjectID, k.Person}].Before(k.At) }

// Until is the time up to which a person, as Person has it, was erased; the zero time
// is never.
func (m Erased) Until(project, person string) time.Time {
	return m[[2]string{project, HashOf(project, person)}]
}

// covers says whether a row of a time has a person who was erased after it.
func (m Erased) covers(project, profile, device string, at time.Time) bool {
	person := "u" + profile
	if profile == "" {
		person = "d" + device
	}
	return person != "d" && at.Before(m.Until(project, person))
}

// Filter is the batch with all its Links, and without those who were erased after its
// rows were received. The batch is not changed; events stay at their indexes.
func (m Erased) Filter(b *Batch) *Batch {
	out := *b
	if len(m) == 0 {
		out.Links = Links(b)
		return &out
	}
	out.Events = make([]weir.EventRow, len(b.Events))
	for i := range b.Events {
		r := &b.Events[i]
		out.Events[i] = *r
		if m.covers(r.ProjectID, r.ProfileID, r.DeviceID, r.ReceivedAt) {
			out.Events[i] = Anonymous(r)
		}
	}
	out.Visits = keep(b.Visits, func(v *weir.VisitRow) bool { return !m.covers(v.ProjectID, v.ProfileID, v.DeviceID, v.Start) })
	out.Links = keep(b.Links, func(l *weir.Link) bool { return !m.covers(l.ProjectID, l.ProfileID, l.DeviceID, l.At) })
	out.Links = keep(Links(&out), func(l *weir.Link) bool { return !l.Alias || !m.covers(l.ProjectID, l.DeviceID, "", l.At) })
	out.Traits = keep(b.Traits, func(c *weir.TraitChange) bool { return !m.covers(c.ProjectID, c.ProfileID, "", c.At) })
	out.Dead = keep(b.Dead, func(d *weir.DeadLetter) bool {
		e := PersonOf(d.Event)
		return !m.covers(d.ProjectID, e.ProfileID, e.DeviceID, e.ReceivedAt)
	})
	return &out
}

func keep[T any](rows []T, is func(*T) bool) []T {
	var out []T
	for i := range rows {
		if is(&rows[i]) {
			out = append(out, rows[i])
		}
	}
	return out
}

// Whose says whose event it is, and when it was received; the zero time is before all.
type Whose struct {
	ProfileID, DeviceID string
	ReceivedAt          time.Time
}

// Person is who it is, as the function Person has it.
func (w Whose) Person() string {
	return Person(&weir.Event{ProfileID: w.ProfileID, DeviceID: w.DeviceID})
}

// PersonOf reads of a dead letter's event whose it is, as far as it can be read.
func PersonOf(event []byte) (who Whose) {
	_ = json.Unmarshal(event, &who)
	return who
}

// Is says whether a dead letter's event is of the person that is to be erased.
func (e *Erasure) Is(event []byte) bool {
	who := PersonOf(event)
	if !who.ReceivedAt.Before(e.At) {
		return false
	}
	if who.ProfileID != "" {
		return who.ProfileID == e.ProfileID || slices.Contains(e.Merged, who.ProfileID)
	}
	return slices.Contains(e.Devices, who.DeviceID)
}

// erasedAtOnce is how many devices one statement names.
const erasedAtOnce = 500

// Part is a condition on rows of a person who is to be erased.
type Part struct {
	Table string
	Where string // with "?"
	Args  []any
}

// Parts are the rows of an erasure: events first, in which the person is to be effaced;
// the others are to be deleted. moment makes a timestamp of a "?" in microseconds.
func (e *Erasure) Parts(moment string) []Part {
	us := e.At.UnixMicro()
	var parts []Part
	// among adds the rows of some ids. rows are table and column of these, with the time
	// of the rows that are to go; sightings have none.
	among := func(ids []string, prefix string, rows [][3]string) {
		for some := range slices.Chunk(ids, erasedAtOnce) {
			in := " IN (?" + strings.Repeat(", ?", len(some)-1) + ")"
			for _, r := range rows {
				p := Part{r[0], "project_id = ? AND ", []any{e.ProjectID}}
				if r[2] != "" {
					p.Where, p.Args = p.Where+r[2]+" < "+moment+" AND ", append(p.Args, us)
				}
				p.Where += r[1] + in
				for _, id := range some {
					if r[1] == "person" {
						id = prefix + id
					}
					p.Args = append(p.Args, id)
				}
				parts = append(parts, p)
			}
		}
	}
	profiles := slices.Clone(e.Merged)
	if e.ProfileID != "" {
		profiles = append(profiles, e.ProfileID)
	}
	among(profiles, "u", [][3]string{
		{"events", "profile_id", "received_at"},
		{"visits", "profile_id", "start_at"},
		{"sightings", "person", ""},
		{"traits", "profile_id", "changed_at"},
		{"identities", "profile_id", "linked_at"},
		{"aliases", "profile_id", "linked_at"},
		{"aliases", "alias", "linked_at"},
	})
	among(e.Devices, "d", [][3]string{
		{"events", "profile_id = '' AND device_id", "received_at"},
		{"visits", "profile_id = '' AND device_id", "start_at"},
		{"sightings", "person", ""},
	})
	return parts
}
