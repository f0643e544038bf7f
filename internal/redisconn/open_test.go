package redisconn_test

import (
	"context"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/redis/rueidis"
	"github.com/weir-analytics/weir/internal/redisconn"
	"github.com/weir-analytics/weir/internal/redistest"
)

// open opens a URL and closes the client with the test. What is waited for in
// vain ends after half a minute, with an error that says nothing else.
func open(t *testing.T, url string, o redisconn.Options) (rueidis.Client, error) {
	t.Helper()
	u, err := redisconn.Parse(url)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	c, err := redisconn.Open(ctx, u, o)
	if err == nil {
		t.Cleanup(c.Close)
	}
	return c, err
}

// opens checks that a URL opens, and that what is behind it takes a write.
func opens(t *testing.T, url string, o redisconn.Options) {
	t.Helper()
	c, err := open(t, url, o)
	if err != nil {
		t.Fatalf("%s: %v", url, err)
	}
	if err := c.Do(t.Context(), c.B().Set().Key("k").Value("v").Build()).Error(); err != nil {
		t.Fatalf("%s: a write: %v", url, err)
	}
}

// refuses checks that a URL does not open, and that the error says each of want
// and no password.
func refuses(t *testing.T, url string, o redisconn.Options, want ...string) {
	t.Helper()
	_, err := open(t, url, o)
	if err == nil {
		t.Fatalf("%s was opened", url)
	}
	for _, w := range want {
		if !strings.Contains(err.Error(), w) {
			t.Errorf("%v, want %q in it", err, w)
		}
	}
	if strings.Contains(err.Error(), secret) {
		t.Errorf("the error holds the password: %v", err)
	}
}

func TestARedisThatIsNotThereCannotBeReached(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	addr := l.Addr().String()
	l.Close()
	for _, scheme := range []string{"redis://", "redis+cluster://", "rediss://"} {
		refuses(t, scheme+"u:"+secret+"@"+addr, redisconn.Options{}, scheme+addr, "cannot be reached", "connection refused")
	}
	refuses(t, "redis+sentinel://u:"+secret+"@"+addr+"/main", redisconn.Options{}, "cannot be reached", "connection refused")
	refuses(t, "redis://u:"+secret+"@no-such-host.invalid", redisconn.Options{}, "cannot be reached", "no-such-host.invalid")
}

func TestAPasswordIsAskedForAndChecked(t *testing.T) {
	s := redistest.Start(t, "--requirepass", "right/"+secret)
	opens(t, s.URL(), redisconn.Options{Durable: true})
	refuses(t, "redis://"+s.Addr, redisconn.Options{}, "asks for a password", "NOAUTH")
	refuses(t, "redis://:"+secret+"@"+s.Addr, redisconn.Options{}, "does not take the user or password", "WRONGPASS")
	refuses(t, "redis://nobody:"+secret+"@"+s.Addr, redisconn.Options{}, "does not take the user or password", "WRONGPASS")
}

func TestAUserNeedsPermissions(t *testing.T) {
	s := redistest.Start(t)
	s.Do("ACL", "SETUSER", "all", "on", ">"+secret, "~*", "&*", "+@all")
	s.Do("ACL", "SETUSER", "some", "on", ">"+secret, "~*", "+@read")
	opens(t, "redis://all:"+secret+"@"+s.Addr, redisconn.Options{Durable: true})
	refuses(t, "redis://some:"+secret+"@"+s.Addr, redisconn.Options{Durable: true}, "lacks a permission", "NOPERM", "info")
}

func TestARedisThatEvictsIsForTheCacheOnly(t *testing.T) {
	s := redistest.Start(t, "--maxmemory-policy", "allkeys-lru")
	refuses(t, s.URL(), redisconn.Options{Durable: true}, "maxmemory-policy is allkeys-lru", "set maxmemory-policy noeviction", "--cache")
	opens(t, s.URL(), redisconn.Options{})
	s.Do("CONFIG", "SET", "maxmemory-policy", "noeviction")
	opens(t, s.URL(), redisconn.Options{Durable: true})
}

func TestARedisWithoutAppendOnlyFileIsWarnedOf(t *testing.T) {
	s := redistest.Start(t)
	for _, c := range []struct {
		aof     string
		durable bool
		warns   bool
	}{{"no", true, true}, {"no", false, false}, {"yes", true, false}} {
		s.Do("CONFIG", "SET", "appendonly", c.aof)
		var log lines
		opens(t, s.URL(), redisconn.Options{Durable: c.durable, Logger: log.logger()})
		if got := log.has("level=WARN", "append-only file", "set appendonly yes", s.Addr); got != c.warns {
			t.Errorf("appendonly %s, durable %v: warned %v: %s", c.aof, c.durable, got, &log)
		}
	}
}

func TestAReplicaIsNotTakenForItsMaster(t *testing.T) {
	g := redistest.StartSentinel(t)
	for _, r := range g.Replicas() {
		refuses(t, r.URL(), redisconn.Options{Wait: time.Hour}, "is a replica", "redis+sentinel://")
	}
	opens(t, g.Master().URL(), redisconn.Options{Durable: true})
	opens(t, g.URL(), redisconn.Options{Durable: true})
	refuses(t, strings.Replace(g.URL(), "/mymaster", "/other", 1), redisconn.Options{Wait: time.Hour}, "no master of this name", "/other")
	refuses(t, "redis://"+g.Sentinels[0].Addr, redisconn.Options{Wait: time.Hour}, "this is a Sentinel: use redis+sentinel://")
	refuses(t, "redis+sentinel://"+g.Servers[0].Addr+"/mymaster", redisconn.Options{Wait: time.Hour}, "this is not a Sentinel")
}

func TestURLOfTheWrongKindOfRedisIsRefused(t *testing.T) {
	cluster, single := redistest.StartCluster(t, 3, 0), redistest.Start(t)
	opens(t, cluster.URL(), redisconn.Options{Durable: true})
	refuses(t, "redis://"+cluster.Addrs[0], redisconn.Options{Wait: time.Hour}, "node of a Cluster", "use redis+cluster://")
	const not = "not in cluster mode: use redis:// or redis+sentinel://"
	refuses(t, "redis+cluster://"+single.Addr, redisconn.Options{Wait: time.Hour}, not)
	refuses(t, "redis+cluster://"+single.Addr+","+single.Addr, redisconn.Options{Wait: time.Hour}, not)
}

func TestAClusterThatEvictsOnOneNodeIsRefused(t *testing.T) {
	cluster := redistest.StartCluster(t, 3, 1)
	cluster.Nodes[2].Do("CONFIG", "SET", "maxmemory-policy", "volatile-ttl")
	refuses(t, cluster.URL(), redisconn.Options{Durable: true}, "maxmemory-policy is volatile-ttl", cluster.Addrs[2])
	cluster.Nodes[2].Do("CONFIG", "SET", "maxmemory-policy", "noeviction")
	opens(t, cluster.URL(), redisconn.Options{Durable: true})
}

func TestAnOldRedisIsRefused(t *testing.T) {
	f := startFake(t, "# Server\r\nredis_version:6.2.0\r\nrole:master\r\n", 0)
	refuses(t, "redis://"+f.Addr, redisconn.Options{Wait: time.Hour}, "this is Redis 6.2.0", "needs 7 or newer")
	f = startFake(t, "# Server\r\nrole:master\r\n", 0)
	refuses(t, "redis://"+f.Addr, redisconn.Options{Wait: time.Hour}, "needs 7 or newer")
}
