package main

import (
	"context"
	"fmt"
	"strings"

	weir "github.com/weir-analytics/weir"
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

// bindHot refuses a node that has another hot tier than the one that the shared meta store knows: both
// would take events of the same projects, and each would answer without the other's. Nodes that share a hot
// tier are found by joinFleet; if a Redis was emptied, its nodes go on with a new log.
func (s *server) bindHot(ctx context.Context) error {
	if !s.cmd.meta.Shared {
		return nil
	}
	kind := "own "
	if s.cmd.hot.Shared {
		kind = "shared "
	}
	tier := kind + s.hot.ID()
	before, err := s.meta.BindHot(ctx, tier, s.cmd.AdoptHot)
	if weir.ErrorCode(err) == weir.ECONFLICT && s.cmd.hot.Shared && strings.HasPrefix(before, "shared ") {
		_, err = s.meta.BindHot(ctx, tier, true)
	}
	switch {
	case weir.ErrorCode(err) == weir.ECONFLICT:
		return fmt.Errorf("--meta, --hot: another hot tier than this node's (%s) has the events of the projects in this meta store (%s): this node would answer without its events, and the other way round. "+
			"Nodes that share PostgreSQL share a Redis too (--hot redis://…). Is the other one gone, or was it replaced? Then start one node once with --adopt-hot: what the other one had and its cold tier had not yet is lost", tier, before)
	case err != nil:
		return fmt.Errorf("--meta: %w", err)
	case before != "" && before != tier:
		s.log.Warn("this node's hot tier has the events of the meta store from now on; nodes with the former one will be refused at their next start", "hot", tier, "before", before)
	}
	return nil
}
