package drain

import (
	"context"
	"time"

	weir "github.com/weir-analytics/weir"
	"github.com/weir-analytics/weir/internal/cold"
	"github.com/weir-analytics/weir/internal/visit"
)

// erasureNote says what a batch removes because persons were erased: their events that
// were received before the erasure, and open visits with such events. The drain removes
// them before the fold, so that nothing of an erased person gets into other events and
// visits.
//
// It is decided once, from the marks that exist before the intent is stored, and is part
// of the intent's note. So a repeated batch gives the same rows, even if somebody was
// erased meanwhile. An erasure waits for batches that began before its mark, see DESIGN.md.
// Events are numbered within the batch, from 0.
type erasureNote struct {
	Gone    []uint64  // events of erased persons
	Unnamed []uint64  // events of other persons whose alias or consumer is an erased person
	Dropped []dropped // open visits with an erased person
	Since   []since   // projects with an event that was received before the last erasure
}

type dropped struct {
	Event uint64 // the first of the device
	Which uint64 // bit i is the i-th visit of the device's state
}

type since struct {
	Project string
	At      time.Time
}

// oldest returns the earliest time at which a row, or the first event of an open visit,
// was received; now if there are none.
func oldest(rows []weir.EventRow, open visit.Open, now time.Time) time.Time {
	for i := range rows {
		if at := rows[i].ReceivedAt; at.Before(now) {
			now = at
		}
	}
	for _, st := range open {
		for i := range st {
			if at := firstReceived(&st[i]); at.Before(now) {
				now = at
			}
		}
	}
	return now
}

// firstReceived returns when the first event of a visit was received.
func firstReceived(s *visit.Sitting) time.Time {
	if s.ReceivedAt.IsZero() {
		return s.Start
	}
	return s.ReceivedAt
}

// visitHasErased reports whether a visit of the device has, or may have, an erased person.
func visitHasErased(erased cold.Erased, key string, s *visit.Sitting) bool {
	v := s.VisitRow
	v.ProjectID, v.DeviceID = visit.Split(key)
	return erased.In(&v) || v.Beside.Has(weir.BesideCrowd) && firstReceived(s).Before(erased.Last(v.ProjectID))
}

// visitsWithErased returns the visits of a state that have an erased person: bit i is the
// i-th visit.
func visitsWithErased(erased cold.Erased, key string, st visit.State) (bits uint64) {
	for i := range st {
		if visitHasErased(erased, key, &st[i]) {
			bits |= 1 << i
		}
	}
	return bits
}

// withoutVisits returns the state without the visits whose bits are set.
func withoutVisits(st visit.State, bits uint64) visit.State {
	kept := visit.State{}
	for i := range st {
		if bits&(1<<i) == 0 {
			kept = append(kept, st[i])
		}
	}
	return kept
}

// erasureNoteOf computes the note for a batch.
func erasureNoteOf(erased cold.Erased, rows []weir.EventRow, open visit.Open) (h erasureNote) {
	if len(erased) == 0 {
		return h
	}
	seen, projects := map[string]bool{}, map[string]bool{}
	for i := range rows {
		r := rows[i]
		if last := erased.Last(r.ProjectID); r.ReceivedAt.Before(last) && !projects[r.ProjectID] {
			projects[r.ProjectID] = true
			h.Since = append(h.Since, since{r.ProjectID, last})
		}
		if key := visit.Key(r.ProjectID, r.DeviceID); r.DeviceID != "" && !seen[key] {
			seen[key] = true
			if bits := visitsWithErased(erased, key, open[key]); bits != 0 {
				h.Dropped = append(h.Dropped, dropped{uint64(i), bits})
			}
		}
		switch person, named := erased.Efface(&r); {
		case person:
			h.Gone = append(h.Gone, uint64(i))
		case named:
			h.Unnamed = append(h.Unnamed, uint64(i))
		}
	}
	return h
}

// erasureRun applies an erasureNote to a batch, which may come in several parts.
type erasureRun struct {
	erasureNote
	first   uint64 // the batch's first seq
	dropped map[string]uint64
}

func (h erasureNote) start(first uint64) *erasureRun {
	return &erasureRun{erasureNote: h, first: first, dropped: map[string]uint64{}}
}

// since returns Since in the form that visit.Folder needs.
func (e *erasureRun) since() map[string]time.Time {
	m := make(map[string]time.Time, len(e.Since))
	for _, s := range e.Since {
		m[s.Project] = s.At
	}
	return m
}

// apply applies the note to the next rows of the batch, in order, and to the states of
// their devices.
func (e *erasureRun) apply(rows []weir.EventRow, open visit.Open) {
	if len(rows) == 0 {
		return
	}
	from := rows[0].Seq - e.first
	row := func(i uint64) *weir.EventRow {
		if i < from || i-from >= uint64(len(rows)) {
			return nil
		}
		return &rows[i-from]
	}
	for _, d := range e.Dropped {
		if r := row(d.Event); r != nil {
			e.dropped[visit.Key(r.ProjectID, r.DeviceID)] = d.Which
		}
	}
	for key, bits := range e.dropped {
		if st, ok := open[key]; ok {
			open[key] = withoutVisits(st, bits)
		}
	}
	for _, i := range e.Gone {
		if r := row(i); r != nil {
			*r = cold.Anonymous(r)
		}
	}
	for _, i := range e.Unnamed {
		if r := row(i); r != nil {
			cold.Unname(r)
		}
	}
}

// end adds to changed the states from which a visit was dropped, if the fold did not
// change them.
func (e *erasureRun) end(open visit.Open, changed map[string]visit.State) {
	for key := range e.dropped {
		if _, ok := changed[key]; !ok {
			changed[key] = open[key]
		}
	}
}

// erased reads who was erased since a time. It retries while the cold tier is unavailable.
func (s *shard) erased(ctx context.Context, since time.Time) (cold.Erased, error) {
	pause := s.opt.Backoff
	for {
		erased, err := s.cold.Erased(ctx, since)
		if err == nil {
			return erased, nil
		}
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		s.opt.Failed(s.n, err)
		s.coldOutage.Down(err, "shard", s.n)
		s.sleep(ctx, pause)
		pause = min(2*pause, 64*s.opt.Backoff)
	}
}
