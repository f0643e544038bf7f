package drain

import (
	"context"
	"time"

	weir "github.com/weir-analytics/weir"
	"github.com/weir-analytics/weir/internal/cold"
	"github.com/weir-analytics/weir/internal/visit"
)

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
			at := st[i].ReceivedAt
			if at.IsZero() { // of an earlier version
				at = st[i].Start
			}
			if at.Before(now) {
				now = at
			}
		}
	}
	return now
}

// marksFor returns the marks of erasures that concern a batch: of the people in its rows
// and in the open visits of its devices, if they were erased since the oldest of both.
//
// They are part of the intent's note, so a repeated batch gives the same rows, even if
// somebody was erased meanwhile. An erasure waits for batches that began before its mark,
// see DESIGN.md.
func marksFor(erased cold.Erased, since time.Time, rows []weir.EventRow, open visit.Open) cold.Erased {
	marks := cold.Erased{}
	if len(erased) == 0 {
		return marks
	}
	for i := range rows {
		r := &rows[i]
		if !erased.Last(r.ProjectID).After(since) {
			continue
		}
		people := []string{weir.Person(r.ProfileID, r.DeviceID), "u" + r.Alias()}
		if r.Call != nil {
			people = append(people, "u"+r.Call.Consumer)
		}
		erased.Of(marks, since, r.ProjectID, people...)
	}
	for key, st := range open {
		project, device := visit.Split(key)
		erased.OfRefolds(marks, since, project, device)
		if !erased.Last(project).After(since) {
			continue
		}
		people := []string{"d" + device}
		for i := range st {
			people = append(people, "u"+st[i].ProfileID)
			for _, id := range st[i].Beside.Profiles() {
				people = append(people, "u"+id)
			}
		}
		erased.Of(marks, since, project, people...)
	}
	return marks
}

// efface takes erased people out of the rows before they are folded, so that nothing of
// them gets into the events and visits of others.
func efface(marks cold.Erased, rows []weir.EventRow) {
	for i := range rows {
		marks.Efface(&rows[i])
	}
}

// folderFor returns the folder of a batch with the note. It drops the open visits of erased people,
// and those that a deletion of events has folded again.
func (s *shard) folderFor(n note, erased cold.Erased) visit.Folder {
	f := s.folder
	f.InLogOrder, f.NoMerge, f.MarkOver, f.HashIDs = n.InLogOrder, n.NoMerge, n.MarkOver, n.HashIDs
	if len(erased) > 0 { // else the fold need not ask, for each event
		f.Erased = func(v *weir.VisitRow) bool { return erased.MayBeIn(v) || erased.Refolded(v) }
	}
	return f
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
