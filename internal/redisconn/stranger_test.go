package redisconn_test

import (
	"testing"
	"time"

	"github.com/weir-analytics/weir/internal/redisconn"
	"github.com/weir-analytics/weir/internal/redistest"
)

const door = "asks for no password"

// welcomes checks that a Redis that asks for no password is warned of on a loopback
// address, refused elsewhere, whatever it is for, and opened there when that is wanted.
func welcomes(t *testing.T, url string, addrs ...string) {
	t.Helper()
	for _, durable := range []bool{true, false} {
		var log lines
		opens(t, url, redisconn.Options{Durable: durable, Logger: log.logger()})
		if !log.has(append(addrs, "level=WARN", door, "requirepass")...) {
			t.Errorf("%s: not warned of: %s", url, &log)
		}
		refuses(t, url, redisconn.Options{Durable: durable, Wait: time.Hour}.TreatLoopbackAsRemote(), door, "not on a loopback address", "--insecure-redis", "requirepass")
		log = lines{}
		opens(t, url, redisconn.Options{Durable: durable, Insecure: true, Logger: log.logger()}.TreatLoopbackAsRemote())
		if !log.has("level=WARN", door) {
			t.Errorf("%s, insecure: not warned of: %s", url, &log)
		}
	}
}

// closed checks that a Redis is opened wherever it is, without a word on passwords.
func closed(t *testing.T, url string) {
	t.Helper()
	var log lines
	opens(t, url, redisconn.Options{Durable: true, Logger: log.logger()}.TreatLoopbackAsRemote())
	if log.has(door) {
		t.Errorf("%s: %s", url, &log)
	}
}

func TestARedisWithoutAPasswordIsForLoopbackOnly(t *testing.T) {
	s := redistest.Start(t)
	welcomes(t, s.URL(), s.Addr)
	welcomes(t, "redis://:"+secret+"@"+s.Addr, s.Addr) // it takes any password
	s.Do("ACL", "SETUSER", "weir", "on", ">"+secret, "~*", "&*", "+@all")
	welcomes(t, "redis://weir:"+secret+"@"+s.Addr, s.Addr) // others need none
	s.Do("ACL", "SETUSER", "default", "resetpass", ">other", "nopass", "off")
	closed(t, "redis://weir:"+secret+"@"+s.Addr)
}

func TestARedisWithAPasswordMayBeAnywhere(t *testing.T) {
	s := redistest.Start(t, "--requirepass", secret)
	closed(t, s.URL())
	s.Do("ACL", "SETUSER", "weir", "on", ">"+secret, "~*", "&*", "+@all")
	s.Do("ACL", "SETUSER", "default", "nopass", "-@all", "+ping")
	closed(t, "redis://weir:"+secret+"@"+s.Addr) // nobody else may do anything
}

func TestOneNodeOfAClusterWithoutAPasswordIsEnough(t *testing.T) {
	c := redistest.StartCluster(t, 3, 0, "--requirepass", secret, "--masterauth", secret)
	closed(t, c.URL())
	c.Nodes[1].Do("ACL", "SETUSER", "default", "nopass")
	welcomes(t, c.URL(), c.Addrs[1])
}

func TestTheMasterOfSentinelsNeedsAPassword(t *testing.T) {
	g := redistest.StartSentinel(t)
	welcomes(t, g.URL(), g.Master().Addr)
	var log lines
	opens(t, g.URL(), redisconn.Options{Logger: log.logger()})
	if !log.has("level=WARN", "these sentinels ask for no password", g.Sentinels[0].Addr) {
		t.Errorf("the sentinels are not warned of: %s", &log)
	}
}

func TestTLSAloneIsNoPassword(t *testing.T) {
	s, files := redistest.StartTLS(t, "--tls-auth-clients", "no")
	welcomes(t, s.URL()+"?ca="+files.CA, s.Addr)
	s, files = redistest.StartTLS(t) // asks for a certificate
	closed(t, s.URL()+"?ca="+files.CA+"&cert="+files.Cert+"&key="+files.Key)
}
