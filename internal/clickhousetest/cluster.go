package clickhousetest

import (
	"fmt"
	"strings"
	"testing"
)

// Cluster is several servers that know one another as the cluster "weir". Each has
// the macros {shard} and {replica}, both numbers from 1.
//
// A Distributed table writes each row to all replicas of its shard itself: the
// cluster has internal_replication off. Servers of this kind know neither
// ReplicatedMergeTree, since they do not serve one another their parts, nor
// ON CLUSTER; DoAll stands in for that.
type Cluster struct {
	Servers []*Server // the replicas of the first shard, those of the second …
	Addrs   []string  // of Servers

	t        testing.TB
	replicas int
}

// StartCluster starts a cluster of so many shards, each with that many replicas
// (one is the server alone), and waits until all servers answer. The options are
// for each of them.
func StartCluster(t testing.TB, shards, replicas int, options ...Option) *Cluster {
	t.Helper()
	c := &Cluster{t: t, replicas: replicas}
	for range shards * replicas {
		s := newServer(t)
		c.Servers = append(c.Servers, s)
		c.Addrs = append(c.Addrs, s.Addr)
	}
	remote := Config(c.remoteServers())
	for i, s := range c.Servers {
		macros := Config(fmt.Sprintf("<macros><shard>%d</shard><replica>%d</replica></macros>", i/replicas+1, i%replicas+1))
		s.configure(append([]Option{remote, macros}, options...))
		s.launch()
	}
	for _, s := range c.Servers {
		s.waitReady()
	}
	return c
}

// remoteServers is the element of that name in the servers' configuration:
// https://clickhouse.com/docs/engines/table-engines/special/distributed
func (c *Cluster) remoteServers() string {
	var b strings.Builder
	b.WriteString("<remote_servers><weir>")
	for i, s := range c.Servers {
		if i%c.replicas == 0 {
			b.WriteString("<shard><internal_replication>false</internal_replication>")
		}
		fmt.Fprintf(&b, "<replica><host>127.0.0.1</host><port>%d</port></replica>", s.port)
		if (i+1)%c.replicas == 0 {
			b.WriteString("</shard>")
		}
	}
	b.WriteString("</weir></remote_servers>")
	return b.String()
}

// Shard is the replicas of a shard, which are counted from 0.
func (c *Cluster) Shard(i int) []*Server {
	return c.Servers[i*c.replicas : (i+1)*c.replicas]
}

// URL is the address of a database on all servers, for the user "default":
// clickhouse://default@h1,h2/database.
func (c *Cluster) URL(database string) string {
	return "clickhouse://default@" + strings.Join(c.Addrs, ",") + "/" + database
}

// DoAll runs one statement on each server, one after the other. An error is fatal.
func (c *Cluster) DoAll(sql string) {
	c.t.Helper()
	for _, s := range c.Servers {
		s.Do(sql)
	}
}
