package redis

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/redis/rueidis"
	"github.com/weir-analytics/weir/internal/redisconn"
)

// wait makes writes wait for the replicas: for all that the master has, or has
// had until a little ago, for one at least.
//
// One alone would do when a master dies, since the replica that has most takes
// over. It does not when Sentinel moves the master on purpose: until the switch
// is announced the old master goes on, and the other replica goes on to confirm
// what both of them will forget. But the old master has lost the replica that was
// promoted: so long as that one is waited for, nothing is acknowledged.
//
// A nil wait does not wait.
type wait struct {
	timeout time.Duration

	usual   atomic.Int64 // replicas that the last write waited for
	mu      sync.Mutex
	masters map[string][]sighting // by replication id
}

// sighting is how many replicas a master had.
type sighting struct {
	at time.Time // the last
	n  int64
}

const (
	// replicaGrace is how long a replica that is gone is still waited for. A
	// failover takes less.
	replicaGrace = 10 * time.Second
	// replicaLook is how often all masters are asked, whoever writes.
	replicaLook = 250 * time.Millisecond
)

func newWait(timeout time.Duration) *wait {
	return &wait{timeout: timeout, masters: map[string][]sighting{}}
}

// after sends a write, and returns its result when the replicas have it: those
// that the master has just after the write, and those that it had a little ago.
func (w *wait) after(ctx context.Context, c rueidis.DedicatedClient, write rueidis.Completed) (rueidis.RedisResult, error) {
	asked := max(1, w.usual.Load())
	got := c.DoMulti(ctx, write, c.B().Info().Section("replication").Build(), w.command(c.B(), asked))
	if err := got[0].Error(); err != nil {
		return got[0], err
	}
	raw, err := got[1].ToString()
	if err != nil {
		return got[0], err
	}
	n := w.saw(redisconn.ParseInfo(raw), time.Now())
	w.usual.Store(n)
	have, err := got[2].AsInt64()
	if err == nil && have < n && asked < n {
		have, err = c.Do(ctx, w.command(c.B(), n)).AsInt64()
	}
	if err == nil && have < n { // without them it may be lost with the master
		err = fmt.Errorf("%d of %d replicas have confirmed the write in time", have, n)
	}
	return got[0], err
}

// saw takes in what a master says of its replicas. Another master, as one that
// has just been promoted, has another replication id and a history of its own.
func (w *wait) saw(info redisconn.Info, now time.Time) int64 {
	w.mu.Lock()
	defer w.mu.Unlock()
	for id, seen := range w.masters {
		for len(seen) > 0 && now.Sub(seen[0].at) >= replicaGrace {
			seen = seen[1:]
		}
		if w.masters[id] = seen; len(seen) == 0 {
			delete(w.masters, id)
		}
	}
	id := info["master_replid"]
	seen := w.masters[id]
	if n := online(info); len(seen) > 0 && seen[len(seen)-1].n == n {
		seen[len(seen)-1].at = now
	} else {
		seen = append(seen, sighting{now, n})
	}
	w.masters[id] = seen
	n := int64(1)
	for _, s := range seen {
		n = max(n, s.n)
	}
	return n
}

// watch asks the masters now and then, so that a write has what its master
// had before, though it be the first of this node.
func (w *wait) watch(s *Store) {
	t := time.NewTicker(replicaLook)
	defer t.Stop()
	for {
		for _, node := range s.client.Nodes() {
			ctx, cancel := context.WithTimeout(context.Background(), time.Second)
			raw, err := node.Do(ctx, node.B().Info().Section("replication").Build()).ToString()
			cancel()
			if info := redisconn.ParseInfo(raw); err == nil && info["role"] == "master" {
				w.saw(info, time.Now())
			}
		}
		select {
		case <-s.stop:
			return
		case <-t.C:
		}
	}
}

// online counts the replicas that follow: slave0:ip=…,port=…,state=online,
// offset=…,lag=0. The lag is in seconds; a replica says each second what it has.
func online(info redisconn.Info) (n int64) {
	for name, value := range info {
		if !strings.HasPrefix(name, "slave") || !strings.Contains(value, "state=online") {
			continue
		}
		_, lag, _ := strings.Cut(value, "lag=")
		if s, err := strconv.Atoi(lag); err == nil && s <= 3 {
			n++
		}
	}
	return n
}

func (w *wait) command(b rueidis.Builder, n int64) rueidis.Completed {
	return b.Wait().Numreplicas(n).Timeout(w.timeout.Milliseconds()).Build()
}
