// Package visit folds a shard's events into visits: which visit an event is
// part of, which page it was on, how long the page before was looked at.
//
// The fold is pure: no clock, no I/O, nothing random. The same open visits,
// events and now give the same rows, so that a batch can be done again after a
// crash and come out the same.
//
// # Rules
//
// A visit is one sitting of one device. It ends after 30 minutes without an
// event, 24 hours after it began, or by a session_end; a session id that the
// SDK gives is kept and overrides both times. Time is the events' own: a log
// that is imported years later folds as it would have then.
//
// A device keeps at most two visits in the state: the newest, and one before
// it. The second takes in late events: those within the span of a visit that
// has ended join it, without making it longer; older ones get a visit of their
// own. So neither a late event nor a log imported backwards tears the newest
// visit in two, and an ended visit is never opened again.
//
// A visit lies before or after each erasure of whoever is in it (Folder.Erased). A visit
// that somebody was in before their erasure is dropped without a row. An event that would
// join a visit from the other side of an erasure begins a visit of its own.
//
// A screen view, a screen leave or a session end closes the visit's last screen
// view, if that was open and is not later than the closer. A screen leave that
// names another page, within 5 seconds after the view, is of the page before, which
// the view has closed: it closes nothing. Any other event takes path and origin of
// the last screen view before it.
//
// # Rows
//
// A batch writes the state that it leaves a visit in, after a row that cancels
// the state before (weir.VisitRow): at most one of each for a visit, however many
// events of it the batch has, and none for a visit that it leaves alone. A visit
// named by the SDK that was let go of, since it expired or newer ones took its
// place, and that comes back, begins again as a new visit of the same id.
package visit

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"maps"
	"slices"
	"time"

	weir "github.com/weir-analytics/weir"
)

const (
	// Idle is how long a visit lasts without an event.
	Idle = 30 * time.Minute
	// MaxAge is how long a visit lasts at most, unless the SDK names it.
	MaxAge = 24 * time.Hour
	// lateLeave is how long after a view the leave of the page before it may come.
	lateLeave = 5 * time.Second
)

// Open holds the state of each device with a visit in memory, by Key.
type Open map[string]State

// Key names a device in Open.
func Key(project, device string) string { return project + "\x00" + device }

// Project is the project of a device that Key names.
func Project(key string) string {
	project, _ := Split(key)
	return project
}

// State is a device's visits: the newest, and perhaps one before it. States are
// never changed in place.
type State []Sitting

// Sitting is a visit as far as the fold remembers it.
type Sitting struct {
	// VisitRow is the state that was written last, which a change cancels. It
	// has no project, device and sign. Without Events it was never written.
	weir.VisitRow
	Named   bool      // by the SDK
	Touched time.Time // the now of the last batch that had an event of it
	View    View      // its last screen view
}

// see notes whose event comes next.
func (s *Sitting) see(profile string) {
	switch {
	case profile == s.ProfileID:
		return
	case profile == "":
		s.Beside = s.Beside.Add(weir.BesideAnonymous)
		return
	case s.ProfileID != "":
		s.Beside = s.Beside.Add(weir.BesideProfile + s.ProfileID)
	case s.Events > 0:
		s.Beside = s.Beside.Add(weir.BesideAnonymous)
	}
	s.ProfileID = profile
}

// View is a screen view that later events refer to.
type View struct {
	EventID, Path, Origin string
	At                    time.Time
	Closed                bool
}

// Result is what a fold adds.
type Result struct {
	Visits  []weir.VisitRow  // a cancellation stands just before the state that follows
	Changed map[string]State // by Key; an empty State is to be dropped
	Outside map[string]int   // by project that is full: its events that are in no visit for that reason
}

// Folder folds the events of one shard.
type Folder struct {
	LogID string // of the hot log; session ids derive from it, shard and seq
	// Erased reports whether somebody in a visit was erased after the visit's ReceivedAt,
	// or may have been. Nil if nobody was erased.
	Erased func(*weir.VisitRow) bool
}

// Fold takes the rows, in the order of the log, into the visits. It fills in
// the rows' SessionID, Path, Origin, InheritedFrom and Closes fields, and does
// not change open, which needs to hold the devices of the rows only.
//
// In a project that is full no device begins its first visit: the events of such
// devices stay as they are, in no visit.
func (f Folder) Fold(open Open, rows []weir.EventRow, now time.Time, full map[string]bool) Result {
	p := f.Begin(now, full)
	p.Fold(open, rows)
	return p.Result()
}

// Begin begins a fold of a batch that is not held in memory as a whole.
func (f Folder) Begin(now time.Time, full map[string]bool) *Part {
	return &Part{f, batch{now: now, full: full, changed: map[string]State{}, at: map[visitKey]int{}}}
}

// Part is a part of a batch that is folded: the result is the same as that of one
// Fold of all its rows.
type Part struct {
	folder Folder
	batch  batch
}

// Fold takes the next rows. open needs to hold their devices only.
func (p *Part) Fold(open Open, rows []weir.EventRow) {
	p.batch.open = open
	for i := range rows {
		if rows[i].DeviceID != "" {
			p.folder.event(&p.batch, &rows[i])
		}
	}
}

// Result is what the parts add.
func (p *Part) Result() Result { return p.batch.result() }

// Expire ends the visits that no batch has touched for Idle before now, and drops those
// with somebody who was erased.
func (f Folder) Expire(open Open, now time.Time) Result {
	b := batch{open: open, now: now, changed: map[string]State{}, at: map[visitKey]int{}}
	for _, key := range slices.Sorted(maps.Keys(open)) {
		st := open[key]
		keep := st[:0:0]
		for _, s := range st {
			switch {
			case f.hasErased(key, &s):
			case now.Sub(s.Touched) < Idle:
				keep = append(keep, s)
			default:
				b.end(key, &s)
			}
		}
		if len(keep) < len(st) {
			b.changed[key] = keep
		}
	}
	return b.result()
}

// batch is a fold under way.
type batch struct {
	open    Open
	now     time.Time
	full    map[string]bool // projects
	outside map[string]int
	changed map[string]State
	visits  []weir.VisitRow
	at      map[visitKey]int // index in visits of the new state
}

type visitKey struct{ device, session string }

func (f Folder) event(b *batch, r *weir.EventRow) {
	key := Key(r.ProjectID, r.DeviceID)
	st, ok := b.changed[key]
	if !ok {
		st = slices.Clone(b.open[key])
		if f.HasErased(key, st) {
			st = slices.DeleteFunc(st, func(s Sitting) bool { return f.hasErased(key, &s) })
			b.changed[key] = st
		}
	}
	if len(st) == 0 && b.full[r.ProjectID] {
		b.leaveOut(r)
		return
	}
	i := f.join(key, st, r)
	if i < 0 {
		if r.Name == weir.NameSessionEnd || r.Name == weir.NameScreenLeave {
			return // ends what is not open: it opens nothing
		}
		st, i = f.begin(b, key, st, r)
	}
	s := &st[i]
	row := b.touch(key, s)
	s.see(r.ProfileID)
	s.ReceivedAt = earlier(s.ReceivedAt, r.ReceivedAt)
	r.SessionID = s.SessionID
	s.look(r)
	s.add(r)
	s.Touched = b.now
	b.visits[row] = s.row(key)
	if r.Name == weir.NameSessionEnd {
		b.end(key, s)
	}
	b.changed[key] = st
}

// leaveOut leaves the event in no visit.
func (b *batch) leaveOut(r *weir.EventRow) {
	if b.outside == nil {
		b.outside = map[string]int{}
	}
	b.outside[r.ProjectID]++
}

// join is the index of the visit that the event is part of, -1 for none.
func (f Folder) join(key string, st State, r *weir.EventRow) int {
	for i := range st {
		if st[i].takes(r) && !f.apart(key, &st[i], r) {
			return i
		}
	}
	return -1
}

// takes reports whether the event is part of the visit, erasures aside.
func (s *Sitting) takes(r *weir.EventRow) bool {
	switch {
	case r.SessionID != "":
		return s.SessionID == r.SessionID
	case s.Ended:
		return !r.Time.Before(s.Start) && !r.Time.After(s.End)
	case r.Time.Sub(s.End) <= Idle && s.Start.Sub(r.Time) <= Idle:
		return s.Named || later(s.End, r.Time).Sub(earlier(s.Start, r.Time)) <= MaxAge
	}
	return false
}

// begin opens a visit for the event, as the newest if it is, and lets go of the
// one for which there is no room.
func (f Folder) begin(b *batch, key string, st State, r *weir.EventRow) (State, int) {
	n := Sitting{Named: r.SessionID != ""}
	n.SessionID, n.Start, n.End, n.ReceivedAt = r.SessionID, r.Time, r.Time, r.ReceivedAt
	if !n.Named {
		n.SessionID = f.sessionID(r.Shard, r.Seq)
	}
	for i := range st {
		if st[i].SessionID == n.SessionID { // from the other side of an erasure: a state has each name once
			b.end(key, &st[i])
			st = slices.Delete(st, i, i+1)
			break
		}
	}
	delete(b.at, visitKey{key, n.SessionID}) // of that name there may have been another
	switch {
	case len(st) == 0:
		return State{n}, 0
	case r.Time.Before(st[0].Start):
		if len(st) > 1 {
			b.end(key, &st[1])
		}
		return State{st[0], n}, 1
	default:
		for i := range st {
			b.end(key, &st[i])
		}
		return State{n, st[0]}, 0
	}
}

// sessionID derives a visit's id from the place of its first event in the log.
func (f Folder) sessionID(shard int, seq uint64) string {
	sum := sha256.Sum256(fmt.Appendf(nil, "%s/%d/%d", f.LogID, shard, seq))
	return hex.EncodeToString(sum[:10])
}

// late says whether a leave is of the page before the view: a browser shows a page
// and hides the one before at the same time, in either order.
func (v *View) late(r *weir.EventRow) bool {
	return r.Name == weir.NameScreenLeave && r.Path != "" && r.Path != v.Path && r.Time.Sub(v.At) < lateLeave
}

// look relates the event to the visit's last screen view.
func (s *Sitting) look(r *weir.EventRow) {
	v := &s.View
	before := v.EventID != "" && !v.At.After(r.Time)
	switch r.Name {
	case weir.NameScreenView, weir.NameScreenLeave, weir.NameSessionEnd:
		if before && !v.Closed && !v.late(r) {
			r.ClosesEventID, r.ClosesPath = v.EventID, v.Path
			r.ClosesMS = r.Time.Sub(v.At).Milliseconds()
			v.Closed = true
		}
	}
	if r.IsScreenView() {
		if v.EventID == "" || before {
			*v = View{EventID: r.ID, Path: r.Path, Origin: r.Origin, At: r.Time}
		}
		return
	}
	if r.Path == "" && before {
		r.Path, r.InheritedFrom = v.Path, v.EventID
		if r.Origin == "" {
			r.Origin = v.Origin
		}
	}
}
