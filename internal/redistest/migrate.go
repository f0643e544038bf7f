package redistest

import (
	"fmt"
	"slices"
	"strconv"

	"github.com/weir-analytics/weir/internal/servertest"
)

// MoveSlot moves a slot with all its keys to another master, and waits until every running
// node has the new owner.
func (c *Cluster) MoveSlot(slot int, to *Server) {
	c.t.Helper()
	c.move(slot, to, 100, func() {})
}

// MoveSlotSlowly is MoveSlot key by key. It calls between when the move has begun
// and no key has moved, and again after each key: the last time, when the slot is
// empty and still the old master's. Meanwhile the old master answers ASK for keys
// that it does not have, and both answer TRYAGAIN to a command of several keys if they have
// only some of them.
func (c *Cluster) MoveSlotSlowly(slot int, to *Server, between func()) {
	c.t.Helper()
	c.move(slot, to, 1, between)
}

func (c *Cluster) move(slot int, to *Server, step int, between func()) {
	c.t.Helper()
	from := c.Owner(slot)
	if from == to {
		return
	}
	n := strconv.Itoa(slot)
	fromID, toID := from.Do("CLUSTER", "MYID"), to.Do("CLUSTER", "MYID")
	// First the one that takes: else the other sends clients who find nobody home.
	to.Do("CLUSTER", "SETSLOT", n, "IMPORTING", fromID)
	from.Do("CLUSTER", "SETSLOT", n, "MIGRATING", toID)
	between()
	host, port := to.hostPort()
	migrate := []string{"MIGRATE", host, port, "", "0", "10000"}
	if to.password != "" {
		migrate = append(migrate, "AUTH", to.password)
	}
	migrate = append(migrate, "KEYS")
	for {
		keys := from.elements("CLUSTER", "GETKEYSINSLOT", n, strconv.Itoa(step))
		if len(keys) == 0 {
			break
		}
		from.Do(slices.Concat(migrate, keys)...) // NOKEY, of keys that expired meanwhile, is no error
		between()
	}
	// The one that takes raises its epoch with this: the others believe it.
	to.Do("CLUSTER", "SETSLOT", n, "NODE", toID)
	from.Do("CLUSTER", "SETSLOT", n, "NODE", toID)
	servertest.Wait(c.t, "all know the owner of slot "+n, c.eachRunning(func(s *Server) error {
		nodes, err := s.nodes()
		if err != nil {
			return err
		}
		for _, node := range nodes {
			if node.owns(slot) && node.id != toID {
				return fmt.Errorf("%s takes it for %s", s.Addr, node.addr)
			}
		}
		return nil
	}))
}
