package redis

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"time"

	"github.com/redis/rueidis"
	"github.com/weir-analytics/weir/internal/hot"
)

// place is a shard's part of a bucket.
type place struct {
	shard int
	hot.Bucket
}

// Series implements hot.Counters.
func (s *Store) Series(ctx context.Context, project string, g hot.Grain, d hot.Dimension, member string, from, to time.Time) ([]hot.Point, error) {
	places, err := s.places(ctx, project, g, from, to)
	if err != nil {
		return nil, err
	}
	slots := make([]int64, len(places))
	if _, open := d.OpenIndex(); open {
		if slots, err = s.slots(ctx, project, places, string(byte(d))+member); err != nil {
			return nil, err
		}
	} else {
		for i := range slots {
			slots[i] = int64(hot.FixedSlot(d, member))
		}
	}
	var cmds []rueidis.Completed
	var asked []place
	for i, p := range places {
		if slots[i] >= 0 {
			asked = append(asked, p)
			cmds = append(cmds, s.client.B().Getrange().Key(s.keys.bucket(p.shard, kindCounts, project, p.Bucket)).
				Start(slots[i]*slotBytes).End(slots[i]*slotBytes+slotBytes-1).Build())
		}
	}
	sums := map[int64]int64{}
	for i, r := range s.askAll(ctx, cmds) {
		text, err := r.ToString()
		if err != nil {
			return nil, s.fault("read counters", err)
		}
		if n := slot(text, 0); n > 0 {
			sums[asked[i].Start] += n
		}
	}
	points := make([]hot.Point, 0, len(sums))
	for start, n := range sums {
		points = append(points, hot.Point{Start: time.Unix(start, 0).UTC(), Count: n})
	}
	slices.SortFunc(points, func(a, b hot.Point) int { return a.Start.Compare(b.Start) })
	return points, nil
}

// slots returns the member's at each place, -1 where it has none.
func (s *Store) slots(ctx context.Context, project string, places []place, member string) ([]int64, error) {
	cmds := make([]rueidis.Completed, len(places))
	for i, p := range places {
		cmds[i] = s.client.B().Zscore().Key(s.keys.bucket(p.shard, kindMembers, project, p.Bucket)).Member(member).Build()
	}
	slots := make([]int64, len(places))
	for i, r := range s.askAll(ctx, cmds) {
		n, err := r.AsFloat64()
		slots[i] = int64(n)
		if rueidis.IsRedisNil(err) {
			slots[i], err = -1, nil
		}
		if err != nil {
			return nil, s.fault("read counters", err)
		}
	}
	return slots, nil
}

// Members implements hot.Counters.
func (s *Store) Members(ctx context.Context, project string, g hot.Grain, d hot.Dimension, from, to time.Time, limit int) ([]hot.Member, error) {
	places, err := s.places(ctx, project, g, from, to)
	if err != nil {
		return nil, err
	}
	open, isOpen := d.OpenIndex()
	var cmds []rueidis.Completed
	for _, p := range places {
		cmds = append(cmds, s.countsOf(project, p, -1))
		if isOpen {
			cmds = append(cmds, s.membersOf(project, p, 0))
		}
	}
	answers := s.askAll(ctx, cmds)
	sums, rest := map[string]int64{}, int64(0)
	for range places {
		counts, err := answers[0].ToString()
		if err != nil {
			return nil, s.fault("read counters", err)
		}
		if answers = answers[1:]; !isOpen {
			for _, m := range append(hot.Statuses[:], "") {
				if i := hot.FixedSlot(d, m); i >= 0 && slot(counts, i) > 0 {
					sums[m] += slot(counts, i)
				}
			}
			continue
		}
		rest += slot(counts, restSlots+open)
		members, err := answers[0].AsStrSlice()
		if err != nil {
			return nil, s.fault("read counters", err)
		}
		answers = answers[1:]
		for i, m := range members {
			of, name, err := openOf(m)
			if err != nil {
				return nil, fmt.Errorf("hot: read counters: %w", err)
			}
			if n := slot(counts, memberSlots+i); of == d && n > 0 {
				sums[name] += n
			}
		}
	}
	return hot.Ranked(sums, rest, limit), nil
}

// countsOf reads the first counts of a place, -1 for all.
func (s *Store) countsOf(project string, p place, slots int64) rueidis.Completed {
	end := slots*slotBytes - 1
	if slots < 0 {
		end = -1
	}
	return s.client.B().Getrange().Key(s.keys.bucket(p.shard, kindCounts, project, p.Bucket)).Start(0).End(end).Build()
}

// stateOf reads a place's state: its counts from digestSlot to stampSlot.
func (s *Store) stateOf(project string, p place) rueidis.Completed {
	const from, to = digestSlot * slotBytes, memberSlots*slotBytes - 1
	return s.client.B().Getrange().Key(s.keys.bucket(p.shard, kindCounts, project, p.Bucket)).Start(int64(from)).End(int64(to)).Build()
}

// membersOf reads the members from index from on, in the order of their
// slots. Asked for after the counts, it has all that those count.
func (s *Store) membersOf(project string, p place, from int) rueidis.Completed {
	return s.client.B().Zrange().Key(s.keys.bucket(p.shard, kindMembers, project, p.Bucket)).Min(strconv.Itoa(from)).Max("-1").Build()
}

// Uniques implements hot.Counters. A device lives in one shard, so that those
// of the shards add up.
func (s *Store) Uniques(ctx context.Context, project string, g hot.Grain, from, to time.Time) (int64, error) {
	places, err := s.places(ctx, project, g, from, to)
	if err != nil {
		return 0, err
	}
	keys := make([][]string, s.opt.Shards)
	for _, p := range places {
		keys[p.shard] = append(keys[p.shard], s.keys.bucket(p.shard, kindUniques, project, p.Bucket))
	}
	var cmds []rueidis.Completed
	for _, of := range keys {
		if len(of) > 0 {
			cmds = append(cmds, s.client.B().Pfcount().Key(of...).Build())
		}
	}
	var sum int64
	for _, r := range s.askAll(ctx, cmds) {
		n, err := r.AsInt64()
		if err != nil {
			return 0, s.fault("read uniques", err)
		}
		sum += n
	}
	return sum, nil
}

// ask sends all commands at once.
func (s *Store) ask(ctx context.Context, cmds []rueidis.Completed) []rueidis.RedisResult {
	if len(cmds) == 0 {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, s.opt.Timeout)
	defer cancel()
	return s.client.DoMulti(ctx, cmds...)
}

// oldest returns the start of the oldest bucket that is still there at now: Redis may
// not have deleted what is older yet.
func oldest(g hot.Grain, now time.Time) int64 { return now.Add(-g.Kept() - bucketSlack).Unix() }

// places returns the buckets in [from, to) that hold anything, oldest first in each
// shard. What is past its time is not there, even if Redis has not deleted it yet.
func (s *Store) places(ctx context.Context, project string, g hot.Grain, from, to time.Time) ([]place, error) {
	if err := errors.Join(ctx.Err(), s.usable()); err != nil {
		return nil, err
	}
	least := max(from.Unix(), oldest(g, s.opt.Clock.Now()))
	cmds := make([]rueidis.Completed, s.opt.Shards)
	for shard := range cmds {
		cmds[shard] = s.client.B().Zrange().Key(s.keys.index(shard, project, g)).
			Min(strconv.FormatInt(least, 10)).Max("(" + strconv.FormatInt(to.Unix(), 10)).Byscore().Build()
	}
	var places []place
	for shard, r := range s.askAll(ctx, cmds) {
		texts, err := r.AsStrSlice()
		if err != nil {
			return nil, s.fault("read counters", err)
		}
		for _, t := range texts {
			n, err := strconv.ParseInt(t, 10, 64)
			if err != nil {
				return nil, fmt.Errorf("hot: bucket %q of shard %d: %w", t, shard, err)
			}
			places = append(places, place{shard, hot.Bucket{Grain: g, Start: n}})
		}
	}
	return places, nil
}
