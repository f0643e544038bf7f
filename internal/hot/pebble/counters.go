package pebble

import (
	"context"
	"encoding/binary"
	"fmt"
	"math"
	"strings"
	"time"

	"github.com/cockroachdb/pebble/v2"
	"github.com/weir-analytics/weir/internal/hot"
)

// Series implements hot.Counters.
func (s *Store) Series(ctx context.Context, project string, g hot.Grain, d hot.Dimension, member string, from, to time.Time) ([]hot.Point, error) {
	var points []hot.Point
	err := s.eachBucket(ctx, tagCount, project, g, from, to, func(it *pebble.Iterator, start int64) error {
		key := countKey(nil, counter{project, hot.Bucket{Grain: g, Start: start}, hot.Fact{Dimension: d, Member: member}})
		if !it.SeekGE(key) || string(it.Key()) != string(key) {
			return nil
		}
		n, err := count(it)
		points = append(points, hot.Point{Start: time.Unix(start, 0).UTC(), Count: n})
		return err
	})
	return points, err
}

// Members implements hot.Counters.
func (s *Store) Members(ctx context.Context, project string, g hot.Grain, d hot.Dimension, from, to time.Time, limit int) ([]hot.Member, error) {
	sums := map[string]int64{}
	err := s.eachBucket(ctx, tagCount, project, g, from, to, func(it *pebble.Iterator, start int64) error {
		prefix := countKey(nil, counter{project, hot.Bucket{Grain: g, Start: start}, hot.Fact{Dimension: d}})
		for ok := it.SeekGE(prefix); ok && strings.HasPrefix(string(it.Key()), string(prefix)); ok = it.Next() {
			n, err := count(it)
			if err != nil {
				return err
			}
			sums[string(it.Key()[len(prefix):])] += n
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return hot.Ranked(sums, limit), nil
}

// Uniques implements hot.Counters.
func (s *Store) Uniques(ctx context.Context, project string, g hot.Grain, from, to time.Time) (int64, error) {
	ranks := make([]byte, registers)
	err := s.eachBucket(ctx, tagUnique, project, g, from, to, func(it *pebble.Iterator, start int64) error {
		prefix := bucketKey(nil, tagUnique, project, g, start)
		for ok := it.SeekGE(prefix); ok && strings.HasPrefix(string(it.Key()), string(prefix)); ok = it.Next() {
			k, v := it.Key()[len(prefix):], it.Value()
			if len(k) != 2 || len(v) != 1 {
				return fmt.Errorf("register at %q is corrupt", it.Key())
			}
			r := binary.BigEndian.Uint16(k)
			ranks[r] = max(ranks[r], v[0])
		}
		return nil
	})
	return estimate(ranks), err
}

func count(it *pebble.Iterator) (int64, error) {
	n, size := binary.Uvarint(it.Value())
	if size <= 0 {
		return 0, fmt.Errorf("count at %q is corrupt", it.Key())
	}
	return int64(n), nil
}

// eachBucket calls fn with the start of each bucket in [from, to) that holds
// anything, oldest first. It skips from bucket to bucket, so that its cost is
// in buckets, not in counters. fn may move the iterator.
func (s *Store) eachBucket(ctx context.Context, tag byte, project string, g hot.Grain, from, to time.Time, fn func(it *pebble.Iterator, start int64) error) (err error) {
	if err := s.usable(); err != nil {
		return err
	}
	defer func() {
		if err != nil {
			err = fmt.Errorf("hot: read counters: %w", err)
		}
	}()
	lo := bucketKey(nil, tag, project, g, max(0, from.Unix()))
	it, err := s.db.NewIter(&pebble.IterOptions{
		LowerBound: lo,
		UpperBound: bucketKey(nil, tag, project, g, max(0, to.Unix())),
	})
	if err != nil {
		return err
	}
	defer it.Close()
	for next := lo; it.SeekGE(next); {
		if err := ctx.Err(); err != nil {
			return err
		}
		start := int64(binary.BigEndian.Uint64(it.Key()[len(lo)-8:]))
		if err := fn(it, start); err != nil {
			return err
		}
		next = bucketKey(next[:0:0], tag, project, g, start+1)
	}
	return it.Error()
}

// estimate is the HyperLogLog estimate of the registers (Flajolet et al. 2007,
// with linear counting below 2.5 m; a 64-bit hash needs no correction above).
func estimate(ranks []byte) int64 {
	m := float64(len(ranks))
	var sum float64
	zeros := 0
	for _, r := range ranks {
		sum += 1 / float64(uint64(1)<<r)
		if r == 0 {
			zeros++
		}
	}
	e := 0.7213 / (1 + 1.079/m) * m * m / sum
	if e <= 2.5*m && zeros > 0 {
		e = m * math.Log(m/float64(zeros))
	}
	return int64(math.Round(e))
}
