package pebble

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/cockroachdb/pebble/v2"
	"github.com/weir-analytics/weir/internal/hot"
)

// eraseStep is how many counters or devices are erased at once: appends wait meanwhile.
const eraseStep = 256

// errand is work between two batches of the commit loop, which alone may change
// counters.
type errand struct {
	do   func() error
	done chan error
}

// between runs f between two batches.
func (s *Store) between(ctx context.Context, f func() error) error {
	e := errand{f, make(chan error, 1)}
	select {
	case s.errands <- e:
		return <-e.done
	case <-s.stop:
		return hot.ErrClosed
	case <-ctx.Done():
		return ctx.Err()
	}
}

// Erase implements hot.Eraser.
func (s *Store) Erase(ctx context.Context, project string, devices, consumers []string) error {
	if err := s.usable(); err != nil {
		return err
	}
	for some := range slices.Chunk(devices, eraseStep) {
		if err := s.eraseDevices(project, some); err != nil {
			return fmt.Errorf("hot: erase devices: %w", err)
		}
	}
	if err := s.eraseConsumers(ctx, project, consumers); err != nil {
		return fmt.Errorf("hot: erase consumers: %w", err)
	}
	// The steps were not synced. What is written later in the log is behind them.
	if err := s.db.LogData(nil, pebble.Sync); err != nil {
		return s.fail(err)
	}
	return nil
}

func (s *Store) eraseDevices(project string, devices []string) error {
	b := s.db.NewBatch()
	defer b.Close()
	p := s.presence
	p.mu.Lock()
	defer p.mu.Unlock()
	now := s.opt.Clock.Now()
	p.devices.turn(now)
	for _, d := range devices {
		for _, crowd := range []string{project, hot.BotsOf(project)} {
			id := deviceOf(crowd, d)
			p.devices.drop(crowd, id, now)
			for _, slot := range []int64{p.devices.slot, p.devices.slot - 1} {
				if err := b.Delete(deviceKey(slot, id[:]), nil); err != nil {
					return err
				}
			}
		}
	}
	return s.db.Apply(b, pebble.NoSync)
}

// eraseConsumers looks for their counters beside the commit loop, and has it delete some
// at a time.
func (s *Store) eraseConsumers(ctx context.Context, project string, consumers []string) error {
	if len(consumers) == 0 {
		return nil
	}
	var found []counter
	for _, g := range hot.Grains {
		err := s.eachBucket(ctx, tagCount, project, g, time.Unix(0, 0), time.Unix(1<<40, 0), func(it *pebble.Iterator, start int64) error {
			for _, name := range consumers {
				c := counter{project, hot.Bucket{Grain: g, Start: start}, hot.Fact{Dimension: hot.Consumer, Member: name}}
				if key := countKey(nil, c); !it.SeekGE(key) || string(it.Key()) != string(key) {
					continue
				}
				if found = append(found, c); len(found) < eraseStep {
					continue
				}
				if err := s.between(ctx, func() error { return s.dropCounters(found) }); err != nil {
					return err
				}
				found = found[:0]
			}
			return it.Error()
		})
		if err != nil {
			return err
		}
	}
	return s.between(ctx, func() error {
		defer s.buckets.forget(project) // last: until then a page may be read from before
		return s.dropCounters(found)
	})
}

// dropCounters deletes counters, and drops their buckets from the cache.
func (s *Store) dropCounters(found []counter) error {
	if err := s.usable(); err != nil || len(found) == 0 {
		return err
	}
	b := s.db.NewBatch()
	defer b.Close()
	for _, c := range found {
		s.counts.drop(bucketOf{c.project, c.Bucket})
		if err := b.Delete(countKey(nil, c), nil); err != nil {
			return err
		}
	}
	if err := s.db.Apply(b, pebble.NoSync); err != nil {
		return s.fail(err)
	}
	return nil
}
