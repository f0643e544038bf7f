package redistest

import (
	"cmp"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/weir-analytics/weir/internal/servertest"
)

const (
	masterName    = "mymaster"
	followers     = 2
	sentinelCount = 3
)

// Sentinel is a master with two replicas, watched by three sentinels of which two
// decide. A master that is silent for one second counts as down.
type Sentinel struct {
	Sentinels []*Server
	Servers   []*Server // the first was the first master

	t testing.TB
}

// StartSentinel starts it and waits until the replicas follow, and the sentinels
// know them and each other. args are for the three redis-servers; see Start.
func StartSentinel(t testing.TB, args ...string) *Sentinel {
	t.Helper()
	bin, watcher := find(t, "redis-server"), find(t, "redis-sentinel")
	g := &Sentinel{t: t}
	for range 1 + followers {
		s := newServer(t, bin, slices.Concat([]string{"--repl-diskless-sync-delay", "0"}, args))
		if s.password != "" {
			s.args = append(s.args, "--masterauth", s.password)
		}
		s.launch()
		g.Servers = append(g.Servers, s)
	}
	for range sentinelCount {
		g.Sentinels = append(g.Sentinels, newSentinel(t, watcher))
	}
	for _, s := range g.Servers {
		s.waitReady()
	}
	// By command, not by argument: what Sentinel decides later must hold over a
	// restart.
	host, port := g.Servers[0].hostPort()
	for _, s := range g.Servers[1:] {
		s.Do("REPLICAOF", host, port)
		s.Do("CONFIG", "REWRITE")
	}
	servertest.Wait(t, "replicas follow", func() error { return g.follow(g.Servers[0]) })
	// A sentinel that finds a replica as it should be asks it again only after ten
	// seconds; so they start last.
	g.configure()
	for _, s := range g.Sentinels {
		s.launch()
	}
	for _, s := range g.Sentinels {
		s.waitReady()
	}
	g.WaitOK()
	return g
}

// newSentinel prepares one redis-sentinel that has yet to be configured.
func newSentinel(t testing.TB, bin string) *Server {
	t.Helper()
	s := newServer(t, bin, nil)
	s.args = []string{s.sentinelConf()}
	return s
}

func (s *Server) sentinelConf() string { return filepath.Join(s.Dir, "sentinel.conf") }

// configure writes the sentinels' files. They name everyone from the start:
// sentinels that find each other by themselves need several seconds.
func (g *Sentinel) configure() {
	g.t.Helper()
	ids := make([]string, len(g.Sentinels))
	for i := range ids {
		id := make([]byte, 20)
		_, _ = rand.Read(id) // never fails
		ids[i] = hex.EncodeToString(id)
	}
	for i, s := range g.Sentinels {
		var b strings.Builder
		line := func(words ...string) { fmt.Fprintln(&b, strings.Join(words, " ")) }
		of := func(option string, words ...string) {
			line(slices.Concat([]string{"sentinel", option, masterName}, words)...)
		}
		_, port := s.hostPort()
		line("port", port)
		line("bind", "127.0.0.1")
		line("dir", s.Dir)
		line("sentinel", "myid", ids[i])
		host, port := g.Servers[0].hostPort()
		line("sentinel", "monitor", masterName, host, port, "2")
		of("down-after-milliseconds", "1000")
		of("failover-timeout", "5000")
		of("parallel-syncs", "2")
		if p := g.Servers[0].password; p != "" {
			of("auth-pass", p)
		}
		for _, r := range g.Servers[1:] {
			host, port := r.hostPort()
			of("known-replica", host, port)
		}
		for j, other := range g.Sentinels {
			if other != s {
				host, port := other.hostPort()
				of("known-sentinel", host, port, ids[j])
			}
		}
		if err := os.WriteFile(s.sentinelConf(), []byte(b.String()), 0o600); err != nil {
			g.t.Fatal(err)
		}
	}
}

// URL is redis+sentinel://h1,h2,h3/mymaster, with the password of the servers if
// they have one; the sentinels have none.
func (g *Sentinel) URL() string {
	addrs := make([]string, len(g.Sentinels))
	for i, s := range g.Sentinels {
		addrs[i] = s.Addr
	}
	return "redis+sentinel://" + g.Servers[0].userinfo() + strings.Join(addrs, ",") + "/" + masterName
}

// Master is the one that the first running sentinel names, well or not.
func (g *Sentinel) Master() *Server {
	g.t.Helper()
	var master *Server
	servertest.Wait(g.t, "a sentinel names the master", func() error {
		err := errors.New("no sentinel runs")
		for _, s := range g.Sentinels {
			if s.PID() == 0 {
				continue
			}
			if master, err = g.masterOf(s); err == nil {
				return nil
			}
		}
		return err
	})
	return master
}

// masterOf is the master according to one sentinel.
func (g *Sentinel) masterOf(s *Server) (*Server, error) {
	reply, err := s.look("SENTINEL", "GET-MASTER-ADDR-BY-NAME", masterName)
	if err != nil {
		return nil, err
	}
	addr := strings.Replace(reply, "\n", ":", 1)
	for _, s := range g.Servers {
		if s.Addr == addr {
			return s, nil
		}
	}
	return nil, fmt.Errorf("%s names %s as master", s.Addr, addr)
}

// Replicas are the servers but the master, running or not.
func (g *Sentinel) Replicas() []*Server {
	g.t.Helper()
	master := g.Master()
	return slices.DeleteFunc(slices.Clone(g.Servers), func(s *Server) bool { return s == master })
}

// KillMaster kills the master and returns it; WaitFailover then waits for the next
// one.
func (g *Sentinel) KillMaster() *Server {
	g.t.Helper()
	old := g.Master()
	old.Kill()
	return old
}

// WaitFailover waits until the running sentinels agree on a master other than old
// and that one takes writes, and returns it. With a dead master that takes some
// three seconds.
func (g *Sentinel) WaitFailover(old *Server) *Server {
	g.t.Helper()
	var master *Server
	servertest.Wait(g.t, "failover from "+old.Addr, func() error {
		var err error
		if master, err = g.agreed(); err != nil {
			return err
		}
		if master == old {
			return fmt.Errorf("it is still the master")
		}
		role, err := master.look("ROLE")
		if err == nil && !strings.HasPrefix(role, "master\n") {
			err = fmt.Errorf("%s is a %.5s", master.Addr, role)
		}
		return err
	})
	return master
}

// Failover has the sentinels give the part of the master to a replica, while all
// are well, waits until that is done and returns the new master.
func (g *Sentinel) Failover() *Server {
	g.t.Helper()
	g.WaitOK()
	old := g.Master()
	servertest.Wait(g.t, "SENTINEL FAILOVER", func() error {
		// It refuses while it is at one already, or has not heard of a good replica
		// for a while.
		_, err := g.Sentinels[0].look("SENTINEL", "FAILOVER", masterName)
		return err
	})
	return g.WaitFailover(old)
}

// agreed is the master that all running sentinels name.
func (g *Sentinel) agreed() (*Server, error) {
	var master *Server
	for _, s := range g.Sentinels {
		if s.PID() == 0 {
			continue
		}
		m, err := g.masterOf(s)
		if err != nil {
			return nil, err
		}
		if cmp.Or(master, m) != m {
			return nil, fmt.Errorf("%s and %s are both named as master", master.Addr, m.Addr)
		}
		master = m
	}
	if master == nil {
		return nil, errors.New("no sentinel runs")
	}
	return master, nil
}

// WaitOK waits until the running sentinels agree on a master that runs, see all
// that run as they should be, and every running replica follows the master. Use it
// after a Restart or a failover.
func (g *Sentinel) WaitOK() {
	g.t.Helper()
	g.hurry()
	servertest.Wait(g.t, "master, replicas and sentinels are well", func() error {
		master, err := g.agreed()
		if err != nil {
			return err
		}
		for _, s := range g.Sentinels {
			if s.PID() == 0 {
				continue
			}
			if err := g.seesWell(s, master); err != nil {
				return err
			}
		}
		return g.follow(master)
	})
}
