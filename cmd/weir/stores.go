package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/weir-analytics/weir/internal/backend"
)

// dataFormat is raised when a data folder cannot be used by the version before.
const dataFormat = "1\n"

// claimData makes the data folder and refuses one of a newer version.
func claimData(dir string) error {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return fmt.Errorf("data folder: %w", err)
	}
	path := filepath.Join(dir, "FORMAT")
	got, err := os.ReadFile(path)
	switch {
	case errors.Is(err, os.ErrNotExist), err == nil && len(got) == 0:
		// A crash while the file was made leaves it empty; no store is older than it.
		if err := os.WriteFile(path, []byte(dataFormat), 0o600); err != nil {
			return fmt.Errorf("data folder: %w", err)
		}
		return nil
	case err != nil:
		return fmt.Errorf("data folder: %w", err)
	case string(got) != dataFormat:
		return fmt.Errorf("data folder %s has format %q, this version (%s) reads format %q: it was written by a newer version of Weir; "+
			"run that version, or restore a backup", dir, strings.TrimSpace(string(got)), version, strings.TrimSpace(dataFormat))
	}
	return nil
}

// checkStores reads the URLs of the stores, so that a mistake in one leaves no files behind.
func (c *serveCmd) checkStores() (err error) {
	if c.hot, err = backend.ParseHot(c.Hot, filepath.Join(c.Data, "hot")); err != nil {
		return fmt.Errorf("--hot: %w", err)
	}
	if c.cold, err = backend.ParseCold(c.Cold, filepath.Join(c.Data, "cold.duckdb")); err != nil {
		return fmt.Errorf("--cold: %w", err)
	}
	if c.metaFile, err = backend.ParseMeta(c.Meta, filepath.Join(c.Data, "meta.db")); err != nil {
		return fmt.Errorf("--meta: %w", err)
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
