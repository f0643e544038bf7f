package schema

import (
	"time"

	weir "github.com/weir-analytics/weir"
)

// Sighting says that a person had an event in a quarter of an hour. The table sightings
// has at least one row for each such pair in events. It is enough to count persons, and
// has about a fifth of the rows.
type Sighting struct {
	ProjectID string
	Quarter   int32
	Person    string
}

// Sightings has a row for each person and quarter of an hour of events.
var Sightings = Table[Sighting]{
	Name:    "sightings",
	Checked: true,
	Columns: []Column[Sighting]{
		{Name: "project_id", Type: Word, Value: func(s *Sighting) *string { return &s.ProjectID }},
		{Name: "quarter", Type: Int32, Value: func(s *Sighting) *int32 { return &s.Quarter }},
		{Name: "person", Type: Text, Value: func(s *Sighting) *string { return &s.Person }},
	},
}

// Tally counts a batch's events of one kind in a quarter of an hour: what is needed
// to count events by these columns alone, in far fewer rows. Tallies of one kind
// add up. The table tallies has one for each event that events has.
type Tally struct {
	ProjectID string
	Quarter   int32
	Name      string
	Call      bool // Method and Route are known; NULL otherwise
	Method    string
	Route     string
	Status    int // 0 is unknown, NULL

	Events int64
}

// Tallies has numbers of events.
var Tallies = Table[Tally]{
	Name:    "tallies",
	Checked: true,
	Origin:  []Column[Origin]{originLog, originShard, originLast, originBatch},
	Columns: []Column[Tally]{
		{Name: "project_id", Type: Word, Value: func(t *Tally) *string { return &t.ProjectID }},
		{Name: "quarter", Type: Int32, Value: func(t *Tally) *int32 { return &t.Quarter }},
		{Name: "name", Type: Word, Value: func(t *Tally) *string { return &t.Name }},
		{Name: "method", Type: Word, Null: IfAbsent, Make: makeTallyOfCalls, Value: ofCalls(func(t *Tally) *string { return &t.Method })},
		{Name: "route", Type: Word, Null: IfAbsent, Make: makeTallyOfCalls, Value: ofCalls(func(t *Tally) *string { return &t.Route })},
		{Name: "status", Type: Int32, Null: IfZero, Value: func(t *Tally) *int { return &t.Status }},
		{Name: "events", Type: Int64, Value: func(t *Tally) *int64 { return &t.Events }},
	},
}

func ofCalls(f func(*Tally) *string) func(*Tally) *string {
	return func(t *Tally) *string {
		if !t.Call {
			return nil
		}
		return f(t)
	}
}

func makeTallyOfCalls(t *Tally) { t.Call = true }

// Identities has the links of devices to profiles.
var Identities = linkTable("identities", "device_id")

// Aliases has the links that are aliases. They are in Identities too.
var Aliases = linkTable("aliases", "alias")

func linkTable(name, device string) Table[weir.Link] {
	return Table[weir.Link]{
		Name: name,
		Columns: []Column[weir.Link]{
			{Name: "project_id", Type: Word, Value: func(l *weir.Link) *string { return &l.ProjectID }},
			{Name: device, Type: Text, Value: func(l *weir.Link) *string { return &l.DeviceID }},
			{Name: "profile_id", Type: Text, Value: func(l *weir.Link) *string { return &l.ProfileID }},
			{Name: "linked_at", Type: Time, Value: func(l *weir.Link) *time.Time { return &l.At }},
			{Name: "received_at", Type: Time, Null: IfZero, Value: func(l *weir.Link) *time.Time { return &l.ReceivedAt }},
		},
	}
}

// Traits has the changes of traits.
var Traits = Table[weir.TraitChange]{
	Name: "traits",
	Columns: []Column[weir.TraitChange]{
		{Name: "project_id", Type: Word, Value: func(c *weir.TraitChange) *string { return &c.ProjectID }},
		{Name: "trait", Type: Word, Value: func(c *weir.TraitChange) *string { return &c.Trait }},
		{Name: "profile_id", Type: Text, Value: func(c *weir.TraitChange) *string { return &c.ProfileID }},
		{Name: "place", Type: Text, Value: func(c *weir.TraitChange) *string { return &c.Place }},
		{Name: "changed_at", Type: Time, Value: func(c *weir.TraitChange) *time.Time { return &c.At }},
		{Name: "op", Type: Word, Value: func(c *weir.TraitChange) *string { return (*string)(&c.Op) }},
		{Name: "text", Type: Text, Value: func(c *weir.TraitChange) *string { return &c.Text }},
		{Name: "quoted", Type: Bool, Value: func(c *weir.TraitChange) *bool { return &c.Quoted }},
		{Name: "micros", Type: Int64, Null: IfAbsent, Make: func(c *weir.TraitChange) { c.Number = true }, Value: func(c *weir.TraitChange) *int64 {
			if !c.Number {
				return nil
			}
			return &c.Micros
		}},
		{Name: "received_at", Type: Time, Null: IfZero, Value: func(c *weir.TraitChange) *time.Time { return &c.ReceivedAt }},
	},
}

// Mark says when a person was erased. Person is a hash: of the person, or of a visit that
// a person shared with others.
type Mark struct {
	ProjectID, Person string
	At                time.Time
	By                string // on the profile's mark
}

// Erasures has the marks of erasures.
var Erasures = Table[Mark]{
	Name: "erasures",
	Columns: []Column[Mark]{
		{Name: "project_id", Type: Word, Value: func(m *Mark) *string { return &m.ProjectID }},
		{Name: "person", Type: Text, Value: func(m *Mark) *string { return &m.Person }},
		{Name: "erased_at", Type: Time, Value: func(m *Mark) *time.Time { return &m.At }},
		{Name: "erased_by", Type: Text, Value: func(m *Mark) *string { return &m.By }},
	},
}

// Deletion is a step of a deletion of events. A deletion has a row for each step that is
// done: the one with the greatest Step counts.
type Deletion struct {
	ProjectID, ID        string
	Step                 int32
	Before               time.Time // only events that were received before are deleted
	Spec                 string    // which events, as JSON
	By                   string    // who asked for it
	Events, Visits, Days int64     // that the deleted events are or were in
	ChangedAt            time.Time // when the step was done
}

// Deletions has the steps of deletions.
var Deletions = Table[Deletion]{
	Name: "deletions",
	Columns: []Column[Deletion]{
		{Name: "project_id", Type: Word, Value: func(d *Deletion) *string { return &d.ProjectID }},
		{Name: "id", Type: Text, Value: func(d *Deletion) *string { return &d.ID }},
		{Name: "step", Type: Int32, Value: func(d *Deletion) *int32 { return &d.Step }},
		{Name: "received_before", Type: Time, Value: func(d *Deletion) *time.Time { return &d.Before }},
		{Name: "spec", Type: Text, Value: func(d *Deletion) *string { return &d.Spec }},
		{Name: "deleted_by", Type: Text, Value: func(d *Deletion) *string { return &d.By }},
		{Name: "events", Type: Int64, Value: func(d *Deletion) *int64 { return &d.Events }},
		{Name: "visits", Type: Int64, Value: func(d *Deletion) *int64 { return &d.Visits }},
		{Name: "days", Type: Int64, Value: func(d *Deletion) *int64 { return &d.Days }},
		{Name: "changed_at", Type: Time, Value: func(d *Deletion) *time.Time { return &d.ChangedAt }},
	},
}

// Deleted is an event that a deletion deletes: its place, and what counters, visits, sightings
// and links have of it.
type Deleted struct {
	DeletionID string
	weir.EventRow
}

// DeletedEvents has the events of each deletion. They are stored before the first event is
// deleted, so that a deletion that is repeated deletes the same events.
var DeletedEvents = Table[Deleted]{
	Name:    "deleted_events",
	Checked: true,
	Columns: []Column[Deleted]{
		{Name: "project_id", Type: Word, Value: func(r *Deleted) *string { return &r.ProjectID }},
		{Name: "deletion_id", Type: Word, Value: func(r *Deleted) *string { return &r.DeletionID }},
		{Name: "ts", Type: Time, Value: func(r *Deleted) *time.Time { return &r.Time }},
		{Name: "quarter", Type: Int32, Value: func(r *Deleted) int32 { return weir.Quarter(r.Time) }},
		{Name: "name", Type: Word, Value: func(r *Deleted) *string { return &r.Name }},
		{Name: "id", Type: Text, Value: func(r *Deleted) *string { return &r.Event.ID }},
		{Name: "received_at", Type: Time, Value: func(r *Deleted) *time.Time { return &r.ReceivedAt }},
		{Name: "profile_id", Type: Text, Value: func(r *Deleted) *string { return &r.ProfileID }},
		{Name: "device_id", Type: Text, Value: func(r *Deleted) *string { return &r.DeviceID }},
		{Name: "session_id", Type: Text, Value: func(r *Deleted) *string { return &r.SessionID }},
		{Name: "person", Type: Text, Value: func(r *Deleted) string { return weir.Person(r.ProfileID, r.DeviceID) }},
		{Name: "bot", Type: Bool, Value: func(r *Deleted) *bool { return &r.Bot }},
		{Name: "method", Type: Word, Null: IfAbsent, Make: makeDeletedCall, Value: ofDeletedCall(func(c *weir.Call) *string { return &c.Method })},
		{Name: "route", Type: Word, Null: IfAbsent, Make: makeDeletedCall, Value: ofDeletedCall(func(c *weir.Call) *string { return &c.Route })},
		{Name: "status", Type: Int32, Null: IfZero, Make: makeDeletedCall, Value: ofDeletedCall(func(c *weir.Call) *int { return &c.Status })},
		{Name: "consumer", Type: Word, Null: IfAbsent, Make: makeDeletedCall, Value: ofDeletedCall(func(c *weir.Call) *string { return &c.Consumer })},
		{Name: "shard", Type: Int32, Value: func(r *Deleted) *int { return &r.Shard }},
		{Name: "seq", Type: Uint64, Value: func(r *Deleted) *uint64 { return &r.Seq }},
	},
}

func ofDeletedCall[V any](f func(*weir.Call) *V) func(*Deleted) *V {
	return func(r *Deleted) *V {
		if r.Call == nil {
			return nil
		}
		return f(r.Call)
	}
}

func makeDeletedCall(r *Deleted) { r.Call = &weir.Call{} }

// DeadLetters has the events that were refused.
var DeadLetters = Table[weir.DeadLetter]{
	Name:   "dead_letters",
	Origin: []Column[Origin]{originLog},
	Columns: []Column[weir.DeadLetter]{
		{Name: "project_id", Type: Text, Value: func(d *weir.DeadLetter) *string { return &d.ProjectID }},
		{Name: "shard", Type: Int32, Value: func(d *weir.DeadLetter) *int { return &d.Shard }},
		{Name: "seq", Type: Uint64, Value: func(d *weir.DeadLetter) *uint64 { return &d.Seq }},
		{Name: "reason", Type: Text, Value: func(d *weir.DeadLetter) *string { return &d.Reason }},
		{Name: "event", Type: Bytes, Value: func(d *weir.DeadLetter) *[]byte { return &d.Event }},
		{Name: "refused_at", Type: Time, Value: func(d *weir.DeadLetter) *time.Time { return &d.At }},
	},
}

// Token says that a batch is stored.
type Token struct {
	Token       string
	Shard       int
	First, Last uint64 // seqs
	WrittenAt   time.Time
}

// Batches has the tokens of stored batches.
var Batches = Table[Token]{
	Name: "batches",
	Columns: []Column[Token]{
		{Name: "token", Type: Text, Value: func(t *Token) *string { return &t.Token }},
		{Name: "shard", Type: Int32, Value: func(t *Token) *int { return &t.Shard }},
		{Name: "first_seq", Type: Uint64, Value: func(t *Token) *uint64 { return &t.First }},
		{Name: "last_seq", Type: Uint64, Value: func(t *Token) *uint64 { return &t.Last }},
		{Name: "written_at", Type: Time, Value: func(t *Token) *time.Time { return &t.WrittenAt }},
	},
}

// Origin says which batch a row comes from.
type Origin struct {
	Log   string // of the hot tier
	Shard int
	Last  uint64 // seq
	Batch uint64 // hash of the token; 0 in rows of earlier versions
}

var (
	originLog   = Column[Origin]{Name: "log", Type: Word, Value: func(o *Origin) *string { return &o.Log }}
	originShard = Column[Origin]{Name: "shard", Type: Int32, Value: func(o *Origin) *int { return &o.Shard }}
	originLast  = Column[Origin]{Name: "last_seq", Type: Uint64, Value: func(o *Origin) *uint64 { return &o.Last }}
	originBatch = Column[Origin]{Name: "batch", Type: Uint64, Value: func(o *Origin) *uint64 { return &o.Batch }}
)
