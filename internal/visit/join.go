package visit

import (
	"slices"
	"time"

	weir "github.com/weir-analytics/weir"
)

// join returns the index of the visit that the event is part of, -1 for none. Other visits
// that the event is part of too are merged into it. A visit without a name takes the event's.
func (f Folder) join(b *batch, key string, st *State, r *weir.EventRow) int {
	if f.NoMerge || f.InLogOrder {
		return f.joinAlone(b, key, *st, r)
	}
	var room [3]string
	takers := f.takers(b, room[:0], key, *st, r)
	if len(takers) == 0 {
		return -1
	}
	session := takers[0]
	if r.SessionID != "" && session != r.SessionID {
		if !f.nameVisit(b, key, st, session, r.SessionID) {
			return -1
		}
		session = r.SessionID
	}
	if st.newest().Sub(r.Time) <= lateJoin {
		for _, other := range takers[1:] {
			session = f.merge(b, key, st, session, other)
		}
	}
	return st.index(session)
}

// takers appends to ids the session ids of the visits that the event is part of, at most three: the
// one that has the event's session id, the newest that had begun by then, and the oldest that
// begins after the event.
func (f Folder) takers(b *batch, ids []string, key string, st State, r *weir.EventRow) []string {
	var named, before, after string
	for i := range st {
		s := &st[i]
		switch {
		case !f.takes(st, i, r, b.now) || f.apart(key, s, r):
		case r.SessionID != "" && s.SessionID == r.SessionID:
			named = s.SessionID
		case r.Time.Before(s.Start):
			if !ends(r) { // what ends a visit begins none
				after = s.SessionID
			}
		case before == "":
			before = s.SessionID
		}
	}
	for _, id := range [...]string{named, before, after} {
		if id != "" {
			ids = append(ids, id)
		}
	}
	return ids
}

// ends reports whether the event ends a screen view or a visit, and so begins no visit.
func ends(r *weir.EventRow) bool {
	return r.Name == weir.NameSessionEnd || r.Name == weir.NameScreenLeave
}

// joinAlone is join as versions before 5 of the state had it.
func (f Folder) joinAlone(b *batch, key string, st State, r *weir.EventRow) int {
	after := -1
	for i := range st {
		if !f.takes(st, i, r, b.now) || f.apart(key, &st[i], r) {
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
func (f Folder) takes(st State, i int, r *weir.EventRow, now time.Time) bool {
	s := &st[i]
	switch {
	case r.SessionID != "" && (s.SessionID == r.SessionID || s.Named || f.NoMerge || f.InLogOrder):
		return s.SessionID == r.SessionID
	case f.over(s, now) && (s.Final || f.InLogOrder || st.newest().Sub(r.Time) > lateJoin):
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

// index returns the index of the visit with a session id, -1 if there is none.
func (st State) index(session string) int {
	return slices.IndexFunc(st, func(s Sitting) bool { return s.SessionID == session })
}

// begin opens a visit for the event, and removes visits for which there is no room. If the new
// visit is the newest, it ends the others.
func (f Folder) begin(b *batch, key string, st State, r *weir.EventRow) (State, int) {
	n := Sitting{Named: r.SessionID != ""}
	n.SessionID, n.Start, n.End, n.ReceivedAt = r.SessionID, r.Time, r.Time, r.ReceivedAt
	if !n.Named {
		n.SessionID = f.sessionID(r.Shard, r.Seq)
		b.began[visitKey{key, n.SessionID}] = true
	}
	st = f.free(b, key, st, n.SessionID)
	at := slices.IndexFunc(st, func(s Sitting) bool { return !r.Time.Before(s.Start) })
	if at < 0 {
		at = len(st)
	}
	if f.InLogOrder {
		at = min(at, 1)
	}
	if at == 0 {
		for i := range st {
			f.end(b, key, &st[i])
		}
	}
	return f.trim(b, key, slices.Insert(st, at, n), at)
}

// free removes the visit with a session id from the state, if there is one. That visit is on the
// other side of an erasure, and a state has each session id once.
func (f Folder) free(b *batch, key string, st State, session string) State {
	if i := st.index(session); i >= 0 {
		f.end(b, key, &st[i])
		st = slices.Delete(st, i, i+1)
	}
	delete(b.at, visitKey{key, session}) // of that name there may have been another
	return st
}

// trim removes visits from the state until there is room. It keeps the newest, one more, those
// that are named, and those that a late event may make longer. It also keeps the visit at index
// at, which was just added.
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
		f.end(b, key, &st[i])
		st = slices.Delete(st, i, i+1)
		if i < at {
			at--
		}
	}
	return st, at
}
