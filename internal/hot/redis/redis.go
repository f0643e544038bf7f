// Package redis is the hot tier in Redis 7 or newer, standalone, behind Sentinel or in a
// Cluster, for any number of Weir nodes. See DESIGN.md beside package hot.
//
// It has more than 3,500 lines, since the log, the ids, the counters and presence share the
// keys and scripts of a shard: an append changes all of them in one step.
package redis

import (
	"context"
	"crypto/rand"
	_ "embed"
	"encoding/hex"
	"errors"
	"fmt"
	"log/slog"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/redis/rueidis"
	weir "github.com/weir-analytics/weir"
	"github.com/weir-analytics/weir/internal/hot"
	"github.com/weir-analytics/weir/internal/redisconn"
)

// format is raised when a store of this version cannot be read by the one before.
const format = 2

// Options of a store; zero values are the defaults.
type Options struct {
	Shards     int           // 4; read only when the store is made
	Window     time.Duration // how long ids are remembered at least; 24 h; read only when the store is made
	MaxMembers int           // hot.MaxMembers, of one shard
	// AckReplica lets an append, and what a drain must not lose, be
	// acknowledged only when the replicas have it too: see wait.
	AckReplica bool
	Timeout    time.Duration // of one call; 5 s
	// Clock is for tests. Without one the clock of Redis decides when leases
	// and ids are over, so that nodes need not agree on the time.
	Clock  weir.Clock
	Logger *slog.Logger
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
	if o.Timeout == 0 {
		o.Timeout = 5 * time.Second
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
}

// Store is a hot tier in Redis. It implements hot.Store.
type Store struct {
	client rueidis.Client
	keys   keys
	opt    Options
	id     string
	window time.Duration

	buckets   bucketCache
	away      awayState
	replica   *wait // nil does not
	writers   []*writer
	believed  []atomic.Pointer[generation] // of each shard's ids, by Seen
	stop      chan struct{}
	ended     chan struct{} // after the last answer
	done      sync.WaitGroup
	closeOnce sync.Once
}

// Open opens the store that lives under the prefix, or makes it. The store does
// not own the client: the caller closes it after the store. Errors: hot.ErrNewer.
func Open(ctx context.Context, client rueidis.Client, prefix string, o Options) (*Store, error) {
	o.defaults()
	s := &Store{client: client, opt: o, away: newAwayState(), stop: make(chan struct{}), ended: make(chan struct{})}
	if o.AckReplica {
		s.replica = newWait(o.Timeout / 3) // twice where Redis has to be told the script first
	}
	if err := s.load(ctx, prefix); err != nil {
		return nil, err
	}
	s.believed = make([]atomic.Pointer[generation], s.opt.Shards)
	for shard := range s.opt.Shards {
		w := newWriter(s, shard)
		s.writers = append(s.writers, w)
		s.done.Go(w.run)
	}
	s.done.Go(s.sweepLoop)
	s.done.Go(s.watchAway)
	if s.replica != nil {
		s.done.Go(func() { s.replica.watch(s) })
	}
	return s, nil
}

// load finds the log, or makes it: first its description, then its shards, then a mark that it is
// complete. So if a shard is missing later, its data was lost.
func (s *Store) load(ctx context.Context, prefix string) error {
	s.keys = newKeys(prefix, 0)
	var id [8]byte
	_, _ = rand.Read(id[:])
	log, err := s.openHash(ctx, s.keys.log, "format", strconv.Itoa(format), "id", hex.EncodeToString(id[:]),
		"shards", strconv.Itoa(s.opt.Shards), "window", strconv.FormatInt(s.opt.Window.Microseconds(), 10))
	if err != nil {
		return fmt.Errorf("hot: open log: %w", err)
	}
	n, err := strconv.Atoi(log["format"])
	if err != nil || n > format {
		return fmt.Errorf("hot: format %s, this version reads up to %d: %w", log["format"], format, hot.ErrNewer)
	}
	shards, err1 := strconv.Atoi(log["shards"])
	window, err2 := strconv.ParseInt(log["window"], 10, 64)
	if err := errors.Join(err1, err2); err != nil || shards < 1 || log["id"] == "" {
		return fmt.Errorf("hot: the key %s is not what Weir has written", s.keys.log)
	}
	s.id, s.opt.Shards, s.window = log["id"], shards, time.Duration(window)*time.Microsecond
	s.keys = newKeys(prefix, shards)
	for shard := range shards {
		var fields []string
		if log["made"] == "" {
			fields = []string{
				"id", s.id, "head", "0", "committed", "0", "epoch", "0", "owner", "", "until", "0",
				"gen", "0", "bits", "13", "before", "0", "began", "0",
			}
		}
		got, err := s.openHash(ctx, s.keys.shards[shard], fields...)
		if err != nil {
			return fmt.Errorf("hot: open shard %d: %w", shard, err)
		}
		if got["id"] != s.id {
			return fmt.Errorf("hot: open shard %d: %w", shard, errLost)
		}
	}
	if log["made"] != "" && n == format {
		return nil
	}
	// A log of format 1 is the same, but for its counters: those begin anew.
	set := s.client.B().Hset().Key(s.keys.log).FieldValue().FieldValue("made", "1").FieldValue("format", strconv.Itoa(format)).Build()
	if err := s.client.Do(ctx, set).Error(); err != nil {
		return fmt.Errorf("hot: open log: %w", redisconn.Explain(err))
	}
	return nil
}

// errLost is the error for a Redis that came back without its data.
var errLost = errors.New("this Redis has lost data of the hot tier (it was emptied, or restarted without an append-only file); " +
	"restore its data, or begin a new log under another prefix (redis://…?prefix=NAME)")

//go:embed scripts/open.lua
var openText string

var openScript = newScript(openText)

func (s *Store) openHash(ctx context.Context, key string, fields ...string) (map[string]string, error) {
	ctx, cancel := context.WithTimeout(ctx, s.opt.Timeout)
	defer cancel()
	r, err := s.run(ctx, openScript, nil, []string{key}, fields)
	if err != nil {
		return nil, redisconn.Explain(err)
	}
	return r.AsStrMap()
}

// ID implements hot.Log.
func (s *Store) ID() string { return s.id }

// Shards implements hot.Log.
func (s *Store) Shards() int { return s.opt.Shards }

// Close ends the background work. Appends in flight end first, or with
// hot.ErrClosed. It may be called twice.
func (s *Store) Close() error {
	s.closeOnce.Do(func() {
		close(s.stop)
		s.done.Wait()
		close(s.ended)
	})
	return nil
}

func (s *Store) usable() error {
	select {
	case <-s.stop:
		return hot.ErrClosed
	default:
		return nil
	}
}

// scriptNow returns the time for a script: 0 lets it ask Redis.
func (s *Store) scriptNow(now time.Time) int64 {
	if s.opt.Clock == nil {
		return 0
	}
	return now.UnixMicro()
}

// fault is an error of a call as the contract has it.
func (s *Store) fault(what string, err error) error {
	switch {
	case err == nil:
		return nil
	case redisconn.Full(err):
		return fmt.Errorf("hot: %s: %w: %w", what, hot.ErrFull, redisconn.Explain(err))
	case strings.HasPrefix(err.Error(), "LOST "): // see the scripts
		return fmt.Errorf("hot: %s: %w", what, weir.Wrap(errLost, weir.EUNAVAILABLE, "the hot tier is not what it was"))
	case redisconn.Away(err):
		return fmt.Errorf("hot: %s: %w", what, weir.Wrap(redisconn.Explain(err), weir.EUNAVAILABLE, "the hot tier is away"))
	default:
		return fmt.Errorf("hot: %s: %w", what, redisconn.Explain(err))
	}
}
