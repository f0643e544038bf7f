package transfer

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync"

	weir "github.com/weir-analytics/weir"
	"github.com/weir-analytics/weir/internal/cold"
	"golang.org/x/sync/errgroup"
)

// job is one window of a table on its way.
type job[T any] struct {
	*run
	t    *table[T]
	u    *unit
	w    window
	mode mode
	// known is who was erased on either side.
	known cold.Erased

	want    rowCounts       // the source's rows
	have    rowCounts       // the destination's before the copy, of a mixed one
	persons map[uint64]bool // who was there when, as the source's rows say

	mu      sync.Mutex
	refused []sum
	reason  string // for one of them
	wrote   bool
}

func newJob[T any](r *run, t *table[T], u *unit, w window) *job[T] {
	j := &job[T]{run: r, t: t, u: u, w: w, mode: u.mode, known: r.erased[u.project].known, want: rowCounts{}, persons: map[uint64]bool{}}
	if t.set || j.mode == resumed && t.place == nil {
		// Rows without a place are written with nothing beside them that could be
		// missing: it is enough to see which are there.
		j.mode = mixed
	}
	return j
}

// do copies the window and compares.
func (j *job[T]) do(ctx context.Context) (Difference, error) {
	if j.mode == mixed {
		err := j.source(ctx, false, func(row *T, n int, s sum, _ int) error {
			j.note(row, n, s)
			return nil
		})
		if err != nil {
			return Difference{}, err
		}
		if j.have, err = j.destination(ctx); err != nil {
			return Difference{}, err
		}
	}
	if j.mode != mixed || len(missingRows(j.want, j.have)) > 0 {
		if err := j.write(ctx); err != nil {
			return Difference{}, err
		}
	}
	for _, s := range j.refused {
		j.want[s]--
	}
	return j.compare(ctx)
}

// note counts a row of the source.
func (j *job[T]) note(row *T, n int, s sum) {
	j.want[s] += n
	if j.t.person != nil {
		if p := j.t.person(row); p != 0 {
			j.persons[p] = true
		}
	}
}

// write reads, and writes what was read before.
func (j *job[T]) write(ctx context.Context) error {
	j.wrote = true
	g, ctx := errgroup.WithContext(ctx)
	pieces := make(chan *piece[T])
	g.Go(func() error {
		defer close(pieces)
		return j.split(ctx, pieces)
	})
	for range j.o.Writers {
		g.Go(func() error {
			for p := range pieces {
				if err := j.writePiece(ctx, p); err != nil {
					return err
				}
			}
			return nil
		})
	}
	return g.Wait()
}

// cut reads the window in order and hands on the rows to write, in pieces.
func (j *job[T]) split(ctx context.Context, pieces chan<- *piece[T]) error {
	c := &splitter[T]{t: j.t, most: j.o.Batch, layer: -1, out: func(p *piece[T]) error {
		select {
		case pieces <- p:
			return nil
		case <-ctx.Done():
			return ctx.Err()
		}
	}}
	left := maps.Clone(j.have)
	strange := alteredNames(j.want, j.have)
	err := j.source(ctx, true, func(row *T, n int, s sum, size int) error {
		switch {
		case j.mode != mixed:
			j.note(row, n, s)
		case n > 0 && left[s] >= n, n < 0 && left[s] <= n:
			left[s] -= n
			return nil
		case strange[s.key] && !s.erased:
			return nil // beside its altered self it would count twice
		}
		return c.add(row, n, s, size)
	})
	if err != nil {
		return err
	}
	return c.flush()
}

// writePiece writes one batch, to the end even when ctx is done meanwhile.
func (j *job[T]) writePiece(ctx context.Context, p *piece[T]) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	var stale []weir.VisitRow
	if j.mode == mixed && j.t.findSuccessors != nil {
		var err error
		if stale, err = j.replaceStates(ctx, p); err != nil {
			return err
		}
	}
	b := j.batch(p, stale)
	// Rows that have a place are looked for when they may be there. ClickHouse's look
	// for states of visits takes no heed of what a server does with them meanwhile:
	// they rely on the token.
	b.Again = j.mode != fresh && j.t.place != nil
	if j.mode == mixed {
		var err error
		if b.Token, err = j.unused(ctx, b.Token); err != nil {
			return err
		}
	}
	b.Log = logOf(b.Token)
	for {
		err := j.to.Write(context.WithoutCancel(ctx), b)
		var row *cold.RowError
		switch {
		case err == nil:
			j.meter.add(len(p.rows))
			return nil
		case errors.As(err, &row) && row.Index >= 0 && row.Index < len(b.Events):
			j.refuse(p.sums[row.Index], row)
			b.Events = slices.Delete(b.Events, row.Index, row.Index+1)
			p.sums = slices.Delete(p.sums, row.Index, row.Index+1)
		default:
			return fmt.Errorf("write %s: %w", j.t.name, err)
		}
	}
}

func (j *job[T]) refuse(s sum, row *cold.RowError) {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.refused = append(j.refused, s)
	j.reason = row.Reason
}

// settle takes states from the piece that were cancelled in the destination, and
// returns those there that are to be cancelled.
func (j *job[T]) replaceStates(ctx context.Context, p *piece[T]) ([]weir.VisitRow, error) {
	others, err := j.t.findSuccessors(ctx, j.run, p.rows)
	if err != nil {
		return nil, err
	}
	var stale []weir.VisitRow
	kept := &piece[T]{shard: p.shard, layer: p.layer}
	for i := range p.rows {
		if p.counts[i] > 0 {
			if others.superseded[i] && j.have[p.sums[i]] == 0 {
				continue
			}
			stale = append(stale, others.stale[i]...)
		}
		kept.rows, kept.sums, kept.counts = append(kept.rows, p.rows[i]), append(kept.sums, p.sums[i]), append(kept.counts, p.counts[i])
	}
	*p = *kept
	return stale, nil
}
