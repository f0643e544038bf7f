package redis

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/redis/rueidis"
	weir "github.com/weir-analytics/weir"
	"github.com/weir-analytics/weir/internal/hot"
)

// Each shard keeps a project's last events as a list of chunks, the newest first.
// A chunk takes as many places of the list as it has events, or more when these
// are large; the list has RecentMax places, see scripts/append.lua. So a project
// takes less than twice RecentMax events and twice recentBytes of a shard, or one
// event that is larger.
const (
	recentBytes = 128 << 10          // what the places of a list stand for
	recentKept  = 7 * 24 * time.Hour // after the last event
)

// recentFrom is the first of the records for the recent ones, of which starts says
// where they begin: as many of the last as have room, the very last in any case.
func recentFrom(starts []int, end int) int {
	from := max(0, len(starts)-hot.RecentMax)
	for from < len(starts)-1 && end-starts[from] > recentBytes {
		from++
	}
	return from
}

// recentPlaces is how many places a chunk of n events takes.
func recentPlaces(n, bytes int) int64 {
	const each = recentBytes / hot.RecentMax
	return int64(min(hot.RecentMax, max(n, (bytes+each-1)/each)))
}

// Recent implements hot.Presence. What the shards keep is put in order by the
// time of its arrival.
func (s *Store) Recent(ctx context.Context, project string, limit int) ([]weir.Event, error) {
	if err := s.usable(); err != nil {
		return nil, err
	}
	limit = min(limit, hot.RecentMax)
	cmds := make([]rueidis.Completed, s.opt.Shards)
	for shard := range cmds {
		cmds[shard] = s.client.B().Lrange().Key(s.keys.recent(shard, project)).Start(0).Stop(-1).Build()
	}
	var events []weir.Event
	for _, r := range s.ask(ctx, cmds) {
		chunks, err := r.AsStrSlice()
		if err != nil {
			return nil, s.fault("read recent events", err)
		}
		of, err := newest(chunks, limit)
		if err != nil {
			return nil, fmt.Errorf("hot: recent events: %w", err)
		}
		events = append(events, of...)
	}
	slices.SortStableFunc(events, func(a, b weir.Event) int { return b.ReceivedAt.Compare(a.ReceivedAt) })
	return events[:min(limit, len(events))], nil
}

// newest are the last events of a shard's chunks, which come newest first.
func newest(chunks []string, limit int) ([]weir.Event, error) {
	var out []weir.Event
	for _, c := range chunks {
		if len(out) >= limit {
			break
		}
		var of []weir.Event
		var bad error
		err := records([]byte(c), func(record []byte) bool {
			var e weir.Event
			e, bad = hot.DecodeRecord(record)
			of = append(of, e)
			return bad == nil
		})
		if err = errors.Join(err, bad); err != nil {
			return nil, err
		}
		slices.Reverse(of)
		out = append(out, of...)
	}
	return out, nil
}
