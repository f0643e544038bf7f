package deletion

import (
	"cmp"
	"math"
	"slices"
	"strings"
	"time"

	weir "github.com/weir-analytics/weir"
	"github.com/weir-analytics/weir/internal/visit"
)

// device is a device whose visits are folded again.
type device struct {
	*Cold
	id        string
	folder    visit.Folder
	sessions  map[string]bool      // of deleted events
	stored    []weir.VisitRow      // all states that are not cancelled, by start
	visits    []weir.VisitRow      // those that are folded again
	canonical map[string]string    // the id of a visit, by each id that its events have
	next      map[string]time.Time // when the visit begins that has come back under a name, see choose

	open  visit.State
	newID map[string]string        // by the id of the fold: the id that the visit gets
	owner map[string]string        // by the id of a stored visit: the id of the visit that has its events now
	final map[string]weir.VisitRow // by id: the last state
}

func newDevice(c *Cold, id string, folder visit.Folder, stored []weir.VisitRow, touched places) *device {
	d := &device{Cold: c, id: id, folder: folder, sessions: touched.sessions, stored: stored, canonical: map[string]string{}, next: map[string]time.Time{}}
	d.choose(touched)
	return d
}

// choose chooses the visits that are folded again: those with a deleted event, and those that
// begin within Idle after one. A deleted session_end may have kept these apart, or an earlier run
// has split them off. So does the greatest age of a visit, if the visit's begin is deleted.
//
// Visits that began after the deletion was asked for are left as they are: the drain writes them.
// A visit that the SDK named may have come back since under its name.
func (d *device) choose(touched places) {
	for i := range d.stored {
		v := &d.stored[i]
		if !d.isOld(v) {
			if at, ok := d.next[v.SessionID]; !ok || v.Start.Before(at) {
				d.next[v.SessionID] = v.Start
			}
			continue
		}
		q := weir.Quarter(v.Start)
		chosen := touched.quarters[q] || touched.quarters[q-1] || touched.quarters[q-2] ||
			slices.ContainsFunc(sessionIDs(v), func(id string) bool { return touched.sessions[id] }) ||
			slices.ContainsFunc(d.visits, func(before weir.VisitRow) bool {
				return v.Start.Sub(before.End) <= visit.Idle && v.End.Sub(before.Start) > visit.MaxAge
			})
		if !chosen {
			continue
		}
		d.visits = append(d.visits, *v)
		for _, id := range sessionIDs(v) {
			d.canonical[id] = v.SessionID
		}
	}
}

// isOld reports whether the visit began before the deletion was asked for. Rows of earlier
// versions do not say when they were received.
func (d *device) isOld(v *weir.VisitRow) bool {
	return v.ReceivedAt.IsZero() || v.ReceivedAt.Before(d.Before)
}

// sessionIDs are the session ids that the visit's events are stored with.
func sessionIDs(v *weir.VisitRow) []string {
	return append([]string{v.SessionID}, strings.Fields(v.Formerly)...)
}

// begin begins a fold of all events of the device.
func (d *device) begin() {
	d.open, d.newID, d.owner, d.final = nil, map[string]string{}, map[string]string{}, map[string]weir.VisitRow{}
}

// fold folds the next events by time, and returns those that it changes.
func (d *device) fold(rows []weir.EventRow) (changed []weir.EventRow) {
	rows = slices.DeleteFunc(rows, func(r weir.EventRow) bool {
		at, ok := d.next[r.SessionID]
		return d.canonical[r.SessionID] == "" || ok && !r.Time.Before(at)
	})
	stored := slices.Clone(rows)
	for i := range rows {
		unfold(&rows[i])
	}
	key := visit.Key(d.ProjectID, d.id)
	result := d.folder.Fold(visit.Open{key: d.open}, rows, d.Before, nil)
	if st, ok := result.Changed[key]; ok {
		d.open = st
	}
	for i := range rows {
		r := &rows[i]
		if r.SessionID != "" {
			was := d.canonical[stored[i].SessionID]
			r.SessionID = d.idOf(r.SessionID, was)
			if d.owner[was] == "" {
				d.owner[was] = r.SessionID
			}
			if d.owner[was] == r.SessionID {
				r.SessionID = stored[i].SessionID
			}
		}
		if isChanged(r, &stored[i]) {
			changed = append(changed, *r)
		}
	}
	for _, v := range result.Visits {
		if v.SessionID = d.idOf(v.SessionID, ""); v.Sign > 0 {
			d.final[v.SessionID] = v
		} else if n, ok := d.final[v.SessionID]; ok && n.Version == v.Version {
			delete(d.final, v.SessionID) // merged into another, unless a new state follows
		}
	}
	return changed
}

// idOf returns the id of a visit that the fold calls id: that of the stored visit that its first
// event is in, unless an earlier visit has got it.
func (d *device) idOf(id, was string) string {
	if !visit.IsDerived(id) {
		return id
	}
	if _, ok := d.newID[id]; !ok {
		d.newID[id] = id
		if was != "" && d.owner[was] == "" {
			d.newID[id] = was
		}
	}
	return d.newID[id]
}

// nameFormerly says in the new states which other session ids their events have.
func (d *device) nameFormerly() {
	formerly := map[string][]string{}
	for i := range d.visits {
		v := &d.visits[i]
		id := d.owner[v.SessionID]
		for _, former := range sessionIDs(v) {
			if former != id && !slices.Contains(formerly[id], former) {
				formerly[id] = append(formerly[id], former)
			}
		}
	}
	for id, n := range d.final {
		n.Formerly = strings.Join(formerly[id], " ")
		d.final[id] = n
	}
}

// unfold removes from an event what the fold has computed.
func unfold(r *weir.EventRow) {
	if r.InheritedFrom != "" {
		r.Path, r.Origin = "", ""
	}
	r.InheritedFrom, r.ClosesEventID, r.ClosesPath, r.ClosesMS = "", "", "", 0
	r.ReplacesMS, r.RestMS = weir.Number{}, weir.Number{}
	if visit.IsDerived(r.SessionID) {
		r.SessionID = ""
	}
}

func isChanged(a, b *weir.EventRow) bool {
	return a.SessionID != b.SessionID || a.Path != b.Path || a.Origin != b.Origin || a.InheritedFrom != b.InheritedFrom ||
		a.ClosesEventID != b.ClosesEventID || a.ClosesPath != b.ClosesPath || a.ClosesMS != b.ClosesMS || a.ReplacesMS != b.ReplacesMS || a.RestMS != b.RestMS
}

// states returns the rows that cancel the states of the visits that were folded again, and the new
// states. A state that is stored already stays as it is. stale gets the conditions of the states
// before.
func (d *device) states(stale *parts) (out []weir.VisitRow) {
	d.nameFormerly()
	versions := map[string]uint32{}
	old := slices.Clone(d.visits)
	for i := range d.stored { // of an earlier run that did not end
		v := &d.stored[i]
		if _, ok := d.final[v.SessionID]; ok && d.isOld(v) && !slices.Contains(old, *v) {
			old = append(old, *v)
		}
	}
	for _, v := range old {
		versions[v.SessionID] = max(versions[v.SessionID], v.Version)
	}
	same := map[string]bool{}
	for _, v := range old {
		n, ok := d.final[v.SessionID]
		n.Version, n.Ended, n.Sign = v.Version, v.Ended, v.Sign
		if ok && n == v && v.Version == versions[v.SessionID] && !same[v.SessionID] {
			same[v.SessionID] = true
			continue
		}
		v.Sign = -1
		out = append(out, v)
	}
	for id, n := range d.final {
		n.Version, n.Sign = versions[id], 1
		if !same[id] {
			n.Version++
			out = append(out, n)
		}
		d.staleBefore(stale, id, n.Version)
	}
	for id := range d.sessions {
		if _, ok := d.final[id]; !ok {
			d.staleBefore(stale, id, math.MaxUint32)
		}
	}
	for id := range versions {
		if _, ok := d.final[id]; !ok && !d.sessions[id] {
			d.staleBefore(stale, id, math.MaxUint32)
		}
	}
	slices.SortStableFunc(out, func(v, w weir.VisitRow) int { // cancellations first
		return cmp.Or(cmp.Compare(v.Sign, w.Sign), v.Start.Compare(w.Start), cmp.Compare(v.SessionID, w.SessionID))
	})
	return out
}

// staleBefore adds the states of a visit that are older than a version.
func (d *device) staleBefore(stale *parts, id string, version uint32) {
	stale.add("device_id = ? AND session_id = ? AND version < ? AND (received_at IS NULL OR received_at < "+d.Store.Dialect().Time("?")+")",
		d.id, id, int64(version), d.Before.UnixMicro())
}
