package redisconn

import (
	"context"
	"errors"
	"fmt"
	"slices"
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

const notCluster = "this Redis is not in cluster mode: use redis:// or redis+sentinel://"

// errLoading is a Redis that answers INFO while it loads, and little else.
var errLoading = errors.New("this Redis is still loading its data")

// Info is what INFO says: section fields by name.
type Info map[string]string

// Int returns a field as a number, 0 when it is none.
func (i Info) Int(name string) int64 {
	n, err := strconv.ParseInt(i[name], 10, 64)
	if err != nil {
		return 0
	}
	return n
}

// Float returns a field as a number, 0 when it is none.
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

// Node is one server that a client is connected to.
type Node struct {
	Addr   string         // host:port
	Client rueidis.Client // sends to this server alone; it ends with the client that it is of
	Info   Info           // nil when the server did not answer
	Err    error          // why it did not
}

// Replica says whether the server follows another.
func (n Node) Replica() bool { return n.Info["role"] == "slave" }

// sections are those parts of INFO that cost nothing: "everything" adds figures
// of each command and error, which a server has hundreds of.
var sections = []string{"server", "clients", "memory", "persistence", "stats", "replication", "cpu", "cluster"}

// Nodes asks each server of the client for INFO, all at once, and puts
// them in the order of their addresses. Of a Cluster these are masters and
// replicas, of a standalone Redis and behind Sentinel the one in use. Whoever has
// not answered when ctx is done has Err.
func Nodes(ctx context.Context, c rueidis.Client) []Node {
	var nodes []Node
	for addr, client := range c.Nodes() {
		nodes = append(nodes, Node{Addr: addr, Client: client})
	}
	slices.SortFunc(nodes, func(a, b Node) int { return strings.Compare(a.Addr, b.Addr) })
	infos, errs := Gather(ctx, len(nodes), func(i int) (Info, error) {
		c := nodes[i].Client
		raw, err := c.Do(ctx, c.B().Info().Section(sections...).Build()).ToString()
		return ParseInfo(raw), err
	})
	for i := range nodes {
		if errs[i] != nil {
			nodes[i].Err = fmt.Errorf("INFO of %s: %w", nodes[i].Addr, errs[i])
		} else {
			nodes[i].Info = infos[i]
		}
	}
	return nodes
}

// Gather makes n calls at once and returns what they return, in order. It ends
// with ctx: a call that is not back by then fails with its cause, and ends by
// itself, for rueidis does not look at a context while it connects.
func Gather[T any](ctx context.Context, n int, call func(i int) (T, error)) ([]T, []error) {
	type answer struct {
		i   int
		v   T
		err error
	}
	answers := make(chan answer, n)
	for i := range n {
		go func() {
			v, err := call(i)
			answers <- answer{i, v, err}
		}()
	}
	all, errs := make([]T, n), make([]error, n)
	for i := range errs {
		errs[i] = errLate
	}
wait:
	for range n {
		select {
		case a := <-answers:
			all[a.i], errs[a.i] = a.v, a.err
		case <-ctx.Done():
			break wait
		}
	}
	for i, err := range errs {
		if errors.Is(err, errLate) || ctx.Err() != nil && errors.Is(err, ctx.Err()) {
			errs[i] = context.Cause(ctx)
		}
	}
	return all, errs
}

// errLate stands for an answer that is not there yet.
var errLate = errors.New("no answer")

// check refuses a Redis that cannot be what it is needed for. In a Cluster
// replicas are looked at too, since each may be a master tomorrow, and a node
// that does not answer is no reason not to start: the others may have its slots.
func check(ctx context.Context, c rueidis.Client, u URL, o Options) error {
	ctx, cancel := context.WithTimeout(ctx, o.Timeout)
	defer cancel()
	var silent []error
	nodes := Nodes(ctx, c)
	for _, n := range nodes {
		if n.Err != nil {
			silent = append(silent, n.Err)
			continue
		}
		if n.Info["loading"] == "1" && !n.Replica() {
			return fmt.Errorf("%s: %w", n.Addr, errLoading)
		}
		if err := fit(n.Info, u, o.Durable); err != nil {
			return fmt.Errorf("%s: %w", n.Addr, err)
		}
		if o.Durable && n.Info["aof_enabled"] == "0" {
			o.Logger.Warn("Redis has no append-only file: what it acknowledged is lost when it ends; set appendonly yes", "addr", n.Addr)
		}
	}
	if len(silent) == len(nodes) {
		return errors.Join(silent...)
	}
	if err := checkStrangers(ctx, nodes, u, o); err != nil {
		return err
	}
	for _, err := range silent {
		o.Logger.Warn("a node of the Redis Cluster does not answer", "error", Explain(err))
	}
	return nil
}

func fit(info Info, u URL, durable bool) error {
	version := info["redis_version"]
	major, _, _ := strings.Cut(version, ".")
	if n, err := strconv.Atoi(major); err != nil || n < MinVersion {
		return &guardError{fmt.Sprintf("this is Redis %s; Weir needs %d or newer", version, MinVersion)}
	}
	if info["redis_mode"] == "sentinel" {
		return &guardError{"this is a Sentinel: use redis+sentinel://"}
	}
	if on := info["cluster_enabled"] == "1"; on && u.Kind != Cluster {
		return &guardError{"this Redis is a node of a Cluster: use redis+cluster://"}
	} else if !on && u.Kind == Cluster {
		return &guardError{notCluster}
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
