package cold

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"
	"strings"
	"time"

	weir "github.com/weir-analytics/weir"
	"github.com/weir-analytics/weir/internal/cold/schema"
)

// Erasure says what to erase of a project: a profile, or only devices.
type Erasure struct {
	ProjectID, ProfileID string    // '' if only devices are erased
	Merged               []string  // profiles that count for it by an alias
	Devices              []string  // that are linked to it
	Visits               []Visit   // that it is known to have shared with others; Erase looks for more
	At                   time.Time // what was received before is erased
	// Now says that the erasure is made now, and not copied from another store. Rows of
	// earlier versions do not say when they were received. If Now is set, all of them are
	// erased; else those whose events have a time before At.
	Now bool
	By  string // who asked for it
}

// Eraser erases profiles.
type Eraser interface {
	// Mark stores who is erased, as hashes. After it has returned, Erased includes this
	// erasure, and Write leaves the person out of each batch that is not Effaced.
	Mark(ctx context.Context, e Erasure) error
	// Erase marks, and takes the person out of what was received before e.At: the profile,
	// those that are merged into it, and its devices as far as they are no other profile's.
	// Of its events stays what Anonymous leaves, so that no number of events changes; its
	// visits, sightings, links, traits and dead letters are deleted, and the aliases that
	// one of its profiles is the former id in. Visits that others took part in are deleted
	// too, and what their events in such a visit took from others; these visits get marks
	// too, so that copies of the events elsewhere can be treated the same. When it returns without an
	// error that is so for every question that is asked after.
	//
	// A batch whose rows were made before the mark may come after it: who erases waits
	// for those in between. To erase again changes nothing; after an error, when a part may
	// be done, it does the rest.
	//
	// Error: EINVALID for an erasure that Check refuses.
	//
	// They are safe for concurrent use, beside Write and Forget too, which may wait for
	// them.
	Erase(ctx context.Context, e Erasure) error
}

// Check refuses an erasure with an empty id, which would erase all anonymous events, and one
// with a time that a store cannot hold. Error: EINVALID.
func (e *Erasure) Check() error {
	if e.ProjectID == "" || e.ProfileID == "" && len(e.Devices)+len(e.Visits) == 0 || slices.Contains(e.Devices, "") || slices.Contains(e.Merged, "") {
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
// of the event's place, person, id and times to the microsecond. The erased event keeps only
// its place. So nobody can find the person or the former id by the hash without a copy of the
// whole event.
func ErasedID(r *weir.EventRow) string {
	sum := sha256.Sum256(fmt.Appendf(nil, "%d %d %d %d %s %s %s",
		r.Shard, r.Seq, r.Time.UnixMicro(), r.ReceivedAt.UnixMicro(), r.ProjectID, weir.Person(r.ProfileID, r.DeviceID), r.ID))
	return erasedID + hex.EncodeToString(sum[:])[:erasedIDHex]
}

// ErasedIDOf is ErasedID in SQL, of a row of the table events.
func ErasedIDOf(d Dialect) string {
	return fmt.Sprintf("CONCAT('%s', SUBSTRING(%s, 1, %d))", erasedID, d.SHA256("CONCAT(CAST(shard AS VARCHAR), ' ', CAST(seq AS VARCHAR), ' ', CAST("+
		d.Micros("ts")+" AS VARCHAR), ' ', CAST("+d.Micros("received_at")+" AS VARCHAR), ' ', project_id, ' ', person, ' ', id)"), erasedIDHex)
}

// OfErased is the condition in SQL for a row of events whose person was erased.
const OfErased = "(person = '' AND (id = '" + FormerErasedID + "' OR id LIKE '" + erasedID + "%'))"

// IsErasedID says whether an id is one of an event whose person was erased.
func IsErasedID(id string) bool { return id == FormerErasedID || strings.HasPrefix(id, erasedID) }

// Anonymous returns what an erasure leaves of an event of the erased person: what the
// tallies count by, how long a call took, how large its bodies were, whether it was a bot's, and the minute.
func Anonymous(r *weir.EventRow) weir.EventRow {
	out := *r
	schema.Anonymize(&out, ErasedID(r))
	return out
}

// Assignment is a column with SQL of its new value.
type Assignment struct{ Column, Value string }

// AnonymousSQL is Anonymous in SQL: each column of events with its value after an erasure.
// Columns that an erasure keeps have their name as the value.
func AnonymousSQL(d Dialect) []Assignment {
	var out []Assignment
	for _, c := range schema.Events.Columns {
		value := c.Name
		switch c.Erase {
		case schema.Keep:
		case schema.ToHash:
			value = ErasedIDOf(d)
		case schema.ToMinute:
			value = d.Minute(c.Name)
		case schema.Clear:
			switch {
			case c.Null == schema.IfZero, c.Null == schema.IfAbsent && (c.Type == schema.Float || c.Type == schema.Int64):
				value = "NULL"
			case c.Null == schema.IfAbsent:
				value = "CASE WHEN " + c.Name + " IS NOT NULL THEN '' END"
			case c.Type == schema.Int64:
				value = "0"
			default:
				value = "''"
			}
		}
		out = append(out, Assignment{c.Name, value})
	}
	return out
}

// Mark is a row of the table erasures.
type Mark = schema.Mark

// Marks are those of an erasure, the profile's first.
func (e *Erasure) Marks() []Mark {
	var marks []Mark
	if e.ProfileID != "" {
		marks = append(marks, Mark{ProjectID: e.ProjectID, Person: HashOf(e.ProjectID, "u"+e.ProfileID), At: e.At, By: e.By})
	}
	for _, m := range e.Merged {
		marks = append(marks, Mark{ProjectID: e.ProjectID, Person: HashOf(e.ProjectID, "u"+m), At: e.At})
	}
	for _, d := range e.Devices {
		marks = append(marks, Mark{ProjectID: e.ProjectID, Person: HashOf(e.ProjectID, "d"+d), At: e.At})
	}
	for _, v := range e.Visits {
		marks = append(marks, Mark{ProjectID: e.ProjectID, Person: HashOfVisit(e.ProjectID, v), At: e.At})
	}
	return marks
}

// HashOf is what a mark has of a person as Person has it: a SHA-256 in hex.
func HashOf(project, person string) string {
	sum := sha256.Sum256([]byte(project + "\x00" + person))
	return hex.EncodeToString(sum[:])
}

// Erased is when each person was erased, by project and hash. The empty hash has the time of
// the project's last erasure.
type Erased map[[2]string]time.Time

// Add adds marks.
func (m Erased) Add(marks ...Mark) {
	for _, k := range marks {
		last := ""
		if IsRefold(k) {
			last = lastRefold
		}
		for _, key := range [][2]string{{k.ProjectID, k.Person}, {k.ProjectID, last}} {
			if k.At.After(m[key]) {
				m[key] = k.At
			}
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

// Last is when somebody of the project was erased last.
func (m Erased) Last(project string) time.Time { return m[[2]string{project, ""}] }

// Covers says whether the person was erased after at, the time when an event was received. The
// person is the profile or, without one, the device.
func (m Erased) Covers(project, profile, device string, at time.Time) bool {
	person := "u" + profile
	if profile == "" {
		person = "d" + device
	}
	return person != "d" && at.Before(m.Last(project)) && at.Before(m.Until(project, person))
}

// In says whether a visit contains an erased person, as far as its persons are known.
func (m Erased) In(v *weir.VisitRow) bool {
	at := received(v.ReceivedAt, v.Start)
	if !at.Before(m.Last(v.ProjectID)) {
		return false
	}
	if m.Covers(v.ProjectID, v.ProfileID, v.DeviceID, at) || v.Beside.Has(weir.BesideAnonymous) && m.Covers(v.ProjectID, "", v.DeviceID, at) {
		return true
	}
	for _, profile := range v.Beside.Profiles() {
		if m.Covers(v.ProjectID, profile, "", at) {
			return true
		}
	}
	return false
}

// MayBeIn is In, and true of a visit with more people than it names if anybody of the
// project was erased after it began.
func (m Erased) MayBeIn(v *weir.VisitRow) bool {
	return m.In(v) || v.Beside.Has(weir.BesideCrowd) && received(v.ReceivedAt, v.Start).Before(m.Last(v.ProjectID))
}

// Of adds to part the marks, later than since, of the given persons as Person has them,
// and of the project.
func (m Erased) Of(part Erased, since time.Time, project string, persons ...string) {
	last := m.Last(project)
	if !last.After(since) {
		return
	}
	part[[2]string{project, ""}] = last
	for _, p := range persons {
		if len(p) < 2 { // nobody
			continue
		}
		if at := m.Until(project, p); at.After(since) {
			part[[2]string{project, HashOf(project, p)}] = at
		}
	}
}

// Efface removes the person from an event of an erased person, and the ids of an erased person
// from an event of another one (see Unname). It returns whether it did either.
func (m Erased) Efface(r *weir.EventRow) (person, named bool) {
	if !r.ReceivedAt.Before(m.Last(r.ProjectID)) {
		return false, false
	}
	if m.Covers(r.ProjectID, r.ProfileID, r.DeviceID, r.ReceivedAt) {
		*r = Anonymous(r)
		return true, false
	}
	if m.names(r.ProjectID, &r.Event, r.ReceivedAt) {
		Unname(r)
		return false, true
	}
	return false, false
}

// names says whether an event names an erased person: as the former id of an alias,
// or as the consumer of a call.
func (m Erased) names(project string, e *weir.Event, at time.Time) bool {
	return m.Covers(project, e.Alias(), "", at) || e.Call != nil && m.Covers(project, e.Call.Consumer, "", at)
}

// Unname takes the alias of an identify event and the consumer of a call away.
func Unname(r *weir.EventRow) {
	if r.Alias() != "" {
		r.DropAlias()
	}
	if r.Call != nil && r.Call.Consumer != "" {
		c := *r.Call // which others may hold
		c.Consumer = ""
		r.Call = &c
	}
}

// Filter is the batch with all its Links, and without those who were erased after its
// rows were received, unless it is Effaced. The batch is not changed; events stay at their indexes.
func (m Erased) Filter(b *Batch) *Batch {
	out := *b
	if len(m) == 0 || b.Effaced {
		out.Links = Links(b)
		return &out
	}
	out.Events = slices.Clone(b.Events)
	for i := range out.Events {
		m.Efface(&out.Events[i])
		m.unshares(&out.Events[i])
	}
	out.Visits = keep(b.Visits, func(v *weir.VisitRow) bool { return !m.In(v) && !m.sharedVisit(v) })
	out.Links = keep(Links(&out), func(l *weir.Link) bool {
		at := received(l.ReceivedAt, l.At)
		return !m.Covers(l.ProjectID, l.ProfileID, l.DeviceID, at) && !((l.Alias || l.ProfileID == "") && m.Covers(l.ProjectID, l.DeviceID, "", at))
	})
	out.Traits = keep(b.Traits, func(c *weir.TraitChange) bool {
		return !m.Covers(c.ProjectID, c.ProfileID, "", received(c.ReceivedAt, c.At))
	})
	out.Dead = keep(b.Dead, func(d *weir.DeadLetter) bool {
		who := OwnerOf(d.Event)
		said := who.said()
		return !m.Covers(d.ProjectID, who.ProfileID, who.DeviceID, who.ReceivedAt) && !m.names(d.ProjectID, &said, who.ReceivedAt)
	})
	return &out
}

// received is when a row was received. Of rows of earlier versions only the events' own
// time is known.
func received(at, ts time.Time) time.Time {
	if at.IsZero() {
		return ts
	}
	return at
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
