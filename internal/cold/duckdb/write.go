package duckdb

import (
	"context"
	"fmt"
	"time"

	"github.com/weir-analytics/weir/internal/cold"
	"github.com/weir-analytics/weir/internal/cold/schema"
)

// Write makes the batch durable: when it returns, the commit is on disk. ctx is
// looked at before the transaction, which is not broken off once begun. Where
// questions use up the memory, it waits for them and tries once more.
func (s *Store) Write(ctx context.Context, b *cold.Batch) error {
	if err := cold.Validate(b.Events); err != nil {
		return err
	}
	return s.turns.runChange(ctx, func() error { return s.writeNow(ctx, b) })
}

func (s *Store) writeNow(ctx context.Context, b *cold.Batch) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := ctx.Err(); err != nil {
		return fmt.Errorf("duckdb: write: %w", err)
	}
	if s.closed {
		return ErrClosed
	}
	if s.w == nil {
		if err := s.reopen(); err != nil {
			return err
		}
	}
	b = s.erased.Filter(b)
	err := s.w.write(b)
	if invalid(err) {
		s.log.Error("the cold tier's file had an error", "path", s.path, "error", err)
		if err := s.reopen(); err != nil {
			return err
		}
		// Only the token says whether the batch was stored.
		err = s.w.write(b)
	}
	if outOfMemory(err) {
		return fmt.Errorf("duckdb: write %d events: %w: %w", len(b.Events), cold.ErrTooLarge, err)
	}
	if err != nil {
		return fmt.Errorf("duckdb: write: %w", err)
	}
	s.note(b.Marks)
	return nil
}

// Holds implements cold.Holder.
func (s *Store) Holds(_ context.Context, token string) (bool, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return false, ErrClosed
	}
	if s.w == nil {
		if err := s.reopen(); err != nil {
			return false, err
		}
	}
	found, err := s.w.hasToken(token)
	if err != nil {
		return false, fmt.Errorf("duckdb: look for a batch: %w", err)
	}
	return found, nil
}

const (
	// forgetEvery is how many batches go by between two looks for old tokens: a
	// prime, so that shards which take turns all get theirs.
	forgetEvery = 251
	// forgetAfter is how long a token is kept after it can no longer be needed.
	forgetAfter = 24 * time.Hour
)

// forget deletes tokens of the batch's shard that can never come again: a shard
// is drained in order, so only its last batch is ever written a second time.
func (w *writer) forget(b *cold.Batch) error {
	return w.exec(fmt.Sprintf("DELETE FROM batches WHERE shard = %d AND last_seq < %d AND written_at < make_timestamp(%d)",
		b.Shard, b.First, b.Now.Add(-forgetAfter).UnixMicro()))
}

// write appends the batch in a transaction of its own, unless its token is
// there.
func (w *writer) write(b *cold.Batch) error {
	found, err := w.hasToken(b.Token)
	if found || err != nil {
		return err
	}
	err = w.transaction(func() error {
		w.batches++
		if w.batches%forgetEvery == 0 {
			if err := w.forget(b); err != nil {
				return err
			}
		}
		return w.batch(b)
	})
	if err != nil {
		return err
	}
	w.sightings.Keep()
	w.linked.Keep()
	return nil
}

// batch appends all rows and the token.
func (w *writer) batch(b *cold.Batch) error {
	for _, f := range []func() error{
		func() error { return appendRows(w, events, b.Events) },
		func() error { return w.sightingsOf(b) },
		func() error { return w.tallies(b) },
		func() error { return appendRows(w, visits, b.Visits) },
		func() error { return appendRows(w, identities, w.linked.New(b)) },
		func() error { return appendRows(w, aliases, cold.Aliases(b.Links)) },
		func() error { return appendRows(w, traits, cold.Traits(b)) },
		func() error { return appendRows(w, erasures, b.Marks) },
		func() error { return appendRows(w, deadLetters, b.Dead) },
		func() error { return appendRows(w, batches, []schema.Token{b.Row()}) },
	} {
		if err := f(); err != nil {
			return err
		}
	}
	return nil
}

func (w *writer) sightingsOf(b *cold.Batch) error {
	rows := w.sightings.New(b.Events)
	w.sighted += len(rows)
	return appendRows(w, sightings, rows)
}

// tallies appends those of the batch. What a failed transaction noted for the
// compaction does no harm.
func (w *writer) tallies(b *cold.Batch) error {
	rows := cold.Tallies(b.Events)
	if err := appendRows(w, tallies, rows); err != nil {
		return err
	}
	w.compaction.note(rows)
	return w.compact()
}
