package drain

import (
	"context"
	"encoding/json"
	"errors"
	"slices"
	"time"

	weir "github.com/weir-analytics/weir"
	"github.com/weir-analytics/weir/internal/cold"
)

// write writes the batch, however long the cold tier is away. A row that it can
// never take goes to the dead letters, and the rest of the batch goes on.
func (s *shard) write(ctx context.Context, b *cold.Batch) error {
	pause := s.opt.Backoff
	for {
		err := s.cold.Write(ctx, b)
		if err == nil {
			s.coldOutage.Up()
			return nil
		}
		if ctx.Err() != nil {
			return ctx.Err()
		}
		var row *cold.RowError
		if errors.As(err, &row) && row.Index >= 0 && row.Index < len(b.Events) {
			s.bury(b, row)
			continue
		}
		if errors.Is(err, cold.ErrTooLarge) {
			if len(b.Events) != 1 {
				return err // half as many may have room
			}
			s.bury(b, &cold.RowError{Reason: "it needs more memory than the cold tier may take"})
			continue
		}
		b.Again = true
		s.opt.Failed(s.n, err)
		s.coldOutage.Down(err, "shard", s.n, "events", len(b.Events))
		s.sleep(ctx, pause)
		if ctx.Err() != nil {
			return ctx.Err()
		}
		pause = min(2*pause, 64*s.opt.Backoff)
	}
}

// bury moves a row to the dead letters. The same row is refused each time, so a
// replay buries it again and the batch stays the same.
func (s *shard) bury(b *cold.Batch, row *cold.RowError) {
	r := b.Events[row.Index]
	event, err := json.Marshal(r.Event)
	if err != nil { // properties are valid JSON; if not, they are the reason
		r.Properties = nil
		event, _ = json.Marshal(r.Event)
	}
	b.Dead = append(b.Dead, weir.DeadLetter{
		ProjectID: r.ProjectID, Shard: r.Shard, Seq: r.Seq, Reason: row.Reason, Event: event, At: b.Now,
	})
	b.Events = slices.Delete(b.Events, row.Index, row.Index+1)
	s.opt.Logger.Warn("drain: event went to the dead letters", "shard", s.n, "seq", r.Seq, "reason", row.Reason)
}

func (s *shard) sleep(ctx context.Context, d time.Duration) {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
	case <-ctx.Done():
	}
}
