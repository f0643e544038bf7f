package redis

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/weir-analytics/weir/internal/redisconn"
)

// Health is how the Redis of the hot tier is: its servers, and the log in them.
// It holds no secrets: neither keys' contents nor commands' arguments.
type Health struct {
	AsOf time.Time `json:"as_of"` // when it was asked for, by the clock of Weir
	Up   bool      `json:"up"`    // each shard could be read

	Nodes  []NodeHealth  `json:"nodes"`  // by address
	Shards []ShardHealth `json:"shards"` // by number

	WaitingEvents uint64  `json:"waiting_events"`            // that are not drained, in all shards that could be read
	OldestSeconds float64 `json:"oldest_seconds"`            // age of the oldest of them, 0 without any
	BytesPerEvent float64 `json:"bytes_per_event,omitempty"` // of memory, of those that wait; 0 is unknown

	// Notes say what is left out, and why: a permission that the user of Redis
	// lacks, or a command that this Redis does not have.
	Notes []string `json:"notes,omitempty"`
}

// NodeHealth is how one server is. Without Up nothing but Addr and Error is set.
type NodeHealth struct {
	Addr  string `json:"addr"` // host:port
	Up    bool   `json:"up"`   // it answers
	Error string `json:"error,omitempty"`

	Role          string `json:"role,omitempty"` // master or replica
	Version       string `json:"version,omitempty"`
	RunID         string `json:"run_id,omitempty"` // another after each start
	UptimeSeconds int64  `json:"uptime_seconds,omitempty"`

	Memory      *Memory      `json:"memory,omitempty"`
	Load        *Load        `json:"load,omitempty"`
	Persistence *Persistence `json:"persistence,omitempty"`
	Replication *Replication `json:"replication,omitempty"`
	Slow        *Slow        `json:"slow,omitempty"` // nil when SLOWLOG may not be read
}

// Memory is what a server keeps. The counts of keys are since it began.
type Memory struct {
	UsedBytes          int64   `json:"used_bytes"`
	MaxBytes           int64   `json:"max_bytes"` // maxmemory; 0 is no limit
	PeakBytes          int64   `json:"peak_bytes"`
	Policy             string  `json:"policy"`              // maxmemory-policy
	FragmentationRatio float64 `json:"fragmentation_ratio"` // memory that the process has, by memory used
	EvictedKeys        int64   `json:"evicted_keys"`        // thrown away for lack of room: lost
	ExpiredKeys        int64   `json:"expired_keys"`        // gone when their time was over, as they should
}

// Load is what a server does. The totals are since it began.
type Load struct {
	Clients        int64   `json:"clients"`         // connected now, of all programs
	BlockedClients int64   `json:"blocked_clients"` // that wait, as in WAIT
	OpsPerSecond   int64   `json:"ops_per_second"`  // by Redis' own reckoning over the last 1.6 s
	Commands       int64   `json:"commands"`        // processed
	CPUSeconds     float64 `json:"cpu_seconds"`     // of the process, its children left out
	KeyspaceHits   int64   `json:"keyspace_hits"`   // look-ups of keys that were there
	KeyspaceMisses int64   `json:"keyspace_misses"`
	// HitRate is hits by look-ups, 0 to 1, nil without any. A low one is usual:
	// an event's id is looked for and not found.
	HitRate *float64 `json:"hit_rate,omitempty"`
}

// Persistence is how a server's data gets to its disk.
type Persistence struct {
	Loading             bool      `json:"loading"` // it reads its data and answers little else
	AOFEnabled          bool      `json:"aof_enabled"`
	AOFLastWriteOK      bool      `json:"aof_last_write_ok"`
	AOFLastRewriteOK    bool      `json:"aof_last_rewrite_ok"`
	AOFDelayedFsync     int64     `json:"aof_delayed_fsync"` // writes that waited for a disk that was behind, since the server began
	RDBLastSave         time.Time `json:"rdb_last_save"`     // the server's start when it never saved
	RDBLastSaveOK       bool      `json:"rdb_last_save_ok"`  // true when it never tried
	RDBChangesSinceSave int64     `json:"rdb_changes_since_save"`
}

// Replication is who follows a server, and whom it follows.
type Replication struct {
	Replicas []Replica `json:"replicas,omitempty"` // connected to it
	// Of a replica: whether it is connected to its master, and how long ago it
	// heard of it; nil for a master.
	MasterLinkUp      *bool  `json:"master_link_up,omitempty"`
	MasterLastSeconds *int64 `json:"master_last_seconds,omitempty"` // -1 while it is not connected
}

// Replica is one that follows, as its master sees it.
type Replica struct {
	Addr       string `json:"addr"`        // host:port, as it announces itself
	State      string `json:"state"`       // online, or what it does before: wait_bgsave, send_bulk
	LagBytes   int64  `json:"lag_bytes"`   // of the replication stream that it has not confirmed
	LagSeconds int64  `json:"lag_seconds"` // since it last confirmed anything; it does each second
}

// ShardHealth is how one shard's log is. Without Up nothing but Shard and Error
// is set.
type ShardHealth struct {
	Shard int    `json:"shard"`
	Up    bool   `json:"up"` // it could be read
	Error string `json:"error,omitempty"`

	Head          uint64  `json:"head"`           // seq of the last event
	Committed     uint64  `json:"committed"`      // seq of the last that is drained
	WaitingEvents uint64  `json:"waiting_events"` // between the two
	Chunks        int64   `json:"chunks"`         // entries of the stream that they stand in
	OldestSeconds float64 `json:"oldest_seconds"` // since the oldest of them was received, by the clock of Weir; 0 without any
	LogBytes      int64   `json:"log_bytes"`      // of memory of the stream, as Redis reckons from some of its entries; 0 is unknown

	LeaseOwner   string     `json:"lease_owner,omitempty"`   // who drains it; "" is nobody
	LeaseExpires *time.Time `json:"lease_expires,omitempty"` // by the clock of Redis, unless the owner is gone it moves on; nil without an owner
}

// Health asks all servers and shards how they are, all at once, within ctx and
// Options.Timeout. Its error is that no server answered, or hot.ErrClosed; what
// else is wrong stands in the answer, which is as complete as it can be with an
// error too.
func (s *Store) Health(ctx context.Context) (Health, error) {
	if err := s.usable(); err != nil {
		return Health{}, err
	}
	ctx, cancel := s.gently(ctx)
	defer cancel()
	h := Health{AsOf: s.opt.Clock.Now().UTC()}
	notes := &notes{}
	var down error
	var wg sync.WaitGroup
	wg.Go(func() { h.Nodes, down = s.nodesHealth(ctx, notes) })
	wg.Go(func() { h.Shards = s.shardsHealth(ctx, h.AsOf, notes) })
	wg.Wait()
	h.sum()
	h.Notes = notes.all()
	if down != nil {
		return h, fmt.Errorf("hot: health: %w", down)
	}
	return h, nil
}

// gently returns a context that ends with ctx and Options.Timeout, and has no deadline
// that rueidis could see: when one passes, rueidis closes the connection, and
// what others have under way on it fails too. To look at a Redis that is slow
// must not make it worse.
func (s *Store) gently(ctx context.Context) (context.Context, context.CancelFunc) {
	inner, cancel := context.WithCancelCause(context.WithoutCancel(ctx))
	timer := time.AfterFunc(s.opt.Timeout, func() { cancel(context.DeadlineExceeded) })
	stop := context.AfterFunc(ctx, func() { cancel(context.Cause(ctx)) })
	return inner, func() {
		timer.Stop()
		stop()
		cancel(nil)
	}
}

// sum fills in what follows from the shards.
func (h *Health) sum() {
	h.Up = true
	var bytes, of float64
	for _, s := range h.Shards {
		h.Up = h.Up && s.Up
		h.WaitingEvents += s.WaitingEvents
		h.OldestSeconds = max(h.OldestSeconds, s.OldestSeconds)
		if s.LogBytes > 0 && s.WaitingEvents > 0 {
			bytes += float64(s.LogBytes)
			of += float64(s.WaitingEvents)
		}
	}
	if of > 0 {
		h.BytesPerEvent = bytes / of
	}
}

// notes are what parts of Health are left out, each said once.
type notes struct {
	mu   sync.Mutex
	said map[string]bool
}

// leftOut notes that a command failed, and says whether it did.
func (n *notes) leftOut(command string, err error) bool {
	if err == nil {
		return false
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.said == nil {
		n.said = map[string]bool{}
	}
	n.said[fmt.Sprintf("%s is left out: %v", command, redisconn.Explain(err))] = true
	return true
}

func (n *notes) all() []string {
	var all []string
	for note := range n.said {
		all = append(all, note)
	}
	slices.Sort(all)
	return all
}

// nodesHealth asks all servers. The error is that none answered.
func (s *Store) nodesHealth(ctx context.Context, notes *notes) ([]NodeHealth, error) {
	nodes := redisconn.Nodes(ctx, s.client)
	slow, late := redisconn.Gather(ctx, len(nodes), func(i int) (*Slow, error) {
		if nodes[i].Err != nil {
			return nil, nil
		}
		return slowCommands(ctx, nodes[i].Client)
	})
	all := make([]NodeHealth, len(nodes))
	var errs []error
	for i, n := range nodes {
		if n.Err != nil {
			err := redisconn.Explain(n.Err)
			errs = append(errs, err)
			all[i] = NodeHealth{Addr: n.Addr, Error: err.Error()}
			continue
		}
		all[i] = nodeHealth(n.Addr, n.Info)
		if !notes.leftOut("SLOWLOG", late[i]) {
			all[i].Slow = slow[i]
		}
	}
	if len(errs) == len(nodes) {
		return all, errors.Join(errs...)
	}
	return all, nil
}
