package pebble

import (
	"context"
	"encoding/binary"
	"fmt"
	"strings"
	"time"

	"github.com/cockroachdb/pebble/v2"
	"github.com/weir-analytics/weir/internal/hot"
)

// counter names one count.
type counter struct {
	project string
	hot.Bucket
	hot.Fact
}

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
	sums, rest := map[string]int64{}, int64(0)
	err := s.eachBucket(ctx, tagCount, project, g, from, to, func(it *pebble.Iterator, start int64) error {
		bucket := hot.Bucket{Grain: g, Start: start}
		if key := countKey(nil, counter{project, bucket, hot.Fact{Dimension: d.Rest()}}); it.SeekGE(key) && string(it.Key()) == string(key) {
			n, err := count(it)
			if err != nil {
				return err
			}
			rest += n
		}
		prefix := countKey(nil, counter{project, bucket, hot.Fact{Dimension: d}})
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
	return hot.Ranked(sums, rest, limit), nil
}

// Uniques implements hot.Counters.
func (s *Store) Uniques(ctx context.Context, project string, g hot.Grain, from, to time.Time) (int64, error) {
	var sum registersOf
	sum.byRank[0] = registers
	err := s.eachBucket(ctx, tagUnique, project, g, from, to, func(it *pebble.Iterator, start int64) error {
		prefix := bucketKey(nil, tagUnique, project, g, start)
		for ok := it.SeekGE(prefix); ok && strings.HasPrefix(string(it.Key()), string(prefix)); ok = it.Next() {
			number, rank, err := register(it, len(prefix))
			if err != nil {
				return err
			}
			sum.raise(number, rank)
		}
		return nil
	})
	return estimate(&sum.byRank), err
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
