package pebble

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"slices"

	"github.com/cockroachdb/pebble/v2"
	weir "github.com/weir-analytics/weir"
	"github.com/weir-analytics/weir/internal/codec"
	"github.com/weir-analytics/weir/internal/hot"
)

// correct runs f between two batches of the commit loop. f fills b, which is then applied. done
// runs after that, still between the two batches. correct returns when b is durable, and with it
// all batches before it.
func (s *Store) correct(ctx context.Context, what string, f func(b *pebble.Batch) error, done func()) error {
	landed := make(chan error, 1)
	err := s.between(ctx, func() error {
		if err := s.usable(); err != nil {
			return err
		}
		b := s.db.NewBatch()
		if err := f(b); err != nil {
			return errors.Join(err, b.Close())
		}
		if err := s.db.ApplyNoSyncWait(b, pebble.Sync); err != nil {
			return s.fail(err)
		}
		done()
		s.flights <- flight{batch: b, heads: s.next, landed: landed}
		return nil
	})
	if err == nil {
		err = <-landed // landLoop answers all flights, also while the store closes
	}
	if err != nil {
		return fmt.Errorf("hot: %s: %w", what, err)
	}
	return nil
}

// Subtract implements hot.Corrector. The shards are one step.
func (s *Store) Subtract(ctx context.Context, project string, step hot.Step, amounts []hot.Amount) error {
	if err := step.Check(amounts, nil); err != nil {
		return err
	}
	noted := false
	return s.correct(ctx, "subtract from counters", func(b *pebble.Batch) (err error) {
		if noted, err = s.note(b, project, step); noted || err != nil {
			return err
		}
		r := reduction{s: s, values: map[string]uint64{}}
		for i := range amounts {
			if err := r.subtract(counter{project, amounts[i].Bucket, amounts[i].Fact}, uint64(amounts[i].N)); err != nil {
				return err
			}
		}
		return r.write(b)
	}, func() {
		if noted {
			return
		}
		for i := range amounts {
			s.counts.drop(bucketOf{project, amounts[i].Bucket})
		}
		s.buckets.forget(project)
	})
}

// note puts the step into b, unless it or a later one is noted already.
func (s *Store) note(b *pebble.Batch, project string, step hot.Step) (noted bool, err error) {
	last, err := s.lastStep(project)
	if err != nil || last.ID == step.ID && last.Number >= step.Number {
		return err == nil, err
	}
	return false, setStep(b, project, step)
}

// lastStep returns the noted step of the project, the zero step if there is none.
func (s *Store) lastStep(project string) (last hot.Step, err error) {
	raw, err := s.get(stepKey(project))
	if err != nil || raw == nil {
		return last, err
	}
	r := codec.NewReader(raw)
	last = hot.Step{ID: r.String(), Number: r.Uint()}
	if err := r.Done(); err != nil {
		return last, fmt.Errorf("step of %q: %w", project, err)
	}
	return last, nil
}

func setStep(b *pebble.Batch, project string, step hot.Step) error {
	return b.Set(stepKey(project), codec.AppendUint(codec.AppendString(nil, step.ID), step.Number), nil)
}

// reduction are counters with the values that are left of them.
type reduction struct {
	s      *Store
	values map[string]uint64 // by key
}

// subtract subtracts n from the counter, and what the counter lacks from the rest of its dimension.
func (r *reduction) subtract(c counter, n uint64) error {
	left, err := r.take(countKey(nil, c), n)
	if _, open := c.Dimension.OpenIndex(); left == 0 || !open || err != nil {
		return err
	}
	_, err = r.take(countKey(nil, counter{c.project, c.Bucket, hot.Fact{Dimension: c.Dimension.Rest()}}), left)
	return err
}

// take subtracts up to n, and returns what could not be subtracted.
func (r *reduction) take(key []byte, n uint64) (left uint64, err error) {
	value, ok := r.values[string(key)]
	if !ok {
		raw, err := r.s.get(key)
		if err != nil || raw == nil {
			return n, err
		}
		n, size := binary.Uvarint(raw)
		if size <= 0 {
			return 0, fmt.Errorf("count at %q is corrupt", key)
		}
		value = n
	}
	taken := min(value, n)
	r.values[string(key)] = value - taken
	return n - taken, nil
}

// write puts the counters into b. One of 0 is deleted.
func (r *reduction) write(b *pebble.Batch) (err error) {
	for key, n := range r.values {
		if n == 0 {
			err = b.Delete([]byte(key), nil)
		} else {
			err = b.Set([]byte(key), binary.AppendUvarint(nil, n), nil)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// clearKeys deletes what the buckets have under one of the tags, in b.
func (s *Store) clearKeys(b *pebble.Batch, tag byte, project string, buckets []hot.Bucket) error {
	for _, k := range buckets {
		prefix := bucketKey(nil, tag, project, k.Grain, k.Start)
		empty, err := none(s.db, prefix) // a deleted range costs more than this question
		if err == nil && !empty {
			err = b.DeleteRange(prefix, after(prefix), nil)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// ClearUniques implements hot.Corrector.
func (s *Store) ClearUniques(ctx context.Context, project string, buckets []hot.Bucket) error {
	if err := hot.CheckCorrection(len(buckets)); err != nil {
		return err
	}
	return s.correct(ctx, "clear uniques", func(b *pebble.Batch) error {
		return errors.Join(s.clearKeys(b, tagUnique, project, buckets), s.clearKeys(b, tagUnique, hot.BotsOf(project), buckets))
	}, func() { s.forgetUniques(project) })
}

// forgetUniques empties the caches of what sketches have.
func (s *Store) forgetUniques(project string) {
	s.uniques.forget()
	s.buckets.forget(project)
	s.buckets.forget(hot.BotsOf(project))
}

// AddUniques implements hot.Corrector.
func (s *Store) AddUniques(ctx context.Context, project string, unique []hot.Unique) error {
	if err := hot.CheckCorrection(len(unique)); err != nil {
		return err
	}
	return s.correct(ctx, "add uniques", func(b *pebble.Batch) error {
		s.uniques.begin()
		there := map[hot.Bucket]bool{}
		for _, u := range unique {
			is, ok := there[u.Bucket]
			if !ok {
				total, err := s.get(countKey(nil, counter{project, u.Bucket, hot.Fact{Dimension: hot.Total}}))
				if err != nil {
					return err
				}
				is = total != nil
				there[u.Bucket] = is
			}
			if is {
				s.uniques.add(hot.Item{Event: &weir.Event{ProjectID: project, DeviceID: u.Device, Bot: u.Bot}}, []hot.Bucket{u.Bucket})
			}
		}
		err := s.uniques.write(b)
		if err != nil {
			s.uniques.forget() // it has ranks that the store does not get
		}
		return err
	}, func() { s.buckets.applied(changes{}, s.uniques.changed) })
}

// DropIDs implements hot.Corrector.
func (s *Store) DropIDs(ctx context.Context, rows []weir.EventRow) error {
	if err := hot.CheckCorrection(len(rows)); err != nil {
		return err
	}
	for some := range slices.Chunk(rows, dropStep) {
		err := s.correct(ctx, "drop ids", func(b *pebble.Batch) error {
			s.seen.mu.Lock()
			defer s.seen.mu.Unlock()
			for i := range some {
				for _, id := range hot.DedupIDs(&some[i].Event) {
					if err := s.seen.remove(b, id); err != nil {
						return err
					}
				}
			}
			return nil
		}, func() {})
		if err != nil {
			return err
		}
	}
	return nil
}

// dropStep is how many events' ids are deleted at once: appends wait meanwhile.
const dropStep = 1000
