package main

import (
	"context"
	"fmt"
	"log/slog"
	"path/filepath"
	"time"

	"github.com/weir-analytics/weir/internal/cold"
	"github.com/weir-analytics/weir/internal/cold/clickhouse"
	"github.com/weir-analytics/weir/internal/cold/duckdb"
	"github.com/weir-analytics/weir/internal/redisconn"
)

// coldWait is how long a command waits for a ClickHouse that is not there yet. A
// server waits for ever.
const coldWait = 30 * time.Second

func (c *serveCmd) checkCold() error { return checkColdURL("cold", c.Cold) }

// checkColdURL checks the address of a cold tier that a flag gives; "" is the
// default.
func checkColdURL(flag, url string) error {
	var err error
	if clickhouse.IsURL(url) {
		if _, err = clickhouse.Parse(url); err != nil {
			err = fmt.Errorf("--%s: %w", flag, err)
		}
	} else {
		_, err = storeURL(flag, url, "duckdb", "")
	}
	return err
}

// coldAlone says whether the cold tier is a file, which one process may have open.
func (c *serveCmd) coldAlone() bool { return !clickhouse.IsURL(c.Cold) }

func (c *serveCmd) openCold(ctx context.Context, log *slog.Logger) (cold.Store, error) {
	return openColdURL(ctx, redisconn.Forever, "cold", c.Cold, filepath.Join(c.Data, "cold.duckdb"), duckdb.Options{Memory: int64(c.parts.Cold), Logger: log})
}

// openColdURL opens the cold tier that a flag names; file is its default, and o for a
// file.
func openColdURL(ctx context.Context, wait time.Duration, flag, url, file string, o duckdb.Options) (cold.Store, error) {
	if clickhouse.IsURL(url) {
		u, err := clickhouse.Parse(url)
		if err != nil {
			return nil, fmt.Errorf("--%s: %w", flag, err)
		}
		s, err := clickhouse.Open(ctx, u, clickhouse.Options{Wait: wait, Logger: o.Logger})
		if err != nil {
			return nil, fmt.Errorf("--%s: %w", flag, err)
		}
		return s, nil
	}
	file, err := storeURL(flag, url, "duckdb", file)
	if err != nil {
		return nil, err
	}
	s, err := duckdb.Open(file, o)
	if err != nil {
		return nil, err // and no *duckdb.Store that is nil in a Store that is not
	}
	return s, nil
}
