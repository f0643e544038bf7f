package redis

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net"
	"strconv"
	"strings"
	"time"

	"github.com/redis/rueidis"
	"github.com/weir-analytics/weir/internal/redisconn"
)

// nodeHealth reads INFO (https://redis.io/docs/latest/commands/info/).
func nodeHealth(addr string, info redisconn.Info) NodeHealth {
	n := NodeHealth{
		Addr: addr, Up: true, Role: "master",
		Version: info["redis_version"], RunID: info["run_id"], UptimeSeconds: info.Int("uptime_in_seconds"),
		Memory: &Memory{
			UsedBytes: info.Int("used_memory"), MaxBytes: info.Int("maxmemory"), PeakBytes: info.Int("used_memory_peak"),
			Policy: info["maxmemory_policy"], FragmentationRatio: info.Float("mem_fragmentation_ratio"),
			EvictedKeys: info.Int("evicted_keys"), ExpiredKeys: info.Int("expired_keys"),
		},
		Load: &Load{
			Clients: info.Int("connected_clients"), BlockedClients: info.Int("blocked_clients"),
			OpsPerSecond: info.Int("instantaneous_ops_per_sec"), Commands: info.Int("total_commands_processed"),
			CPUSeconds:   info.Float("used_cpu_user") + info.Float("used_cpu_sys"),
			KeyspaceHits: info.Int("keyspace_hits"), KeyspaceMisses: info.Int("keyspace_misses"),
		},
		Persistence: &Persistence{
			Loading: info["loading"] == "1", AOFEnabled: info["aof_enabled"] == "1",
			AOFLastWriteOK: wentWell(info["aof_last_write_status"]), AOFLastRewriteOK: wentWell(info["aof_last_bgrewrite_status"]),
			AOFDelayedFsync: info.Int("aof_delayed_fsync"),
			RDBLastSave:     time.Unix(info.Int("rdb_last_save_time"), 0).UTC(), RDBLastSaveOK: wentWell(info["rdb_last_bgsave_status"]),
			RDBChangesSinceSave: info.Int("rdb_changes_since_last_save"),
		},
		Replication: &Replication{Replicas: replicas(info)},
	}
	if looked := n.Load.KeyspaceHits + n.Load.KeyspaceMisses; looked > 0 {
		rate := float64(n.Load.KeyspaceHits) / float64(looked)
		n.Load.HitRate = &rate
	}
	if info["role"] == "slave" {
		n.Role = "replica"
		up, last := info["master_link_status"] == "up", info.Int("master_last_io_seconds_ago")
		n.Replication.MasterLinkUp, n.Replication.MasterLastSeconds = &up, &last
	}
	return n
}

// wentWell reads a status: "ok" or "err". A Redis that does not say it has not
// failed at it.
func wentWell(status string) bool { return status == "ok" || status == "" }

// replicas reads a master's lines of its replicas:
// "slave0:ip=127.0.0.1,port=6380,state=online,offset=1204,lag=0".
func replicas(info redisconn.Info) []Replica {
	offset := info.Int("master_repl_offset")
	var all []Replica
	for i := 0; ; i++ {
		line, ok := info["slave"+strconv.Itoa(i)]
		if !ok {
			return all
		}
		of := redisconn.Info{}
		for field := range strings.SplitSeq(line, ",") {
			name, value, _ := strings.Cut(field, "=")
			of[name] = value
		}
		all = append(all, Replica{
			Addr: net.JoinHostPort(of["ip"], of["port"]), State: of["state"],
			LagBytes: max(0, offset-of.Int("offset")), LagSeconds: of.Int("lag"),
		})
	}
}

// Slow is a server's log of slow commands: those that took longer than its
// slowlog-log-slower-than, 10 ms by default.
type Slow struct {
	Length int64 `json:"length"` // entries that it keeps, at most its slowlog-max-len
	// Total is how many there were since the server began; 0 is none, or none
	// since somebody emptied the log.
	Total  uint64        `json:"total"`
	Latest []SlowCommand `json:"latest,omitempty"` // newest first, at most 5
}

// SlowCommand is one of them, without its arguments.
type SlowCommand struct {
	At      time.Time `json:"at"`
	Seconds float64   `json:"seconds"`
	Command string    `json:"command"`
	Script  string    `json:"script,omitempty"` // of Weir's hot tier, when it was one
}

const latestSlow = 5

func slowCommands(ctx context.Context, c rueidis.Client) (*Slow, error) {
	got := c.DoMulti(ctx, c.B().SlowlogLen().Build(), c.B().SlowlogGet().Count(latestSlow).Build())
	length, err1 := got[0].AsInt64()
	entries, err2 := got[1].ToArray()
	if err := cmp.Or(err1, err2); err != nil {
		return nil, err
	}
	slow := &Slow{Length: length}
	for i, e := range entries {
		id, command, err := slowCommand(e)
		if err != nil {
			return nil, err
		}
		if i == 0 {
			slow.Total = id + 1 // ids count up from 0, also over SLOWLOG RESET
		}
		slow.Latest = append(slow.Latest, command)
	}
	return slow, nil
}

var errSlowLog = errors.New("an entry is not what Redis documents")

// slowCommand reads an entry: id, Unix time, µs, arguments, then who sent it
// (https://redis.io/docs/latest/commands/slowlog-get/).
func slowCommand(m rueidis.RedisMessage) (id uint64, c SlowCommand, err error) {
	f, err := m.ToArray()
	if err == nil && len(f) < 4 {
		err = errSlowLog
	}
	if err != nil {
		return 0, c, err
	}
	id, err1 := f[0].AsUint64()
	at, err2 := f[1].AsInt64()
	micros, err3 := f[2].AsInt64()
	args, err4 := f[3].AsStrSlice()
	if err := errors.Join(err1, err2, err3, err4); err != nil {
		return 0, c, fmt.Errorf("%w: %w", errSlowLog, err)
	}
	c = SlowCommand{At: time.Unix(at, 0).UTC(), Seconds: float64(micros) / 1e6}
	if len(args) > 0 {
		c.Command = strings.ToUpper(args[0])
	}
	if len(args) > 1 && c.Command == "EVALSHA" {
		c.Script = scriptName(args[1])
	}
	return id, c, nil
}

// scriptName returns what a script of this package is for, "" for any other.
func scriptName(sha string) string {
	switch strings.ToLower(sha) {
	case appendScript.sha:
		return "append"
	case commitScript.sha:
		return "commit"
	case intendScript.sha:
		return "intend"
	case leaseScript.sha:
		return "lease"
	case openScript.sha:
		return "open"
	}
	return ""
}
