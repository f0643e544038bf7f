package pebble

import (
	"bytes"
	"errors"
	"time"

	"github.com/cockroachdb/pebble/v2"
	"github.com/weir-analytics/weir/internal/hot"
)

const (
	sweepEvery = time.Minute
	// sweepSlack is how long a bucket is kept beyond its time: it is in use while
	// it lasts.
	sweepSlack = 24 * time.Hour
)

func (s *Store) sweepLoop() {
	t := time.NewTicker(sweepEvery)
	defer t.Stop()
	for {
		select {
		case <-s.stop:
			return
		case <-t.C:
			if err := s.Sweep(); err != nil {
				s.opt.Logger.Error("hot tier: sweep failed, retrying at the next one", "error", err)
			}
		}
	}
}

// Sweep deletes what is past its time: counters and uniques beyond their
// grain's retention, ids beyond the window, devices that left. It runs by
// itself each minute.
func (s *Store) Sweep() error {
	clock := s.opt.Clock.Now()
	now := s.horizon.now(clock, s.opt.Elapsed())
	if err := errors.Join(s.saveHorizon(), s.seen.sweep()); err != nil {
		return err
	}
	for _, tag := range []byte{tagCount, tagUnique} {
		if err := s.sweepBuckets(tag, now); err != nil {
			return err
		}
	}
	s.buckets.sweep(clock, now)
	return s.sweepDevices(clock)
}

// sweepBuckets finds the projects by skipping from one to the next.
func (s *Store) sweepBuckets(tag byte, now time.Time) error {
	it, err := s.db.NewIter(&pebble.IterOptions{LowerBound: []byte{tag}, UpperBound: []byte{tag + 1}})
	if err != nil {
		return err
	}
	defer it.Close()
	for ok := it.First(); ok; {
		project := string(it.Key()[1:bytes.IndexByte(it.Key(), 0)])
		for _, g := range hot.Grains {
			from := bucketKey(nil, tag, project, g, 0)
			to := bucketKey(nil, tag, project, g, now.Add(-g.Kept()-sweepSlack).Unix())
			if it.SeekGE(from) && bytes.Compare(it.Key(), to) < 0 {
				if err := s.db.DeleteRange(from, to, pebble.NoSync); err != nil {
					return err
				}
			}
		}
		ok = it.SeekGE(after(projectKey(nil, tag, project)))
	}
	return it.Error()
}
