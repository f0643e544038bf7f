package pebble

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/cockroachdb/pebble/v2"
	weir "github.com/weir-analytics/weir"
	"github.com/weir-analytics/weir/internal/hot"
)

const (
	maxGroups     = 256     // appends that share one fsync
	maxGroupBytes = 4 << 20 // and their bytes
)

// group is one Append on its way through the commit loop. What needs no order
// is done by the caller before it queues up: encoding, hashing, adding up.
type group struct {
	items      []hot.Item
	entries    []entry
	records    []byte
	increments increments

	duplicates []int
	err        error
	done       chan struct{}
}

type entry struct {
	id       [16]byte
	device   deviceID // of an event of now
	shard    int
	seq      uint64 // 0 is a duplicate
	from, to int    // in records
	buckets  [len(hot.Grains)]hot.Bucket
	kept     int // of buckets
}

var groups = sync.Pool{New: func() any { return &group{increments: newIncrements(), done: make(chan struct{}, 1)} }}

// Append implements hot.Log: one atomic, fsynced step over all shards.
func (s *Store) Append(ctx context.Context, items []hot.Item) ([]int, error) {
	if len(items) == 0 {
		return nil, nil
	}
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	g := groups.Get().(*group)
	g.prepare(items, s.opt.Shards, s.horizon.now(s.opt.Clock.Now(), s.opt.Elapsed()))
	select {
	case s.queue <- g:
	case <-s.stop:
		return nil, hot.ErrClosed
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	select {
	case <-g.done: // a commit takes milliseconds, and an answer without it would be a guess
	case <-s.ended:
		// Queued while the store closed: answered by then, or never seen.
		select {
		case <-g.done:
		default:
			return nil, hot.ErrClosed
		}
	}
	duplicates, err := g.duplicates, g.err
	g.reset()
	groups.Put(g)
	return duplicates, err
}

func (g *group) prepare(items []hot.Item, shards int, now time.Time) {
	g.items = items
	var (
		buckets [3]hot.Bucket
		bs      []hot.Bucket
		loc     *time.Location
		minute  int64 = -1 << 62
	)
	for _, it := range items {
		e := it.Event
		from := len(g.records)
		g.records = hot.AppendRecord(g.records, e)
		// Events of one request mostly share a minute, so a zone is asked once.
		if m := hot.MinuteOf(e.Time); m != minute || it.Location != loc {
			minute, loc = m, it.Location
			bs = hot.Buckets(buckets[:0], e.Time, it.Location, now)
		}
		en := entry{id: hot.DedupID(e), shard: hot.ShardOf(e, shards), from: from, to: len(g.records)}
		if ofNow(e, now) {
			en.device = deviceOf(hot.CrowdOf(e), e.DeviceID)
		}
		en.kept = copy(en.buckets[:], bs)
		g.entries = append(g.entries, en)
		g.increments.add(e, minute, loc, bs)
	}
	g.increments.done()
}

func (g *group) reset() {
	g.increments.reset()
	if cap(g.records) > 1<<20 {
		g.records = nil
	}
	*g = group{entries: g.entries[:0], records: g.records[:0], increments: g.increments, done: g.done}
}

// flight is a batch of groups that is applied and waits for its fsync.
type flight struct {
	groups []*group
	batch  *pebble.Batch
	heads  []uint64 // of the shards, once it has landed
	now    time.Time
	landed chan<- error // gets one answer; nil for a batch of groups
}

// maxFlights bounds how far the log runs ahead of its fsync; while that many
// are under way, the next groups gather.
const maxFlights = 3

// commitLoop is the one writer of the log, so that sequence, duplicates and
// counters need no lock. It does not wait for the fsync: landLoop does, and the
// next groups are prepared meanwhile.
func (s *Store) commitLoop() {
	defer close(s.flights)
	for {
		var gs []*group
		select {
		case g := <-s.queue:
			gs = append(gs, g)
		case e := <-s.errands:
			e.done <- e.do()
			continue
		case <-s.stop:
			s.refuseQueued()
			return
		}
		size := len(gs[0].records)
	gather:
		for len(gs) < maxGroups && size < maxGroupBytes {
			select {
			case g := <-s.queue:
				gs = append(gs, g)
				size += len(g.records)
			default:
				break gather
			}
		}
		f, err := s.commitGroups(gs)
		if err != nil {
			answer(gs, err)
			continue
		}
		s.flights <- f
	}
}

// landLoop waits for each flight's fsync, in order, and only then lets its
// events be seen and acknowledges them. A group that found an id of the flight
// before it is behind that one, so it cannot answer first.
func (s *Store) landLoop() {
	defer close(s.ended)
	for f := range s.flights {
		err := f.batch.SyncWait()
		if err = errors.Join(err, f.batch.Close()); err != nil {
			err = s.fail(err)
		} else {
			// Presence before the heads: a commit that trims these events must save their
			// presence.
			for _, g := range f.groups {
				s.presence.mark(g, f.now)
			}
			for i := range s.heads {
				s.heads[i].Store(f.heads[i])
			}
		}
		answer(f.groups, err)
		if f.landed != nil {
			f.landed <- err
		}
	}
}

// fail makes the store take nothing more: what is in the caches may not be in
// the store.
func (s *Store) fail(err error) error {
	err = fmt.Errorf("hot: append: %w", err)
	s.failed.Store(&err)
	return err
}

func answer(gs []*group, err error) {
	for _, g := range gs {
		if err != nil {
			g.err, g.duplicates = err, nil
		}
		g.done <- struct{}{}
	}
}

func (s *Store) refuseQueued() {
	for {
		select {
		case g := <-s.queue:
			g.err = hot.ErrClosed
			g.done <- struct{}{}
		default:
			return
		}
	}
}

// commitGroups applies the groups in one batch. The batch's fsync is under way when
// it returns.
func (s *Store) commitGroups(gs []*group) (flight, error) {
	if err := s.usable(); err != nil {
		return flight{}, err
	}
	if err := s.room.check(); err != nil {
		return flight{}, err
	}
	f := flight{groups: gs, batch: s.db.NewBatch(), heads: slices.Clone(s.next), now: s.opt.Clock.Now()}
	if err := errors.Join(s.fill(f), s.counts.end()); err != nil {
		// The caches hold sums that the store will not get.
		s.counts.forget()
		s.uniques.forget()
		return flight{}, errors.Join(err, f.batch.Close())
	}
	if err := s.db.ApplyNoSyncWait(f.batch, pebble.Sync); err != nil {
		return flight{}, s.fail(err)
	}
	s.buckets.applied(s.counts.changed, s.uniques.changed)
	s.next = f.heads
	return f, nil
}

// fill finds the duplicates, gives the new events their seqs and puts them
// into the flight's batch.
func (s *Store) fill(f flight) error {
	s.counts.begin()
	s.uniques.begin()
	if err := s.number(f); err != nil {
		return err
	}
	return s.write(f.batch, f.groups)
}

func (s *Store) number(f flight) error {
	s.seen.mu.Lock()
	defer s.seen.mu.Unlock()
	if err := s.seen.begin(f.now, s.opt.Elapsed()); err != nil {
		return fmt.Errorf("hot: begin a generation of ids: %w", err)
	}
	for _, g := range f.groups {
		for i := range g.entries {
			e := &g.entries[i]
			known, err := s.seen.add(f.batch, e.id)
			if err != nil {
				return fmt.Errorf("hot: look up id: %w", err)
			}
			if known {
				g.duplicates = append(g.duplicates, i)
				g.increments.remove(g.items[i].Event, e.buckets[:e.kept])
				continue
			}
			f.heads[e.shard]++
			e.seq = f.heads[e.shard]
		}
	}
	return nil
}

// write puts the groups' new events into b. Keys of a kind follow each other
// in order: the memtable finds the place of one from that of the last.
func (s *Store) write(b *pebble.Batch, batch []*group) error {
	var key [64]byte
	for shard := range s.heads {
		for _, g := range batch {
			for i := range g.entries {
				e := &g.entries[i]
				if e.shard != shard || e.seq == 0 {
					continue
				}
				if err := b.Set(logKey(key[:0], e.shard, e.seq), g.records[e.from:e.to], nil); err != nil {
					return fmt.Errorf("hot: append: %w", err)
				}
			}
		}
	}
	for _, g := range batch {
		for _, of := range g.increments.buckets {
			if err := s.counts.add(of.bucketOf, of.sums); err != nil {
				return fmt.Errorf("hot: counters: %w", err)
			}
		}
		for i := range g.entries {
			if e := &g.entries[i]; e.seq != 0 {
				s.uniques.add(g.items[i], e.buckets[:e.kept])
			}
		}
	}
	if err := s.counts.write(b); err != nil {
		return fmt.Errorf("hot: counters: %w", err)
	}
	if err := s.uniques.write(b); err != nil {
		return fmt.Errorf("hot: uniques: %w", err)
	}
	return nil
}

// room refuses appends while the disk is nearly full. The answer is asked for
// again each quarter of a second.
type room struct {
	dir   string
	least uint64
	free  func(string) (uint64, error)
	clock weir.Clock

	asked time.Time
	err   error
}

func (r *room) check() error {
	now := r.clock.Now()
	if d := now.Sub(r.asked); d >= 0 && d < 250*time.Millisecond {
		return r.err
	}
	r.asked = now
	n, err := r.free(r.dir)
	switch {
	case err != nil:
		r.err = fmt.Errorf("hot: free space of %s: %w", r.dir, err)
	case n < r.least:
		r.err = fmt.Errorf("%w: %d MiB left on the disk, %d wanted", hot.ErrFull, n>>20, r.least>>20)
	default:
		r.err = nil
	}
	return r.err
}
