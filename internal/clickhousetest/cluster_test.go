package clickhousetest_test

import (
	"strings"
	"testing"

	"github.com/weir-analytics/weir/internal/clickhousetest"
)

// tables defines weir.local and, over the whole cluster, weir.whole. A row is of
// the shard a%shards.
func tables(c *clickhousetest.Cluster) {
	c.DoAll("CREATE DATABASE weir")
	c.DoAll("CREATE TABLE weir.local (a Int64) ENGINE = MergeTree ORDER BY a")
	c.DoAll("CREATE TABLE weir.whole AS weir.local ENGINE = Distributed(weir, weir, local, a)")
}

func TestADistributedTableIsOverAllShards(t *testing.T) {
	c := clickhousetest.StartCluster(t, 2, 1)
	if want := "clickhouse://default@" + strings.Join(c.Addrs, ",") + "/weir"; c.URL("weir") != want {
		t.Errorf("URL %q, want %q", c.URL("weir"), want)
	}
	tables(c)
	c.Servers[0].Do("INSERT INTO weir.whole SETTINGS distributed_foreground_insert = 1 SELECT number FROM numbers(10)")
	for i, want := range []string{"20", "25"} {
		s := c.Shard(i)[0]
		if got := s.Do("SELECT sum(a) FROM weir.local"); got != want {
			t.Errorf("shard %d has %s, want %s", i, got, want)
		}
		if got := s.Do("SELECT sum(a) FROM weir.whole"); got != "45" {
			t.Errorf("through shard %d the sum is %s", i, got)
		}
		if got, want := s.Do("SELECT getMacro('shard'), getMacro('replica')"), []string{"1\t1", "2\t1"}[i]; got != want {
			t.Errorf("macros of shard %d are %q, want %q", i, got, want)
		}
	}
	if got := count(t, c.URL("weir"), "whole"); got != 10 {
		t.Errorf("the client sees %d rows", got)
	}

	c.Servers[1].Kill()
	if got, err := c.Servers[0].Try("SELECT sum(a) FROM weir.whole"); err == nil {
		t.Errorf("without a shard the sum is %s", got)
	}
	c.Servers[1].Restart()
	if got := c.Servers[0].Do("SELECT sum(a) FROM weir.whole"); got != "45" {
		t.Errorf("with the shard back the sum is %s", got)
	}
}

func TestAReplicaStandsInForAnother(t *testing.T) {
	c := clickhousetest.StartCluster(t, 1, 2)
	tables(c)
	first, second := c.Shard(0)[0], c.Shard(0)[1]
	first.Do("INSERT INTO weir.whole SETTINGS distributed_foreground_insert = 1 VALUES (1)")
	for _, s := range c.Servers {
		if got := s.Do("SELECT count() FROM weir.local"); got != "1" {
			t.Errorf("%s has %s rows", s.Addr, got)
		}
	}
	second.Kill()
	first.Do("INSERT INTO weir.whole VALUES (2)")
	first.Do("INSERT INTO weir.whole VALUES (3)")
	if got := first.Do("SELECT sum(a) FROM weir.whole"); got != "6" {
		t.Errorf("with a dead replica the sum is %s", got)
	}
	second.Restart()
	first.Do("SYSTEM FLUSH DISTRIBUTED weir.whole")
	for _, s := range c.Servers {
		if got := s.Do("SELECT sum(a) FROM weir.local"); got != "6" {
			t.Errorf("after the restart %s has %s", s.Addr, got)
		}
	}
}

func count(t *testing.T, url, table string) (n uint64) {
	t.Helper()
	if err := open(t, url).QueryRow(t.Context(), "SELECT count() FROM "+table).Scan(&n); err != nil {
		t.Fatal(err)
	}
	return n
}
