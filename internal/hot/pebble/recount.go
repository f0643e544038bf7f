package pebble

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/cockroachdb/pebble/v2"
	weir "github.com/weir-analytics/weir"
	"github.com/weir-analytics/weir/internal/hot"
)

// Empty implements hot.Corrector. The shards are one step.
func (s *Store) Empty(ctx context.Context, project, id string, buckets []hot.Bucket) (heads []uint64, err error) {
	if err := hot.CheckEmpty(id, buckets); err != nil {
		return nil, err
	}
	err = s.correct(ctx, "empty buckets", func(b *pebble.Batch) error {
		return errors.Join(s.clearKeys(b, tagCount, project, buckets), s.clearKeys(b, tagUnique, project, buckets),
			s.clearKeys(b, tagUnique, hot.BotsOf(project), buckets), setStep(b, project, hot.Step{ID: id}))
	}, func() {
		heads = slices.Clone(s.next)
		for _, k := range buckets {
			s.counts.drop(bucketOf{project, k})
		}
		s.forgetUniques(project)
	})
	return heads, err
}

// Refill implements hot.Corrector. The shards are one step.
func (s *Store) Refill(ctx context.Context, project string, step hot.Step, amounts []hot.Amount, unique []hot.Unique) error {
	if err := step.Check(amounts, unique); err != nil {
		return err
	}
	oldest := s.horizon.now(s.opt.Clock.Now(), s.opt.Elapsed()).Add(-sweepSlack)
	kept := func(b hot.Bucket) bool { return oldest.Sub(time.Unix(b.Start, 0)) < b.Grain.Kept() }
	byBucket := map[hot.Bucket]*sums{}
	for _, a := range amounts {
		if !kept(a.Bucket) {
			continue
		}
		if byBucket[a.Bucket] == nil {
			byBucket[a.Bucket] = &sums{}
		}
		of := byBucket[a.Bucket]
		of.facts = append(of.facts, sum{a.Fact, a.N})
	}
	done := false
	return s.correct(ctx, "add to counters", func(b *pebble.Batch) error {
		last, err := s.lastStep(project)
		if err == nil && last.ID != step.ID {
			err = hot.ErrFenced
		}
		if done = last.Number >= step.Number; done || err != nil {
			return err
		}
		s.counts.begin()
		s.uniques.begin()
		for k, of := range byBucket {
			if err == nil {
				err = s.counts.add(bucketOf{project, k}, of)
			}
		}
		for _, u := range unique {
			if kept(u.Bucket) {
				s.uniques.add(hot.Item{Event: &weir.Event{ProjectID: project, DeviceID: u.Device, Bot: u.Bot}}, []hot.Bucket{u.Bucket})
			}
		}
		if err == nil {
			err = errors.Join(s.counts.write(b), s.uniques.write(b), setStep(b, project, step))
		}
		if err = errors.Join(err, s.counts.end()); err != nil {
			// The caches hold sums that the store will not get.
			s.counts.forget()
			s.uniques.forget()
		}
		return err
	}, func() {
		if !done {
			s.buckets.applied(s.counts.changed, s.uniques.changed)
		}
	})
}
