package redistest

import (
	"errors"
	"fmt"
	"net"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/weir-analytics/weir/internal/servertest"
)

const slots = 16384

// Cluster is a Redis Cluster. The slots are spread evenly over the masters, which
// come first in Nodes.
type Cluster struct {
	Nodes []*Server
	Addrs []string // of Nodes

	t testing.TB
}

// StartCluster starts a cluster of masters, each with that many replicas, and
// waits until all nodes agree that it is well, which takes some three seconds. A
// node that is silent for two seconds counts as failed. args are for every node;
// see Start.
func StartCluster(t testing.TB, masters, replicas int, args ...string) *Cluster {
	t.Helper()
	bin := find(t, "redis-server")
	c := &Cluster{t: t}
	for range masters * (1 + replicas) {
		s := newServer(t, bin, slices.Concat([]string{
			"--cluster-enabled", "yes", "--cluster-node-timeout", "2000",
			"--cluster-allow-replica-migration", "no", // replicas stay where the test put them
			"--repl-diskless-sync-delay", "0",
		}, args))
		s.launch()
		c.Nodes = append(c.Nodes, s)
		c.Addrs = append(c.Addrs, s.Addr)
	}
	for _, s := range c.Nodes {
		s.waitReady()
	}
	c.assign(masters)
	c.meet()
	c.replicate(masters)
	c.WaitOK()
	return c
}

// assign gives the masters their slots, and each node an epoch of its own, so that
// they need not settle who yields.
func (c *Cluster) assign(masters int) {
	c.t.Helper()
	for i, s := range c.Nodes {
		s.Do("CLUSTER", "SET-CONFIG-EPOCH", strconv.Itoa(i+1))
		if i < masters {
			s.Do("CLUSTER", "ADDSLOTSRANGE", strconv.Itoa(i*slots/masters), strconv.Itoa((i+1)*slots/masters-1))
		}
	}
}

// meet introduces every node to every other, which is faster than gossip.
func (c *Cluster) meet() {
	c.t.Helper()
	for i, a := range c.Nodes {
		for _, b := range c.Nodes[i+1:] {
			host, port := b.hostPort()
			a.Do("CLUSTER", "MEET", host, port)
		}
	}
	servertest.Wait(c.t, "nodes of the cluster meet", c.eachRunning(c.known))
}

func (c *Cluster) replicate(masters int) {
	c.t.Helper()
	for i, s := range c.Nodes[masters:] {
		id := c.Nodes[i%masters].Do("CLUSTER", "MYID")
		s.Do("CLUSTER", "REPLICATE", id)
	}
	replicas := len(c.Nodes) - masters
	servertest.Wait(c.t, "nodes of the cluster see its replicas", c.eachRunning(func(s *Server) error {
		nodes, err := s.nodes()
		if err != nil {
			return err
		}
		n := 0
		for _, node := range nodes {
			if node.is("slave") {
				n++
			}
		}
		if n != replicas {
			return fmt.Errorf("%s sees %d of %d replicas", s.Addr, n, replicas)
		}
		return nil
	}))
}

// WaitOK waits until every running node says that the cluster is well and sees all
// running nodes, and every running replica follows its master. Use it after a
// Restart or a failover.
func (c *Cluster) WaitOK() {
	c.t.Helper()
	servertest.Wait(c.t, "the cluster is well", c.eachRunning(func(s *Server) error {
		if err := c.known(s); err != nil {
			return err
		}
		info, err := s.look("CLUSTER", "INFO")
		if err != nil {
			return err
		}
		for _, line := range []string{"cluster_state:ok", fmt.Sprint("cluster_slots_assigned:", slots)} {
			if !strings.Contains(info, line+"\r\n") {
				return fmt.Errorf("%s does not say %s", s.Addr, line)
			}
		}
		return s.followsWell()
	}))
}

// followsWell is nil for a master, and for a replica that is in step with one.
func (s *Server) followsWell() error {
	info, err := s.look("INFO", "replication")
	if err != nil {
		return err
	}
	if strings.Contains(info, "role:slave") && !strings.Contains(info, "master_link_status:up") {
		return fmt.Errorf("%s has no link to its master", s.Addr)
	}
	return nil
}

// known is an error while s does not see some running node as one that is well.
func (c *Cluster) known(s *Server) error {
	nodes, err := s.nodes()
	if err != nil {
		return err
	}
	for _, other := range c.Nodes {
		if other.PID() == 0 {
			continue
		}
		i := slices.IndexFunc(nodes, func(n node) bool { return n.addr == other.Addr })
		switch {
		case i < 0:
			return fmt.Errorf("%s does not know %s", s.Addr, other.Addr)
		case nodes[i].is("handshake", "fail", "fail?", "noaddr") || !nodes[i].linked:
			return fmt.Errorf("%s sees %s as %v, linked: %v", s.Addr, other.Addr, nodes[i].flags, nodes[i].linked)
		}
	}
	return nil
}

func (c *Cluster) eachRunning(ok func(*Server) error) func() error {
	return func() error {
		for _, s := range c.Nodes {
			if s.PID() == 0 {
				continue
			}
			if err := ok(s); err != nil {
				return err
			}
		}
		return nil
	}
}

// URL names the first three nodes: redis+cluster://h1,h2,h3.
func (c *Cluster) URL() string {
	first := c.Nodes[0]
	return "redis+cluster://" + first.userinfo() + strings.Join(c.Addrs[:min(3, len(c.Addrs))], ",")
}

// Slot is the slot of a key.
func (c *Cluster) Slot(key string) int {
	c.t.Helper()
	var reply string
	servertest.Wait(c.t, "slot of "+key, func() error {
		err := errors.New("no node runs")
		for _, s := range c.Nodes {
			if reply, err = s.look("CLUSTER", "KEYSLOT", key); err == nil {
				break
			}
		}
		return err
	})
	slot, err := strconv.Atoi(reply)
	if err != nil {
		c.t.Fatal(err)
	}
	return slot
}

// Owner is the master of a slot: of the nodes that answer and claim it, the one
// with the latest epoch. While there is none, as during a failover, it waits.
func (c *Cluster) Owner(slot int) *Server {
	c.t.Helper()
	var owner *Server
	servertest.Wait(c.t, fmt.Sprintf("owner of slot %d", slot), func() error {
		owner = nil
		latest := -1
		for _, s := range c.Nodes {
			nodes, err := s.nodes()
			if err != nil {
				continue // it is down, or hangs
			}
			for _, n := range nodes {
				if n.is("myself") && n.is("master") && n.owns(slot) && n.epoch > latest {
					owner, latest = s, n.epoch
				}
			}
		}
		if owner == nil {
			return errors.New("nobody's")
		}
		return nil
	})
	return owner
}

func (s *Server) hostPort() (host, port string) {
	s.t.Helper()
	host, port, err := net.SplitHostPort(s.Addr)
	if err != nil {
		s.t.Fatal(err)
	}
	return host, port
}
