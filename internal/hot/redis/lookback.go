package redis

import (
	"context"
	"encoding/binary"
	"fmt"
	"slices"
	"strconv"
	"sync/atomic"
	"time"

	"github.com/redis/rueidis"
	"github.com/weir-analytics/weir/internal/hot"
	"github.com/weir-analytics/weir/internal/redisconn"
)

// lookback is a filter of the ids of the generation before the current one,
// which gets no more: Redis is asked only for those that may be in it, which are
// few. It is read from Redis in the background; until then all are asked.
//
// It is valid until a failover: then the generation before may be the current one again.
type lookback struct {
	generation int64
	filter     atomic.Pointer[hot.Filter] // nil until all ids are in it
	stop       context.CancelFunc
}

// lookbackPage is how many sets are read at once, and lookbackPause what Redis
// is left alone for after each time.
const (
	lookbackPage  = 64
	lookbackPause = 2 * time.Millisecond
)

// look begins to read the generation before gen, unless that is done.
func (w *writer) look(gen generation) {
	if gen.before == 0 || w.back != nil && w.back.generation == gen.number-1 {
		return
	}
	w.forget()
	ctx, cancel := context.WithCancel(context.Background())
	w.back = &lookback{generation: gen.number - 1, stop: cancel}
	go w.back.read(ctx, w.s, w.shard, gen.before)
}

// forget drops the cached values that a failover may have made wrong: they are true only while
// Redis has everything that it acknowledged.
func (w *writer) forget() {
	clear(w.group.marks)
	if w.back != nil {
		w.back.stop()
		w.back = nil
	}
}

// maybe says whether an id may be in the generation before.
func (b *lookback) maybe(id [16]byte) bool {
	if b == nil {
		return true
	}
	f := b.filter.Load()
	return f == nil || f.Maybe(filterKey(binary.BigEndian.Uint64(id[:8])))
}

// filterKey returns what the filter stores of an id: the number that stands in its
// set, and for the filter's second half a mix of it (the finalizer of
// MurmurHash3).
func filterKey(member uint64) (key [16]byte) {
	binary.BigEndian.PutUint64(key[:8], member)
	h := member ^ member>>33
	h *= 0xff51afd7ed558ccd
	h ^= h >> 33
	h *= 0xc4ceb9fe1a85ec53
	binary.BigEndian.PutUint64(key[8:], h^h>>33)
	return key
}

// read fills the filter with the ids of all sets. While Redis does not answer all
// ids are asked for, which is only slower, and it tries again.
func (b *lookback) read(ctx context.Context, s *Store, shard, bits int) {
	f := &hot.Filter{}
	begin := s.keys.ids(nil, shard, b.generation)
	warned := false
	for set, end := uint64(0), uint64(1)<<bits; set < end; {
		if ctx.Err() != nil || s.usable() != nil {
			return
		}
		next, wait := min(set+lookbackPage, end), lookbackPause
		switch err := s.readSets(ctx, f, begin, set, next); {
		case err == nil:
			set = next
		case ctx.Err() == nil:
			if !warned {
				s.opt.Logger.Warn("hot tier: reading the ids of the generation before failed; duplicates are looked up in Redis, retrying in 1s",
					"shard", shard, "error", redisconn.Explain(err))
			}
			warned, wait = true, time.Second
		}
		if !pause(ctx, wait) {
			return
		}
	}
	b.filter.Store(f)
}

// readSets adds the members of the sets from one to, but not including, another.
func (s *Store) readSets(ctx context.Context, f *hot.Filter, begin []byte, from, to uint64) error {
	var cmds []rueidis.Completed
	for set := from; set < to; set++ {
		key := string(idSet(slices.Clip(begin), set))
		// Pinned: when a connection breaks, the client sends reads again and gives
		// their memory back, which the broken one may still be reading.
		cmds = append(cmds, s.client.B().Smembers().Key(key).Build().Pin())
	}
	for _, r := range s.client.DoMulti(ctx, cmds...) {
		if err := addMembers(f, r); err != nil {
			return err
		}
	}
	return nil
}

func addMembers(f *hot.Filter, r rueidis.RedisResult) error {
	members, err := r.AsStrSlice()
	if err != nil {
		return err
	}
	for _, m := range members {
		n, err := strconv.ParseInt(m, 10, 64)
		if err != nil {
			return fmt.Errorf("id %q: %w", m, err)
		}
		f.Add(filterKey(uint64(n)))
	}
	return nil
}
