package main

import (
	"errors"
	"fmt"
	"path/filepath"

	"github.com/weir-analytics/weir/internal/backend"
)

// checkStores reads the URLs of the stores, so that a mistake in one leaves no files behind.
func (c *serveCmd) checkStores() (err error) {
	if c.hot, err = backend.ParseHot(c.Hot, filepath.Join(c.Data, "hot")); err != nil {
		return fmt.Errorf("--hot: %w", err)
	}
	if c.cold, err = backend.ParseCold(c.Cold, filepath.Join(c.Data, "cold.duckdb")); err != nil {
		return fmt.Errorf("--cold: %w", err)
	}
	if c.meta, err = backend.ParseMeta(c.Meta, filepath.Join(c.Data, "meta.db")); err != nil {
		return fmt.Errorf("--meta: %w", err)
	}
	if c.KeyRing == "" {
		c.KeyRing = filepath.Join(c.Data, keyRingFile)
	}
	if c.Cache != "" {
		if c.cache, err = backend.ParseCache(c.Cache); err != nil {
			return fmt.Errorf("--cache: %w", err)
		}
	}
	if c.Spill != "" && !c.hot.Shared {
		return errors.New("--spill is for a hot tier that can be away: --hot redis://…")
	}
	if c.HotAck == ackReplica && !c.hot.Replicas {
		return errors.New("--hot-ack replica is for a hot tier with replicas: --hot redis+sentinel://… or redis+cluster://…")
	}
	return nil
}

// storePaths returns the stores that are on this machine.
func (c *serveCmd) storePaths() (paths []string) {
	for _, path := range []string{c.hot.Folder, c.cold.File, c.meta.File, c.Spill, filepath.Join(c.Data, keyRingFile)} {
		if path != "" {
			paths = append(paths, path)
		}
	}
	return paths
}

// folders returns those that the node writes to.
func (c *serveCmd) folders() []string {
	all := []string{c.Data}
	if c.meta.File != "" {
		all = append(all, filepath.Dir(c.meta.File))
	}
	if c.cold.File != "" {
		all = append(all, filepath.Dir(c.cold.File))
	}
	if c.Hot != "" && c.hot.Folder != "" { // the default one is in Data, and not there before it is opened
		all = append(all, c.hot.Folder)
	}
	if c.Spill != "" && c.has(roleIngest) {
		all = append(all, c.Spill)
	}
	return all
}
