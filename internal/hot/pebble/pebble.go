// Package pebble is the hot tier inside the process: one Pebble database, made
// durable by group commit. See DESIGN.md beside package hot.
package pebble

import (
	"context"
	"crypto/rand"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/cockroachdb/pebble/v2"
	"github.com/cockroachdb/pebble/v2/bloom"
	"github.com/cockroachdb/pebble/v2/sstable"
	weir "github.com/weir-analytics/weir"
	"github.com/weir-analytics/weir/internal/hot"
)

// format is raised when a store of this version cannot be read by the one before.
// Since 2, registers are merged.
const format = 2

// maxMemTables is how many memtables there are at most: one that is written to,
// one that is being flushed.
const maxMemTables = 2

// Options of a store; zero values are the defaults.
type Options struct {
	Shards     int           // 4; read only when the store is made
	Window     time.Duration // how long ids are remembered at least; 24 h; read only when the store is made
	MaxMembers int           // hot.MaxMembers
	MinFree    uint64        // bytes of disk below which appends are refused; 0 is none

	// Bounds of what the store holds in memory, in bytes. Store.Memory returns how
	// much of each is in use.
	CacheBytes       int // blocks of the store's files; 16 MiB, and what the memtables leave of their share
	MemTableBytes    int // one memtable (there are at most two); 64 MiB: most of the log is trimmed before it would be flushed
	CountsBytes      int // counters being added to; 20 MiB
	FilterBytes      int // Bloom filters of ids, 1.5 bytes an id of the last one to two windows; 192 MiB. Beyond it the store is asked for more and more new ids
	BucketCacheBytes int // counters and sketches that were asked for in the last quarter of an hour; 64 MiB
	PresenceBytes    int // devices seen in the last half hour to hour; 64 MiB
	MaxLive          int // devices of one project among these; 100,000. Events of further ones are stored, but not seen in presence
	// Free returns the free bytes on the disk of a folder; statfs by default.
	Free  func(dir string) (uint64, error)
	Clock weir.Clock
	// Elapsed is the time that has passed since some moment, whatever the clock
	// says; the monotonic clock by default.
	Elapsed func() time.Duration
	Logger  *slog.Logger
}

func (o *Options) defaults() {
	if o.Shards == 0 {
		o.Shards = 4
	}
	if o.Window == 0 {
		o.Window = 24 * time.Hour
	}
	if o.MaxMembers == 0 {
		o.MaxMembers = hot.MaxMembers
	}
	setDefault(&o.CacheBytes, 16<<20)
	setDefault(&o.MemTableBytes, 64<<20)
	setDefault(&o.CountsBytes, 20<<20)
	setDefault(&o.FilterBytes, 192<<20)
	setDefault(&o.BucketCacheBytes, 64<<20)
	setDefault(&o.PresenceBytes, 64<<20)
	setDefault(&o.MaxLive, 100_000)
	if o.Free == nil {
		o.Free = free
	}
	if o.Elapsed == nil {
		began := time.Now()
		o.Elapsed = func() time.Duration { return time.Since(began) }
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
}

func setDefault(n *int, value int) {
	if *n == 0 {
		*n = value
	}
}

// Store is an open database. It implements hot.Store.
type Store struct {
	db    *pebble.DB
	dir   string
	opt   Options
	id    string
	cache *pebble.Cache

	heads  []atomic.Uint64 // last durable seq of each shard
	shards []shardState

	presence *presence
	buckets  *bucketCache
	horizon  horizon
	// The commit loop's own.
	seen    *seen
	counts  *counts
	uniques *uniques
	room    room
	next    []uint64 // last seq of each shard, durable or not; never changed in place

	queue     chan *group
	errands   chan errand
	flights   chan flight
	stop      chan struct{}
	ended     chan struct{} // closed after the last answer
	done      sync.WaitGroup
	closeOnce sync.Once
	closeErr  error
	failed    atomic.Pointer[error]
}

// shardState guards a shard's lease, intent and committed seq.
type shardState struct {
	mu        sync.Mutex
	lease     leaseRecord
	committed uint64
	intent    *hot.Intent
}

// Open opens the store in dir, or makes it. Errors: hot.ErrBusy, hot.ErrNewer.
func Open(dir string, o Options) (*Store, error) {
	o.defaults()
	// Pebble takes the memtables' size off the cache: with less than both of
	// them the cache holds nothing.
	cache := pebble.NewCache(int64(o.CacheBytes) + maxMemTables*int64(o.MemTableBytes))
	levels := [7]pebble.LevelOptions{}
	for i := range levels {
		levels[i].FilterPolicy = bloom.FilterPolicy(10)
	}
	// What reaches the first level is mostly rewritten or deleted soon.
	levels[0].Compression = func() *sstable.CompressionProfile { return sstable.NoCompression }
	levels[1].Compression = func() *sstable.CompressionProfile { return sstable.SnappyCompression }
	db, err := pebble.Open(dir, &pebble.Options{
		Cache:        cache,
		MemTableSize: uint64(o.MemTableBytes),

		MemTableStopWritesThreshold: maxMemTables,
		Merger:                      merger,
		FormatMajorVersion:          pebble.FormatNewest,
		Levels:                      levels,
		Logger:                      newLogger(o.Logger),
	})
	if err != nil {
		cache.Unref()
		// Another process, or this one, holds the folder's lock.
		if errors.Is(err, syscall.EAGAIN) || strings.Contains(err.Error(), "lock held") {
			return nil, fmt.Errorf("hot: open %s: %w", dir, hot.ErrBusy)
		}
		return nil, fmt.Errorf("hot: open %s: %w", dir, err)
	}
	s := &Store{
		db: db, dir: dir, opt: o, cache: cache,
		queue: make(chan *group, 1024), errands: make(chan errand), flights: make(chan flight, maxFlights), stop: make(chan struct{}), ended: make(chan struct{}),
	}
	if err := s.load(); err != nil {
		db.Close()
		cache.Unref()
		return nil, err
	}
	left := []generation{s.seen.current, s.seen.before}
	for i := range s.heads {
		s.next = append(s.next, s.heads[i].Load())
	}
	s.done.Go(s.commitLoop)
	s.done.Go(s.landLoop)
	s.done.Go(s.sweepLoop)
	s.done.Go(func() {
		if err := s.seen.readLeft(s.stop, left...); err != nil {
			s.opt.Logger.Warn("hot tier: reading the stored ids failed; duplicates are looked up on disk", "error", err)
		}
		s.dropBlocks()
	})
	return s, nil
}

// Trim gives back memory that an idle store does not use: blocks of its files that were read.
// The system's cache of files has them too. It always returns nil.
func (s *Store) Trim(context.Context) error {
	s.dropBlocks()
	return nil
}

// dropBlocks empties the block cache. Reading all ids once fills it with blocks that are not read
// again.
func (s *Store) dropBlocks() {
	release := s.cache.Reserve(int(s.cache.MaxSize()))
	release()
}

func (s *Store) load() error {
	var meta struct {
		Format, Shards uint64
		ID             string
	}
	raw, err := s.get([]byte{tagMeta})
	if err != nil {
		return fmt.Errorf("hot: read meta: %w", err)
	}
	if raw == nil {
		var id [8]byte
		_, _ = rand.Read(id[:])
		meta.Format, meta.Shards, meta.ID = format, uint64(s.opt.Shards), hex.EncodeToString(id[:])
		v := binary.AppendUvarint(nil, meta.Format)
		v = binary.AppendUvarint(v, meta.Shards)
		v = append(v, meta.ID...)
		if err := s.db.Set([]byte{tagMeta}, v, pebble.Sync); err != nil {
			return fmt.Errorf("hot: write meta: %w", err)
		}
	} else {
		var n, m int
		meta.Format, n = binary.Uvarint(raw)
		if n > 0 && meta.Format > format {
			return fmt.Errorf("hot: format %d, this version reads up to %d: %w", meta.Format, format, hot.ErrNewer)
		}
		if n > 0 {
			meta.Shards, m = binary.Uvarint(raw[n:])
		}
		if n <= 0 || m <= 0 || meta.Shards == 0 {
			return errors.New("hot: meta record is corrupt")
		}
		meta.ID = string(raw[n+m:])
		if meta.Format < format { // an older version must not read what this one is about to write
			v := append(binary.AppendUvarint(nil, format), raw[n:]...)
			if err := s.db.Set([]byte{tagMeta}, v, pebble.Sync); err != nil {
				return fmt.Errorf("hot: write meta: %w", err)
			}
		}
	}
	s.id = meta.ID
	s.opt.Shards = int(meta.Shards)
	s.heads = make([]atomic.Uint64, meta.Shards)
	s.shards = make([]shardState, meta.Shards)
	s.counts = newCounts(s.db, s.opt.MaxMembers, s.opt.CountsBytes)
	s.uniques = newUniques()
	s.buckets = newBucketCache(s.opt.BucketCacheBytes)
	if err := s.loadWindow(); err != nil {
		return fmt.Errorf("hot: window of duplicates: %w", err)
	}
	if err := s.loadHorizon(); err != nil {
		return fmt.Errorf("hot: time of the last sweep: %w", err)
	}
	if s.seen, err = newSeen(s.db, s.opt.Window, s.opt.FilterBytes, s.opt.Clock.Now()); err != nil {
		return fmt.Errorf("hot: generation of ids: %w", err)
	}
	s.room = room{dir: s.dir, least: s.opt.MinFree, free: s.opt.Free, clock: s.opt.Clock}
	s.presence = newPresence(int(meta.Shards), &s.opt)
	for i := range s.shards {
		if err := s.loadShard(i); err != nil {
			return fmt.Errorf("hot: load shard %d: %w", i, err)
		}
	}
	if err := s.deleteUnused(); err != nil {
		return fmt.Errorf("hot: delete what an earlier version stored: %w", err)
	}
	return s.loadPresence(s.opt.Clock.Now())
}

// deleteUnused deletes keys that only earlier versions read. It writes nothing when
// there are none, and needs no fsync: after a crash it is done again.
func (s *Store) deleteUnused() error {
	for _, tag := range []byte{tagDevice, tagRecent} {
		empty, err := none(s.db, []byte{tag})
		if err != nil {
			return err
		}
		if empty {
			continue
		}
		if err := s.db.DeleteRange([]byte{tag}, []byte{tag + 1}, pebble.NoSync); err != nil {
			return err
		}
	}
	return nil
}

// loadWindow keeps the window that the store was made with: ids stand in
// generations as long as it, and under another they would not be found.
func (s *Store) loadWindow() error {
	key := []byte{tagMeta, 'w'}
	raw, err := s.get(key)
	if err != nil {
		return err
	}
	if raw == nil {
		return s.db.Set(key, binary.AppendUvarint(nil, uint64(s.opt.Window)), pebble.Sync)
	}
	window, n := binary.Uvarint(raw)
	if n <= 0 || window < uint64(time.Second) {
		return errors.New("record is corrupt")
	}
	s.opt.Window = time.Duration(window)
	return nil
}

// ID implements hot.Log.
func (s *Store) ID() string { return s.id }

// Shards implements hot.Log.
func (s *Store) Shards() int { return s.opt.Shards }

// Close stops the background work and closes the database. Appends in flight
// end first, or with hot.ErrClosed. It may be called twice.
func (s *Store) Close() error {
	s.closeOnce.Do(func() {
		close(s.stop)
		s.done.Wait()
		s.closeErr = s.db.Close()
		s.cache.Unref()
	})
	return s.closeErr
}

// usable says why the store takes nothing any more, or nil.
func (s *Store) usable() error {
	select {
	case <-s.stop:
		return hot.ErrClosed
	default:
	}
	if err := s.failed.Load(); err != nil {
		return *err
	}
	return nil
}

// get returns a copy of the value at key, nil if there is none.
func (s *Store) get(key []byte) ([]byte, error) { return get(s.db, key) }

func get(db *pebble.DB, key []byte) ([]byte, error) {
	v, closer, err := db.Get(key)
	if errors.Is(err, pebble.ErrNotFound) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	out := append([]byte{}, v...)
	return out, closer.Close()
}

// none says whether the store has no key with the prefix.
func none(db *pebble.DB, prefix []byte) (bool, error) {
	it, err := db.NewIter(&pebble.IterOptions{LowerBound: prefix, UpperBound: after(prefix)})
	if err != nil {
		return false, err
	}
	found := it.First()
	return !found, it.Close()
}

// scan calls fn with each key and value of the range; neither may be kept.
func (s *Store) scan(ctx context.Context, from, to []byte, fn func(key, value []byte) error) error {
	it, err := s.db.NewIter(&pebble.IterOptions{LowerBound: from, UpperBound: to})
	if err != nil {
		return err
	}
	n := 0
	for ok := it.First(); ok; ok = it.Next() {
		if n++; n%1024 == 0 && ctx.Err() != nil {
			it.Close()
			return ctx.Err()
		}
		if err := fn(it.Key(), it.Value()); err != nil {
			it.Close()
			return err
		}
	}
	return it.Close()
}
