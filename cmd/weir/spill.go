package main

import (
	"context"
	"errors"
	"fmt"

	"github.com/weir-analytics/weir/internal/backend"
	"github.com/weir-analytics/weir/internal/hot"
	"github.com/weir-analytics/weir/internal/spill"
)

// openSpill opens the log that takes events while the hot tier is away.
func (s *server) openSpill(ctx context.Context) error {
	if s.cmd.Spill == "" || !s.cmd.has(roleIngest) {
		return nil
	}
	local, err := backend.OpenSpillLog(s.cmd.Spill, s.cmd.DedupWindow, s.cmd.MinFree<<20, s.log)
	if errors.Is(err, hot.ErrBusy) {
		return fmt.Errorf("--spill: another weir uses %s: each node has a folder of its own: %w", s.cmd.Spill, err)
	}
	if err != nil {
		return fmt.Errorf("--spill: %w", err)
	}
	s.onClose(local.Close)
	s.spill, err = spill.New(ctx, &s.late.hot, local, spill.Options{
		MaxBytes: int64(s.cmd.SpillMax) << 20, Location: s.meta.Location, Logger: s.log, Registry: s.reg,
	})
	if err != nil {
		return fmt.Errorf("--spill: %w", err)
	}
	return nil
}
