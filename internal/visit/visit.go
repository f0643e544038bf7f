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
// The events of a batch are folded by time, whatever order they came in.
//
// A device keeps its newest visit in the state, and those before it that late
// events may belong to, eight at most. A late event joins the visit that it is within
// 30 minutes of, also if that ended for a newer one, as long as the event is at most
// an hour behind the newest event of the device. An event that is further behind joins a
// visit only if it lies between that visit's first and last event; otherwise it begins a
// visit of its own. So a visit of 10:00 to 10:20 takes an event of 10:10 at any time, and
// one of 10:25 only while the device has sent nothing of after 11:25.
// A session_end is final: what comes after it by time is not in its visit.
//
// A visit belongs to the profile of its last event by time that has one; of several at the same
// time, the least profile id.
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
	// lateJoin is how far behind the newest event of its device an event may be to make a
	// visit longer that is not the newest: what is Idle late belongs to visits that
	// ended Idle before it.
	lateJoin = 2 * Idle
	// mostKept is how many visits of a device are in the state at most.
	mostKept = 8
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

// State is a device's visits, by falling start. States are never changed in place.
type State []Sitting

// Sitting is a visit as far as the fold remembers it.
type Sitting struct {
	// VisitRow is the state that was written last, which a change cancels. It
	// has no project, device and sign. Without Events it was never written.
	weir.VisitRow
	Named     bool      // by the SDK
	Final     bool      // ended by a session_end
	Touched   time.Time // the now of the last batch that had an event of it
	ProfileAt time.Time // of the last event with the visit's profile; no meaning without one
	View      View      // its last screen view
}

// see notes whose event is added next, and at what time it was.
func (s *Sitting) see(profile string, at time.Time) {
	switch {
	case profile == "":
		if s.ProfileID != "" {
			s.Beside = s.Beside.Add(weir.BesideAnonymous)
		}
		return
	case profile == s.ProfileID:
		s.ProfileAt = later(s.ProfileAt, at)
		return
	case s.ProfileID == "":
		if s.Events > 0 {
			s.Beside = s.Beside.Add(weir.BesideAnonymous)
		}
	case at.Before(s.ProfileAt) || at.Equal(s.ProfileAt) && s.ProfileID < profile:
		s.Beside = s.Beside.Add(weir.BesideProfile + profile)
		return
	default:
		s.Beside = s.Beside.Add(weir.BesideProfile + s.ProfileID)
	}
	s.ProfileID, s.ProfileAt = profile, at
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
	// InLogOrder folds as versions before 4 of the state did: in the order of the log, with two
	// visits of a device. A batch that such a version began is done again like that.
	InLogOrder bool
}

// Fold takes the rows of a batch, which come in the order of the log, into the visits. It
// fills in the rows' SessionID, Path, Origin, InheritedFrom and Closes fields, and does
// not change open, which needs to hold the devices of the rows only.
//
// In a project that is full no device begins its first visit: the events of such
// devices stay as they are, in no visit.
func (f Folder) Fold(open Open, rows []weir.EventRow, now time.Time, full map[string]bool) Result {
	b := batch{open: open, now: now, full: full, changed: map[string]State{}, at: map[visitKey]int{}}
	for _, i := range f.order(rows) {
		if rows[i].DeviceID != "" {
			f.event(&b, &rows[i])
		}
	}
	return b.result()
}

// order returns the indexes of the rows by time; of the same time, in the order of the log.
func (f Folder) order(rows []weir.EventRow) []int {
	order := make([]int, len(rows))
	for i := range order {
		order[i] = i
	}
	if !f.InLogOrder {
		slices.SortStableFunc(order, func(i, j int) int { return rows[i].Time.Compare(rows[j].Time) })
	}
	return order
}

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
	s.see(r.ProfileID, r.Time)
	s.ReceivedAt = earlier(s.ReceivedAt, r.ReceivedAt)
	r.SessionID = s.SessionID
	s.look(r)
	s.add(r)
	s.Touched = b.now
	b.visits[row] = s.row(key)
	if r.Name == weir.NameSessionEnd {
		s.Final = true
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

// join is the index of the visit that the event is part of, -1 for none: of several the newest
// that had begun by then, else the newest.
func (f Folder) join(key string, st State, r *weir.EventRow) int {
	after := -1
	for i := range st {
		if !f.takes(st, i, r) || f.apart(key, &st[i], r) {
			continue
		}
		if f.InLogOrder || r.SessionID != "" || !r.Time.Before(st[i].Start) {
			return i
		}
		if after < 0 {
			after = i
		}
	}
	return after
}

// takes reports whether the event is part of a visit of its device, erasures aside.
func (f Folder) takes(st State, i int, r *weir.EventRow) bool {
	s := &st[i]
	switch {
	case r.SessionID != "":
		return s.SessionID == r.SessionID
	case s.Ended && (s.Final || f.InLogOrder || st.newest().Sub(r.Time) > lateJoin):
		return !r.Time.Before(s.Start) && !r.Time.After(s.End)
	case r.Time.Sub(s.End) <= Idle && s.Start.Sub(r.Time) <= Idle:
		return s.Named || later(s.End, r.Time).Sub(earlier(s.Start, r.Time)) <= MaxAge
	}
	return false
}

// newest is the time of the newest event of the visits.
func (st State) newest() (t time.Time) {
	for i := range st {
		t = later(t, st[i].End)
	}
	return t
}

// begin opens a visit for the event, and lets go of those for which there is no room. If it
// is the newest, it ends the others.
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
	at := slices.IndexFunc(st, func(s Sitting) bool { return !r.Time.Before(s.Start) })
	if at < 0 {
		at = len(st)
	}
	if f.InLogOrder {
		at = min(at, 1)
	}
	if at == 0 {
		for i := range st {
			b.end(key, &st[i])
		}
	}
	return f.trim(b, key, slices.Insert(st, at, n), at)
}

// trim lets go of visits until there is room. It keeps the newest, one more, those that are
// named, and those that a late event may make longer. at is the index of a visit that was
// added, which stays.
func (f Folder) trim(b *batch, key string, st State, at int) (State, int) {
	most := mostKept
	if f.InLogOrder {
		most = 2
	}
	since := st.newest().Add(-lateJoin - Idle)
	for i := len(st) - 1; i > 0 && len(st) > 2; i-- {
		if i == at || len(st) <= most && (st[i].Named || !st[i].End.Before(since)) {
			continue
		}
		b.end(key, &st[i])
		st = slices.Delete(st, i, i+1)
		if i < at {
			at--
		}
	}
	return st, at
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
