package pebble

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/cockroachdb/pebble/v2"
	"github.com/weir-analytics/weir/internal/codec"
	"github.com/weir-analytics/weir/internal/hot"
)

// leaseRecord is who may drain a shard.
type leaseRecord struct {
	epoch uint64
	owner string
	until time.Time
}

// Claim implements hot.Log.
func (s *Store) Claim(_ context.Context, shard int, owner string, ttl time.Duration) (hot.Lease, error) {
	if err := s.usable(); err != nil {
		return hot.Lease{}, err
	}
	st := &s.shards[shard]
	st.mu.Lock()
	defer st.mu.Unlock()
	now := s.opt.Clock.Now()
	if st.lease.owner != owner && now.Before(st.lease.until) {
		return hot.Lease{}, hot.ErrHeld
	}
	l := leaseRecord{st.lease.epoch + 1, owner, now.Add(ttl)}
	if err := s.writeLease(shard, l); err != nil {
		return hot.Lease{}, err
	}
	st.lease = l
	return hot.Lease{Shard: shard, Owner: owner, Epoch: l.epoch}, nil
}

// Renew implements hot.Log.
func (s *Store) Renew(_ context.Context, l hot.Lease, ttl time.Duration) error {
	return s.fenced(l, func(st *shardState) error {
		// Only this process reads the deadline, so memory holds it.
		st.lease.until = s.opt.Clock.Now().Add(ttl)
		return nil
	})
}

// Release implements hot.Log.
func (s *Store) Release(_ context.Context, l hot.Lease) error {
	err := s.fenced(l, func(st *shardState) error {
		rec := leaseRecord{epoch: st.lease.epoch}
		if err := s.writeLease(l.Shard, rec); err != nil {
			return err
		}
		st.lease = rec
		return nil
	})
	if errors.Is(err, hot.ErrFenced) {
		return nil
	}
	return err
}

func (s *Store) writeLease(shard int, l leaseRecord) error {
	v := codec.AppendUint(nil, l.epoch)
	v = codec.AppendString(v, l.owner)
	v = codec.AppendTime(v, l.until)
	if err := s.db.Set(shardKey(shard, fieldLease), v, pebble.Sync); err != nil {
		return fmt.Errorf("hot: write lease of shard %d: %w", shard, err)
	}
	return nil
}

// fenced runs fn under the shard's lock if the lease is still the shard's.
func (s *Store) fenced(l hot.Lease, fn func(*shardState) error) error {
	if err := s.usable(); err != nil {
		return err
	}
	st := &s.shards[l.Shard]
	st.mu.Lock()
	defer st.mu.Unlock()
	if st.lease.epoch != l.Epoch || st.lease.owner != l.Owner {
		return hot.ErrFenced
	}
	if err := fn(st); err != nil {
		return fmt.Errorf("hot: shard %d: %w", l.Shard, err)
	}
	return nil
}
