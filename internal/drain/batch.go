package drain

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"time"

	weir "github.com/weir-analytics/weir"
	"github.com/weir-analytics/weir/internal/cold"
	"github.com/weir-analytics/weir/internal/hot"
	"github.com/weir-analytics/weir/internal/visit"
)

// batch folds, writes and commits the intent's events. open are the states of their devices.
func (s *shard) batch(ctx context.Context, in hot.Intent, rows []weir.EventRow, open visit.Open, complete moment) error {
	began := time.Now()
	n, err := decodeNote(in.Note)
	if err != nil {
		return err
	}
	folded := s.fold(in, n, rows, open)
	b := s.coldBatch(in)
	b.Events, b.Visits, b.Effaced = rows, folded.Visits, n.HasErasures
	err = s.write(ctx, b)
	if errors.Is(err, cold.ErrTooLarge) {
		s.most = max(1, len(rows)/2)
	}
	if err != nil {
		return err
	}
	if err := s.commit(ctx, in, open, folded, complete); err != nil {
		return err
	}
	if s.most += s.most / 16; s.most >= s.opt.MaxBatch { // slowly: the next one may have too many again
		s.most = 0
	}
	s.flushed, s.pending = time.Now(), time.Time{}
	c := Commit{Shard: s.n, Rows: b.Events, Dead: len(b.Dead), Outside: total(folded.Outside), Took: time.Since(began)}
	p, err := s.log.Progress(ctx, s.n)
	c.Behind = p.Head - min(p.Head, s.committed)
	s.opt.Committed(c)
	return err
}

func total(by map[string]int) (n int) {
	for _, i := range by {
		n += i
	}
	return n
}

// fold takes the rows into the visits of their devices, as the intent says.
func (s *shard) fold(in hot.Intent, n note, rows []weir.EventRow, open visit.Open) visit.Result {
	efface(n.Erased, rows)
	folded := s.folderFor(n, n.Erased).Fold(open, rows, in.Now, n.full())
	for project, events := range folded.Outside {
		s.opt.Logger.Warn("drain: project has too many open visits; events of new devices are stored in no visit",
			"shard", s.n, "project", project, "events", events)
	}
	return folded
}

// devices are the keys of the rows' devices, each once.
func devices(rows []weir.EventRow) []string {
	seen := make(map[string]struct{}, len(rows)/4)
	keys := make([]string, 0, len(rows)/4)
	for i := range rows {
		if rows[i].DeviceID == "" {
			continue
		}
		key := visit.Key(rows[i].ProjectID, rows[i].DeviceID)
		if _, ok := seen[key]; !ok {
			seen[key] = struct{}{}
			keys = append(keys, key)
		}
	}
	return keys
}

// full names the projects of the rows that have as many open visits as they may.
func (s *shard) full(rows []weir.EventRow) (full []string) {
	most := s.opt.OpenBytes / int64(s.log.Shards())
	for project, bytes := range s.states.known {
		if bytes < most {
			continue
		}
		for i := range rows {
			if rows[i].ProjectID == project {
				full = append(full, project)
				break
			}
		}
	}
	return full
}

// coldBatch names the batch: the same intent of the same log has the same token.
func (s *shard) coldBatch(in hot.Intent) *cold.Batch {
	return &cold.Batch{
		Token: fmt.Sprintf("%s/%d/%d-%d/%d", s.log.ID(), s.n, in.First, in.Last, in.Now.UnixMicro()),
		Log:   s.log.ID(), Shard: s.n, First: in.First, Last: in.Last, Now: in.Now, Again: s.again,
	}
}

// commit moves the shard on. open are the states that r is a fold of.
func (s *shard) commit(ctx context.Context, in hot.Intent, open visit.Open, r visit.Result, complete moment) error {
	changed := changes(r)
	if err := s.log.Commit(ctx, s.lease, in, changed); err != nil {
		return err
	}
	s.shardOutage.Up()
	s.states.committed(changed, open)
	s.committed = in.Last
	s.progress.reached(in.Last, complete)
	s.publishCommitted(ctx)
	return nil
}

// replay finishes a batch that was begun.
//
// Where the cold tier can say for sure whether it holds the batch, its rows are not
// made again: they may have been too many for the memory that there is now. Either
// the batch is committed, or it never was, and the next one begins within today's
// bounds. Where it cannot, the batch is done again.
func (s *shard) replay(ctx context.Context, in hot.Intent) error {
	h, sure := s.cold.(cold.Holder)
	if sure {
		held, err := h.Holds(ctx, s.coldBatch(in).Token)
		if err != nil {
			return err
		}
		if !held {
			return s.dropIntent(ctx, in)
		}
	}
	s.again = true
	defer func() { s.again = false }()
	switch {
	case in.Last < in.First:
		return s.endIdle(ctx, in)
	case sure:
		return s.commitHeld(ctx, in)
	default:
		return s.redo(ctx, in)
	}
}

// dropIntent drops an intent without events, if nothing of it was written: an erasure would
// wait for it. An intent with events is replaced by the next one.
func (s *shard) dropIntent(ctx context.Context, in hot.Intent) error {
	if in.Last >= in.First {
		return nil
	}
	return s.log.Commit(ctx, s.lease, in, nil)
}

// commitHeld commits a batch that the cold tier holds. Its events are read a part at a
// time, and folded for the states that they leave: of each the fold needs some 1.5 KB.
func (s *shard) commitHeld(ctx context.Context, in hot.Intent) error {
	n, err := decodeNote(in.Note)
	if err != nil {
		return err
	}
	open := visit.Open{}
	var slim []weir.EventRow
	for after := in.First - 1; after < in.Last; {
		limit := s.batchLimit()
		limit.Events = int(min(uint64(limit.Events), in.Last-after))
		rows, err := s.read(ctx, in, after, limit)
		if err != nil {
			return err
		}
		some, err := s.states.load(ctx, devices(rows))
		if err != nil {
			return err
		}
		efface(n.Erased, rows)
		maps.Copy(open, some)
		for i := range rows {
			slim = append(slim, visit.Slim(&rows[i]))
		}
		after = rows[len(rows)-1].Seq
	}
	return s.commit(ctx, in, open, s.folderFor(n, n.Erased).Fold(open, slim, in.Now, n.full()), moment{})
}

// read reads events of an intent.
func (s *shard) read(ctx context.Context, in hot.Intent, after uint64, limit hot.Limit) ([]weir.EventRow, error) {
	rows, err := s.log.Read(ctx, s.n, after, limit)
	if err == nil && len(rows) == 0 {
		err = fmt.Errorf("intent %d-%d: the log has nothing after %d", in.First, in.Last, after)
	}
	return rows, err
}

// redo does a batch again, as its intent says. It intends it first, again: the
// intent that is there may be one that the log did not vouch for, and would lose
// with a master that fails; what is written under a lost intent is written twice.
func (s *shard) redo(ctx context.Context, in hot.Intent) error {
	var rows []weir.EventRow
	for after := in.First - 1; after < in.Last; after = rows[len(rows)-1].Seq {
		some, err := s.read(ctx, in, after, hot.Limit{Events: int(in.Last - after)})
		if err != nil {
			return err
		}
		rows = append(rows, some...)
	}
	if err := s.log.Intend(ctx, s.lease, in); err != nil {
		return err
	}
	open, err := s.states.load(ctx, devices(rows))
	if err != nil {
		return err
	}
	return s.batch(ctx, in, rows, open, moment{})
}
