package backend

import (
	"context"
	"log/slog"
	"time"

	"github.com/weir-analytics/weir/internal/hot"
	"github.com/weir-analytics/weir/internal/hot/pebble"
)

// pebbleHot returns an embedded hot tier.
func pebbleHot(_, folder string) (Hot, error) {
	return Hot{
		Folder: folder,
		Renew:  "move the folder of the hot tier away, which loses its counters and what was not delivered",
		open:   func(_ context.Context, o HotOptions) (*HotTier, error) { return openPebble(folder, o) },
	}, nil
}

// maxMemTable is the memtable that holds most of the log until it is trimmed, in bytes;
// a larger one gains nothing.
const maxMemTable = 64 << 20

func openPebble(folder string, o HotOptions) (*HotTier, error) {
	p := o.Memory
	s, err := pebble.Open(folder, pebble.Options{
		Shards: o.Shards, Window: o.Window, MinFree: o.MinFree, Clock: o.Clock, Logger: o.Logger,
		CacheBytes: int(p.HotCache), MemTableBytes: min(int(p.HotTables/2), maxMemTable), CountsBytes: int(p.Counts),
		PresenceBytes: int(p.Presence), FilterBytes: int(p.IDs), BucketCacheBytes: int(p.Pages),
	})
	if err != nil {
		return nil, err
	}
	return &HotTier{
		Store:  s,
		Trim:   s.Trim,
		Status: func() HotStatus { return HotStatus{Shown: kindStatus{"pebble"}} },
		Memory: func() map[string]int64 {
			m := s.Memory()
			return map[string]int64{"hot": m.Blocks + m.MemTables, "presence": m.Presence, "counts": m.Counts, "ids": m.Filters, "pages": m.BucketCache}
		},
		Close: func() error { return nil },
	}, nil
}

// OpenSpillLog opens the log on this machine that stores events while a shared hot tier
// is unavailable. Error: hot.ErrBusy.
func OpenSpillLog(folder string, window time.Duration, minFree uint64, log *slog.Logger) (hot.Store, error) {
	s, err := pebble.Open(folder, pebble.Options{Shards: 1, Window: window, MinFree: minFree, Logger: log})
	if err != nil {
		return nil, err
	}
	return s, nil
}
