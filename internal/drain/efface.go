package drain

import (
	"context"
	"time"

	weir "github.com/weir-analytics/weir"
	"github.com/weir-analytics/weir/internal/cold"
	"github.com/weir-analytics/weir/internal/visit"
)

// heed is what a batch does about people who were erased: their events that were received
// before, and open visits with such events, are left without them before the fold. So
// nothing of them gets into events and visits of others.
//
// It is decided once, by the marks that there are before the batch is intended, and stands
// in the note: a batch that is done again comes out the same, whoever was erased
// meanwhile. An erasure waits for the batches that were begun before its mark, see DESIGN.md.
// Events are named by their number in the batch, from 0.
type heed struct {
	Gone    []uint64  // events whose person was erased
	Unnamed []uint64  // events of others, whose alias or consumer is a person who was erased
	Dropped []dropped // open visits with somebody who was erased
	Since   []since   // projects in which an event was received before the last erasure
}

type dropped struct {
	Event uint64 // the first of the device
	Which uint64 // bit i is the i-th visit of the device's state
}

type since struct {
	Project string
	At      time.Time
}

// oldest is the earliest receipt of rows and of open visits, now if there are none.
func oldest(rows []weir.EventRow, open visit.Open, now time.Time) time.Time {
	for i := range rows {
		if at := rows[i].ReceivedAt; at.Before(now) {
			now = at
		}
	}
	for _, st := range open {
		for i := range st {
			if at := begun(&st[i]); at.Before(now) {
				now = at
			}
		}
	}
	return now
}

// begun is when the first event of a visit was received.
func begun(s *visit.Sitting) time.Time {
	if s.ReceivedAt.IsZero() {
		return s.Start
	}
	return s.ReceivedAt
}

// has says whether somebody who was erased is, or may be, in a visit of the device.
func has(erased cold.Erased, key string, s *visit.Sitting) bool {
	v := s.VisitRow
	v.ProjectID, v.DeviceID = visit.Split(key)
	return erased.In(&v) || v.Beside.Has(weir.BesideCrowd) && begun(s).Before(erased.Last(v.ProjectID))
}

// which are the visits of a state that somebody who was erased is in.
func which(erased cold.Erased, key string, st visit.State) (bits uint64) {
	for i := range st {
		if has(erased, key, &st[i]) {
			bits |= 1 << i
		}
	}
	return bits
}

// without is a state without the visits.
func without(st visit.State, bits uint64) visit.State {
	kept := visit.State{}
	for i := range st {
		if bits&(1<<i) == 0 {
			kept = append(kept, st[i])
		}
	}
	return kept
}

// heedOf decides for a batch of the rows.
func heedOf(erased cold.Erased, rows []weir.EventRow, open visit.Open) (h heed) {
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
			if bits := which(erased, key, open[key]); bits != 0 {
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

// effacing carries a heed out, on a batch that may come in parts.
type effacing struct {
	heed
	first   uint64 // the batch's first seq
	dropped map[string]uint64
}

func (h heed) begin(first uint64) *effacing {
	return &effacing{heed: h, first: first, dropped: map[string]uint64{}}
}

// since is for visit.Folder.
func (e *effacing) since() map[string]time.Time {
	m := make(map[string]time.Time, len(e.Since))
	for _, s := range e.Since {
		m[s.Project] = s.At
	}
	return m
}

// take does it to the next rows of the batch, which are in order, and to the states of their devices.
func (e *effacing) take(rows []weir.EventRow, open visit.Open) {
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
			open[key] = without(st, bits)
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

// end adds to the changes of a fold what was dropped of devices that it left alone.
func (e *effacing) end(open visit.Open, changed map[string]visit.State) {
	for key := range e.dropped {
		if _, ok := changed[key]; !ok {
			changed[key] = open[key]
		}
	}
}

// erased asks who was erased since, however long the cold tier is away.
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
		s.pause(ctx, pause)
		pause = min(2*pause, 64*s.opt.Backoff)
	}
}
