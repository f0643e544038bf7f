package redisconn

import (
	"context"
	"fmt"
	"strconv"
	"strings"

	"github.com/redis/rueidis"
)

// MinVersion is the oldest major version of Redis that Weir works with: scripts
// that may go on when memory is full came with it.
const MinVersion = 7

// guardError is a Redis that answers, and is not fit.
type guardError struct{ message string }

func (e *guardError) Error() string { return e.message }

// Info is what INFO says: section fields by name.
type Info map[string]string

// Int is a field as a number, 0 when it is none.
func (i Info) Int(name string) int64 {
	n, err := strconv.ParseInt(i[name], 10, 64)
	if err != nil {
		return 0
	}
	return n
}

// Float is a field as a number, 0 when it is none.
func (i Info) Float(name string) float64 {
	f, err := strconv.ParseFloat(i[name], 64)
	if err != nil {
		return 0
	}
	return f
}

// ParseInfo reads the answer of INFO.
func ParseInfo(s string) Info {
	info := Info{}
	for line := range strings.Lines(s) {
		if name, value, ok := strings.Cut(strings.TrimSpace(line), ":"); ok && !strings.HasPrefix(name, "#") {
			info[name] = value
		}
	}
	return info
}

// Infos asks each master that the client knows for INFO, by address. Of a
// standalone Redis and of a Sentinel that is one.
func Infos(ctx context.Context, c rueidis.Client) (map[string]Info, error) {
	infos := map[string]Info{}
	for addr, node := range c.Nodes() {
		raw, err := node.Do(ctx, node.B().Info().Section("everything").Build()).ToString()
		if err != nil {
			return nil, fmt.Errorf("INFO of %s: %w", addr, err)
		}
		info := ParseInfo(raw)
		if info["role"] == "slave" && len(c.Nodes()) > 1 {
			continue
		}
		infos[addr] = info
	}
	return infos, nil
}

// check refuses a Redis that cannot be what it is needed for.
func check(ctx context.Context, c rueidis.Client, u URL, o Options) error {
	ctx, cancel := context.WithTimeout(ctx, o.Timeout)
	defer cancel()
	infos, err := Infos(ctx, c)
	if err != nil {
		return err
	}
	for addr, info := range infos {
		if err := fit(info, u, o.Durable); err != nil {
			return fmt.Errorf("%s: %w", addr, err)
		}
		if o.Durable && info["aof_enabled"] == "0" {
			o.Logger.Warn("Redis has no append-only file: what it acknowledged is lost when it ends; set appendonly yes", "addr", addr)
		}
	}
	return nil
}

func fit(info Info, u URL, durable bool) error {
	version := info["redis_version"]
	major, _, _ := strings.Cut(version, ".")
	if n, err := strconv.Atoi(major); err != nil || n < MinVersion {
		return &guardError{fmt.Sprintf("this is Redis %s; Weir needs %d or newer", version, MinVersion)}
	}
	if on := info["cluster_enabled"] == "1"; on && u.Kind != Cluster {
		return &guardError{"this Redis is a node of a Cluster: use redis+cluster://"}
	} else if !on && u.Kind == Cluster {
		return &guardError{"this Redis is not in cluster mode: use redis:// or redis+sentinel://"}
	}
	if policy := info["maxmemory_policy"]; durable && policy != "" && policy != "noeviction" {
		return &guardError{fmt.Sprintf("maxmemory-policy is %s: when memory is full this Redis would throw accepted events away; "+
			"set maxmemory-policy noeviction, or keep only the cache there (--cache)", policy)}
	}
	if info["role"] == "slave" && u.Kind == Standalone {
		return &guardError{"this Redis is a replica: name its master, or use redis+sentinel://"}
	}
	return nil
}
