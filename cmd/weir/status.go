package main

import (
	"context"
	"time"

	"github.com/weir-analytics/weir/internal/httpd"
)

// status returns the state of the node.
func (s *server) status(ctx context.Context) (httpd.Status, error) {
	of := s.tier.Status()
	st := httpd.Status{Roles: s.cmd.Roles, Hot: of.Shown}
	st.Drain.BehindEvents = of.Waiting
	if !s.cmd.hot.Shared { // such a node drains, since it is alone
		if n, err := s.drain.Behind(ctx); err == nil {
			st.Drain.BehindEvents = &n
		}
	}
	if s.drain == nil { // the log itself says how far behind the nodes are that drain
		st.Drain.LagSeconds = of.OldestSeconds
	} else if at := s.drain.AsOf(); !at.IsZero() {
		lag := max(0, time.Since(at).Seconds())
		st.Drain.LagSeconds = &lag
	}
	return st, nil
}
