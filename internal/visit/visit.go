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
// A visit without an arrival for 30 minutes is over, as is one for which a newer one began: that
// only counts for events that are so far behind.
// A session_end is final: what comes after it by time is not in its visit. What ends a view or
// a visit begins none, and makes none begin earlier.
//
// A late event that is within 30 minutes of two visits merges them, also if they are
// stored: 10:00 and 10:50 are two visits until 10:25 comes. Visits that the SDK named
// differently are not merged. A visit without a name takes that of an event that it takes;
// if there is a visit of that name, the two are merged.
//
// A visit belongs to the profile of its last event by time that has one; of several at the same
// time, the least profile id. It is a bot's if all its screen views are; without a view, if all its events are.
//
// A visit lies before or after each erasure of whoever is in it (Folder.Erased). A visit
// that somebody was in before their erasure is dropped without a row. An event that would
// join a visit from the other side of an erasure begins a visit of its own.
//
// A screen view, a screen leave or a session end closes the visit's last screen
// view, if that was open and is not later than the closer. A screen leave that
// names another page, within 5 seconds after the view, is of the page before, which
// the view has closed: it closes nothing. Any other event takes path and origin of
// the last screen view before it. A late event takes its place in this order, and its row
// corrects what the rows of others say (weir.EventRow).
//
// # Rows
//
// A batch writes the state that it leaves a visit in, after a row that cancels
// the state before (weir.VisitRow): at most one of each for a visit, however many
// events of it the batch has, and none for a visit that it leaves alone. That a visit is
// over is no change of its state, but for a session_end: it follows from the time of its last event. A visit
// named by the SDK that was let go of, since it expired or newer ones took its
// place, and that comes back, begins again as a new visit of the same id.
package visit

import (
	"crypto/sha256"
	"encoding/binary"
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
	Over      bool      // a newer visit began
	Final     bool      // ended by a session_end
	Touched   time.Time // the now of the last batch that had an event of it
	ProfileAt time.Time // of the last event with the visit's profile; no meaning without one
	Trail     []Step    // its last screen views and what closes views, by time; see remember
	Human     bool      // has an event that is no bot's
	HumanView bool      // has a screen view that is no bot's
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

// Result is what a fold adds.
type Result struct {
	Visits  []weir.VisitRow  // a cancellation stands before the state that follows, with rows of the device alone between
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
	// NoMerge folds as versions before 5 of the state did: no visit is merged into another, and
	// none takes the name that its SDK says later.
	NoMerge bool
	// MarkOver folds as versions before 6 of the drain's note did: a visit that is over is marked
	// in a row, and it is over by idleness once Expire has marked it.
	MarkOver bool
	// HashIDs derives session ids as versions before 7 of the note did.
	HashIDs bool
}

// Fold takes the rows of a batch, which come in the order of the log, into the visits. It
// fills in the rows' SessionID, Path, Origin, InheritedFrom and Closes fields, and does
// not change open, which needs to hold the devices of the rows only.
//
// In a project that is full no device begins its first visit: the events of such
// devices stay as they are, in no visit.
func (f Folder) Fold(open Open, rows []weir.EventRow, now time.Time, full map[string]bool) Result {
	b := batch{open: open, now: now, full: full, changed: make(map[string]State, len(open)), at: make(map[visitKey]int, len(open)), began: map[visitKey]bool{}, renamed: map[visitKey]string{}}
	// Most visits have some events in a batch and two rows. A slice that grows would be copied again and again.
	b.visits = make([]weir.VisitRow, 0, len(rows))
	for _, i := range f.order(rows) {
		if rows[i].DeviceID != "" {
			f.event(&b, &rows[i])
		}
	}
	b.rename(rows)
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

// Expire removes visits from the state that no batch has touched for twice Idle before now: until
// then a late event may belong to them. It drops those with somebody who was erased. It writes no
// row, unless MarkOver is set: then it also ends the visits that no batch has touched for Idle.
func (f Folder) Expire(open Open, now time.Time) Result {
	b := batch{open: open, now: now, changed: map[string]State{}, at: map[visitKey]int{}}
	for _, key := range slices.Sorted(maps.Keys(open)) {
		st := open[key]
		keep, changed := st[:0:0], false
		for _, s := range st {
			switch {
			case f.hasErased(key, &s):
			case f.MarkOver && s.idle(now):
				b.mark(key, &s)
				changed = true
			}
			if !f.hasErased(key, &s) && now.Sub(s.Touched) < lateJoin {
				keep = append(keep, s)
			}
		}
		if changed || len(keep) < len(st) {
			b.changed[key] = keep
		}
	}
	return b.result()
}

// Idle says whether the state has a visit that Expire would mark or let go of.
func (f Folder) Idle(st State, now time.Time) bool {
	for i := range st {
		if f.MarkOver && st[i].idle(now) || now.Sub(st[i].Touched) >= lateJoin {
			return true
		}
	}
	return false
}

// idle reports whether Expire marks the visit if MarkOver is set, since no batch has touched it for Idle.
func (s *Sitting) idle(now time.Time) bool { return !s.Ended && now.Sub(s.Touched) >= Idle }

// over reports whether the visit takes no event any more that is far behind.
func (f Folder) over(s *Sitting, now time.Time) bool {
	return s.Ended || !f.MarkOver && (s.Over || now.Sub(s.Touched) >= Idle)
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
	began   map[visitKey]bool
	renamed map[visitKey]string // visits that began in the batch → what they are called at its end
	merged  bool                // a visit was merged into another
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
	i := f.join(b, key, &st, r)
	if i < 0 {
		if ends(r) {
			return // nothing is open
		}
		st, i = f.begin(b, key, st, r)
	}
	s := &st[i]
	row := b.touch(key, s)
	s.see(r.ProfileID, r.Time)
	s.ReceivedAt = earlier(s.ReceivedAt, r.ReceivedAt)
	r.SessionID = s.SessionID
	s.follow(r)
	s.add(r)
	s.Touched = b.now
	b.visits[row] = s.row(key)
	if r.Name == weir.NameSessionEnd {
		s.Final = true
		b.mark(key, s)
	}
	if !f.NoMerge {
		slices.SortStableFunc(st, func(v, w Sitting) int { return w.Start.Compare(v.Start) }) // a late event may have moved the start
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

// sessionID derives a visit's id from the place of its first event in the log: 8 hex digits of the
// log's shard, and 12 of the seq. Ids of a shard begin alike and grow, so the cold tier compresses them
// to half of what a hash takes.
func (f Folder) sessionID(shard int, seq uint64) string {
	if f.HashIDs {
		sum := sha256.Sum256(fmt.Appendf(nil, "%s/%d/%d", f.LogID, shard, seq))
		return hex.EncodeToString(sum[:10])
	}
	sum := sha256.Sum256(fmt.Appendf(nil, "%s/%d", f.LogID, shard))
	var id [10]byte
	binary.BigEndian.PutUint64(id[2:], seq) // the first two bytes of a seq are 0
	copy(id[:4], sum[:])
	return hex.EncodeToString(id[:])
}

// IsDerived reports whether a session id has the form of those that the fold derives. An id that
// an SDK chose may have it too, but no known SDK does.
func IsDerived(id string) bool {
	if len(id) != 20 {
		return false
	}
	for i := range len(id) {
		if c := id[i]; (c < '0' || c > '9') && (c < 'a' || c > 'f') {
			return false
		}
	}
	return true
}
