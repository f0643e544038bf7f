package main

import (
	"errors"
	"fmt"

	"github.com/weir-analytics/weir/internal/insight"
	"github.com/weir-analytics/weir/internal/memory"
	"github.com/weir-analytics/weir/internal/process"
)

// divide makes the budget's parts of the flags.
func (c *serveCmd) divide() error {
	if c.ColdMemory != 0 && c.cold.Shared {
		return errors.New("--cold-memory is for a DuckDB file; for ClickHouse there is max_memory in its address")
	}
	u := memory.Uses{Hot: !c.hot.Shared, Cold: c.usesCold() && !c.cold.Shared, ColdLimit: c.ColdMemory}
	if !u.Cold {
		u.ColdLimit = 0
	}
	total := c.Memory
	if total == 0 {
		n, err := memory.Available()
		if err != nil {
			return fmt.Errorf("--memory is missing: %w", err)
		}
		// A machine that is too small is no fault of the flags.
		total = max(n, memory.Least)
	}
	var err error
	if c.parts, err = memory.Divide(total, u); err == nil {
		return nil
	}
	switch {
	case u.ColdLimit > 0 && u.ColdLimit < memory.LeastCold:
		return fmt.Errorf("--cold-memory: %w", err)
	case u.ColdLimit > 0:
		return fmt.Errorf("--memory, --cold-memory: %w", err)
	default:
		return fmt.Errorf("--memory: %w", err)
	}
}

// watchMemory shows what the parts use; engine is nil on a node that answers no questions.
func (s *server) watchMemory(engine *insight.Engine) {
	m := process.NewMemoryMetrics(s.cmd.parts, process.Stores{Hot: s.tier.Memory, Cold: s.coldMemory})
	if s.drain != nil {
		m.Use("visits", s.drain.CachedStateBytes)
	}
	if s.ingest != nil {
		m.Use("bodies", s.bodies.Held)
	}
	if engine != nil {
		m.Use("answers", engine.Held)
	}
	m.Use("kept_answers", func() int64 { return int64(s.answers.Bytes()) })
	s.reg.MustRegister(m)
}
