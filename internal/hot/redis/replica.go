package redis

import (
	"context"
	"fmt"
	"maps"
	"strconv"
	"strings"
	"sync"
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

	mu      sync.Mutex
	masters map[string][]sighting                // by replication id
	kept    map[rueidis.DedicatedClient]sighting // of connections in use
}

// sighting is how many replicas a master had.
type sighting struct {
	at time.Time
	n  int64
}

const (
	// replicaGrace is how long a replica that is gone is still waited for. A
	// failover takes less.
	replicaGrace = 10 * time.Second
	// replicaKept is how long a connection's number of replicas is not asked again.
	replicaKept = 500 * time.Millisecond
	// replicaLook is how often all masters are asked, whoever writes.
	replicaLook = 250 * time.Millisecond
)

func newWait(timeout time.Duration) *wait {
	return &wait{timeout: timeout, masters: map[string][]sighting{}, kept: map[rueidis.DedicatedClient]sighting{}}
}

// need is how many replicas a write on the connection has to wait for. The key
// is one of the write's: in a Cluster it says whose replicas.
func (w *wait) need(ctx context.Context, c rueidis.DedicatedClient, key string) (int64, error) {
	now := time.Now()
	if n, ok := w.recent(c, now); ok {
		return n, nil
	}
	got := c.DoMulti(ctx, c.B().Exists().Key(key).Build(), c.B().Info().Section("replication").Build())
	if err := got[0].Error(); err != nil {
		return 0, err
	}
	raw, err := got[1].ToString()
	if err != nil {
		return 0, err
	}
	n := w.saw(redisconn.ParseInfo(raw), now)
	w.mu.Lock()
	defer w.mu.Unlock()
	maps.DeleteFunc(w.kept, func(_ rueidis.DedicatedClient, k sighting) bool { return now.Sub(k.at) >= replicaKept })
	w.kept[c] = sighting{now, n}
	return n, nil
}

func (w *wait) recent(c rueidis.DedicatedClient, now time.Time) (int64, bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	k, ok := w.kept[c]
	return k.n, ok && now.Sub(k.at) < replicaKept
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
	seen := append(w.masters[id], sighting{now, online(info)})
	w.masters[id] = seen
	n := int64(1)
	for _, s := range seen {
		n = max(n, s.n)
	}
	return n
}

// watch looks at the masters now and then, so that a write knows what its master
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

// confirmed says whether n replicas have the write. Without them it may be lost
// with the master.
func (w *wait) confirmed(r rueidis.RedisResult, n int64) error {
	got, err := r.AsInt64()
	if err == nil && got < n {
		err = fmt.Errorf("%d of %d replicas have confirmed the write in time", got, n)
	}
	return err
}
