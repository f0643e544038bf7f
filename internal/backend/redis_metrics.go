package backend

import (
	"math"
	"strconv"
	"sync"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/weir-analytics/weir/internal/hot/redis"
)

// redisMetrics shows the health of the hot tier's Redis to Prometheus. Every
// Weir node shows all of Redis, so those that ask aggregate over instances.
type redisMetrics struct {
	of *redisHealth

	mu   sync.Mutex
	slow map[string]slowSeen // by node
}

// slowSeen is what was last read of a node's log of slow commands.
type slowSeen struct {
	run   string
	total uint64
}

func newRedisMetrics(of *redisHealth) *redisMetrics {
	return &redisMetrics{of: of, slow: map[string]slowSeen{}}
}

// metric is one that is shown of each of something. NaN shows none.
type metric[T any] struct {
	desc  *prometheus.Desc
	kind  prometheus.ValueType
	value func(T) float64
}

func redisDesc(name, help string, labels ...string) *prometheus.Desc {
	return prometheus.NewDesc("weir_redis_"+name, help, labels, nil)
}

func nodeGauge(name, help string, value func(redis.NodeHealth) float64) metric[redis.NodeHealth] {
	return metric[redis.NodeHealth]{redisDesc(name, help, "node"), prometheus.GaugeValue, value}
}

func nodeCounter(name, help string, value func(redis.NodeHealth) float64) metric[redis.NodeHealth] {
	return metric[redis.NodeHealth]{redisDesc(name+"_total", help, "node"), prometheus.CounterValue, value}
}

func shardGauge(name, help string, value func(redis.ShardHealth) float64) metric[redis.ShardHealth] {
	return metric[redis.ShardHealth]{redisDesc("shard_"+name, help, "shard"), prometheus.GaugeValue, value}
}

func replicaGauge(name, help string, value func(redis.Replica) float64) metric[redis.Replica] {
	return metric[redis.Replica]{redisDesc("replica_"+name, help, "node", "replica"), prometheus.GaugeValue, value}
}

func truth(b bool) float64 {
	if b {
		return 1
	}
	return 0
}

// unlessZero leaves out what is 0 when it is not known.
func unlessZero[T int64 | float64](v T) float64 {
	if v == 0 {
		return math.NaN()
	}
	return float64(v)
}

var (
	redisUp            = redisDesc("up", "1 when every shard of the hot tier can be read from Redis, else 0.")
	redisNodeUp        = redisDesc("node_up", "1 when the Redis server answers, else 0.", "node")
	redisNodeInfo      = redisDesc("node_info", "Always 1; the labels say the server's role (master, replica) and version.", "node", "role", "version")
	redisSlowCommands  = redisDesc("slow_commands_total", "Commands that took longer than the server's slowlog-log-slower-than.", "node")
	redisBytesPerEvent = redisDesc("bytes_per_event", "Memory in bytes of an event that waits in the log, as Redis reckons from some of them; without meaning for less than some thousand.")
)

var redisNodeMetrics = []metric[redis.NodeHealth]{
	nodeGauge("uptime_seconds", "Time since the server's start.", func(n redis.NodeHealth) float64 { return float64(n.UptimeSeconds) }),

	nodeGauge("memory_used_bytes", "Memory that the data takes.", func(n redis.NodeHealth) float64 { return float64(n.Memory.UsedBytes) }),
	nodeGauge("memory_max_bytes", "The limit maxmemory; 0 is none.", func(n redis.NodeHealth) float64 { return float64(n.Memory.MaxBytes) }),
	nodeGauge("memory_peak_bytes", "The most memory that the data took since the server's start.", func(n redis.NodeHealth) float64 { return float64(n.Memory.PeakBytes) }),
	nodeGauge("memory_fragmentation_ratio", "Memory of the process by memory of the data.", func(n redis.NodeHealth) float64 { return n.Memory.FragmentationRatio }),
	nodeCounter("evicted_keys", "Keys thrown away for lack of room. More than 0 is lost data.", func(n redis.NodeHealth) float64 { return float64(n.Memory.EvictedKeys) }),
	nodeCounter("expired_keys", "Keys that went when their time was over.", func(n redis.NodeHealth) float64 { return float64(n.Memory.ExpiredKeys) }),

	nodeGauge("connected_clients", "Connections, of all programs.", func(n redis.NodeHealth) float64 { return float64(n.Load.Clients) }),
	nodeGauge("blocked_clients", "Connections that wait, as for a replica.", func(n redis.NodeHealth) float64 { return float64(n.Load.BlockedClients) }),
	nodeGauge("ops_per_second", "Commands a second, by the server's own reckoning.", func(n redis.NodeHealth) float64 { return float64(n.Load.OpsPerSecond) }),
	nodeCounter("commands", "Commands processed.", func(n redis.NodeHealth) float64 { return float64(n.Load.Commands) }),
	nodeCounter("cpu_seconds", "CPU time of the server's process, its children left out.", func(n redis.NodeHealth) float64 { return n.Load.CPUSeconds }),
	nodeCounter("keyspace_hits", "Look-ups of keys that were there.", func(n redis.NodeHealth) float64 { return float64(n.Load.KeyspaceHits) }),
	nodeCounter("keyspace_misses", "Look-ups of keys that were not there; new ids are such, so many are usual.", func(n redis.NodeHealth) float64 { return float64(n.Load.KeyspaceMisses) }),

	nodeGauge("loading", "1 while the server loads its data, else 0.", func(n redis.NodeHealth) float64 { return truth(n.Persistence.Loading) }),
	nodeGauge("aof_enabled", "1 with an append-only file, else 0.", func(n redis.NodeHealth) float64 { return truth(n.Persistence.AOFEnabled) }),
	nodeGauge("aof_last_write_ok", "0 when the last write of the append-only file failed, else 1.", func(n redis.NodeHealth) float64 { return truth(n.Persistence.AOFLastWriteOK) }),
	nodeGauge("aof_last_rewrite_ok", "0 when the last rewrite of the append-only file failed, else 1.", func(n redis.NodeHealth) float64 { return truth(n.Persistence.AOFLastRewriteOK) }),
	nodeCounter("aof_delayed_fsync", "Writes that waited for a disk that was behind.", func(n redis.NodeHealth) float64 { return float64(n.Persistence.AOFDelayedFsync) }),
	nodeGauge("rdb_last_save_ok", "0 when the last snapshot failed, else 1.", func(n redis.NodeHealth) float64 { return truth(n.Persistence.RDBLastSaveOK) }),
	nodeGauge("rdb_last_save_timestamp_seconds", "Unix time of the last good snapshot; of the server's start when there is none.", func(n redis.NodeHealth) float64 { return float64(n.Persistence.RDBLastSave.Unix()) }),

	nodeGauge("connected_replicas", "Replicas connected to a master; replicas do not show it.", func(n redis.NodeHealth) float64 {
		if n.Replication.MasterLinkUp != nil {
			return math.NaN()
		}
		return float64(len(n.Replication.Replicas))
	}),
	nodeGauge("master_link_up", "1 when a replica is connected to its master, else 0; masters do not show it.", func(n redis.NodeHealth) float64 {
		if n.Replication.MasterLinkUp == nil {
			return math.NaN()
		}
		return truth(*n.Replication.MasterLinkUp)
	}),
	nodeGauge("slow_log_entries", "Entries in the server's log of slow commands.", func(n redis.NodeHealth) float64 {
		if n.Slow == nil {
			return math.NaN()
		}
		return float64(n.Slow.Length)
	}),
}

var redisReplicaMetrics = []metric[redis.Replica]{
	replicaGauge("online", "1 when a replica follows its master, 0 while it is given the data first.", func(r redis.Replica) float64 { return truth(r.State == "online") }),
	replicaGauge("lag_bytes", "What a replica has not confirmed of its master's writes.", func(r redis.Replica) float64 { return float64(r.LagBytes) }),
	replicaGauge("lag_seconds", "Time since a replica confirmed anything; it does each second.", func(r redis.Replica) float64 { return float64(r.LagSeconds) }),
}

var redisShardMetrics = []metric[redis.ShardHealth]{
	shardGauge("waiting_events", "Accepted events in the shard's log that are not drained.", func(s redis.ShardHealth) float64 { return float64(s.WaitingEvents) }),
	shardGauge("chunks", "Entries of the stream that they stand in.", func(s redis.ShardHealth) float64 { return float64(s.Chunks) }),
	shardGauge("oldest_seconds", "Age of the oldest event in the shard's log that is not drained; 0 without any.", func(s redis.ShardHealth) float64 { return s.OldestSeconds }),
	shardGauge("log_bytes", "Memory of the shard's log, as Redis reckons from some of its entries.", func(s redis.ShardHealth) float64 { return unlessZero(s.LogBytes) }),
	shardGauge("lease_expiry_timestamp_seconds", "Unix time, by the clock of Redis, up to which a Weir node may drain the shard; not shown when none does.", func(s redis.ShardHealth) float64 {
		if s.LeaseExpires == nil {
			return math.NaN()
		}
		return float64(s.LeaseExpires.UnixMilli()) / 1000
	}),
}

// Describe sends the descriptions of the metrics that backends have.
func Describe(out chan<- *prometheus.Desc) { new(redisMetrics).Describe(out) }

// Describe implements prometheus.Collector.
func (c *redisMetrics) Describe(out chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{redisUp, redisNodeUp, redisNodeInfo, redisSlowCommands, redisBytesPerEvent} {
		out <- d
	}
	for _, m := range redisNodeMetrics {
		out <- m.desc
	}
	for _, m := range redisReplicaMetrics {
		out <- m.desc
	}
	for _, m := range redisShardMetrics {
		out <- m.desc
	}
}

// Collect implements prometheus.Collector. What is not known is not shown.
func (c *redisMetrics) Collect(out chan<- prometheus.Metric) {
	h, err := c.of.get()
	gauge := func(d *prometheus.Desc, v float64, labels ...string) {
		if !math.IsNaN(v) {
			out <- prometheus.MustNewConstMetric(d, prometheus.GaugeValue, v, labels...)
		}
	}
	gauge(redisUp, truth(err == nil && h.Up))
	gauge(redisBytesPerEvent, unlessZero(h.BytesPerEvent))
	for _, n := range h.Nodes {
		gauge(redisNodeUp, truth(n.Up), n.Addr)
		if !n.Up {
			continue
		}
		gauge(redisNodeInfo, 1, n.Addr, n.Role, n.Version)
		collect(out, redisNodeMetrics, n, n.Addr)
		if n.Slow != nil {
			out <- prometheus.MustNewConstMetric(redisSlowCommands, prometheus.CounterValue, float64(c.slowTotal(n)), n.Addr)
		}
		for _, r := range n.Replication.Replicas {
			collect(out, redisReplicaMetrics, r, n.Addr, r.Addr)
		}
	}
	for _, s := range h.Shards {
		if s.Up {
			collect(out, redisShardMetrics, s, strconv.Itoa(s.Shard))
		}
	}
}

func collect[T any](out chan<- prometheus.Metric, all []metric[T], of T, labels ...string) {
	for _, m := range all {
		if v := m.value(of); !math.IsNaN(v) {
			out <- prometheus.MustNewConstMetric(m.desc, m.kind, v, labels...)
		}
	}
}

// slowTotal returns how many slow commands a server had since its start. After SLOWLOG RESET
// the server does not say; then the last number stays, since a lower one would look like a
// restart.
func (c *redisMetrics) slowTotal(n redis.NodeHealth) uint64 {
	c.mu.Lock()
	defer c.mu.Unlock()
	seen := c.slow[n.Addr]
	if seen.run != n.RunID {
		seen = slowSeen{run: n.RunID}
	}
	seen.total = max(seen.total, n.Slow.Total)
	c.slow[n.Addr] = seen
	return seen.total
}
