package main

import (
	"context"
	"fmt"
)

// joinFleet refuses a node that has another meta store than the nodes that share its hot
// tier: it would refuse their write keys, and senders would drop their events. The first
// node stores the id of its meta store in the hot tier.
func (s *server) joinFleet(ctx context.Context) error {
	before, err := s.tier.Fleet.Bind(ctx, s.meta.ID(), s.cmd.AdoptMeta)
	switch {
	case err != nil:
		return fmt.Errorf("--hot: %w", err)
	case before == "" || before == s.meta.ID():
		return nil
	case s.cmd.AdoptMeta:
		s.log.Warn("this node's meta store is the fleet's from now on; nodes with the former one will be refused at their next start",
			"meta", s.meta.ID(), "before", before)
		return nil
	}
	return fmt.Errorf("--meta: this node's store of users, projects and keys (id %s) is not that of the other nodes on this hot tier (id %s): "+
		"it would refuse their write keys, and senders would lose events. Give all nodes one --meta: on several machines postgres://…, to which weir migrate --meta brings those of a file. Or give this one a hot tier of its own (redis://…?prefix=NAME). "+
		"Was the fleet's store lost or replaced by this one? Then start one node once with --adopt-meta", s.meta.ID(), before)
}
