package redis

import (
	"context"
	_ "embed"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/weir-analytics/weir/internal/hot"
)

//go:embed scripts/lease.lua
var leaseText string

var leaseScript = newScript(leaseText)

// Claim implements hot.Log.
func (s *Store) Claim(ctx context.Context, shard int, owner string, ttl time.Duration) (hot.Lease, error) {
	epoch, err := s.lease(ctx, "claim", hot.Lease{Shard: shard, Owner: owner}, ttl)
	return hot.Lease{Shard: shard, Owner: owner, Epoch: epoch}, err
}

// Renew implements hot.Log.
func (s *Store) Renew(ctx context.Context, l hot.Lease, ttl time.Duration) error {
	_, err := s.lease(ctx, "renew", l, ttl)
	return err
}

// Release implements hot.Log.
func (s *Store) Release(ctx context.Context, l hot.Lease) error {
	_, err := s.lease(ctx, "release", l, 0)
	if errors.Is(err, hot.ErrFenced) {
		return nil
	}
	return err
}

func (s *Store) lease(ctx context.Context, what string, l hot.Lease, ttl time.Duration) (epoch uint64, err error) {
	if err := s.usable(); err != nil {
		return 0, err
	}
	ctx, cancel := context.WithTimeout(ctx, s.opt.Timeout)
	defer cancel()
	r, err := s.run(ctx, leaseScript, nil, []string{s.keys.shards[l.Shard]}, []string{
		s.id, strconv.FormatInt(s.scriptNow(s.opt.Clock.Now()), 10), what,
		l.Owner, strconv.FormatUint(l.Epoch, 10), strconv.FormatInt(ttl.Microseconds(), 10),
	})
	what = fmt.Sprintf("%s shard %d", what, l.Shard)
	if err != nil {
		return 0, s.fault(what, err)
	}
	got, err := r.AsStrSlice()
	if err != nil {
		return 0, s.fault(what, err)
	}
	switch got[0] {
	case "held":
		return 0, fmt.Errorf("hot: %s: %w", what, hot.ErrHeld)
	case "fenced":
		return 0, fmt.Errorf("hot: %s: %w", what, hot.ErrFenced)
	}
	return strconv.ParseUint(got[1], 10, 64)
}
