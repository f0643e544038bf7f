package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/weir-analytics/weir/internal/cold"
	"github.com/weir-analytics/weir/internal/cold/duckdb"
	"github.com/weir-analytics/weir/internal/hot"
	"github.com/weir-analytics/weir/internal/hot/pebble"
	"github.com/weir-analytics/weir/internal/hot/redis"
	"github.com/weir-analytics/weir/internal/meta"
	"github.com/weir-analytics/weir/internal/redisconn"
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

// storeURL splits "scheme:rest", or makes it of the default.
func storeURL(flag, url, scheme, path string) (string, error) {
	if url == "" {
		return path, nil
	}
	got, rest, ok := strings.Cut(url, ":")
	if !ok || rest == "" {
		return "", fmt.Errorf("--%s %q: want %s:PATH", flag, url, scheme)
	}
	if got != scheme {
		return "", fmt.Errorf("--%s %q: this version knows %s: only", flag, url, scheme)
	}
	return rest, nil
}

// openHot opens the hot tier and what closes it.
func (c *serveCmd) openHot(ctx context.Context, log *slog.Logger) (hot.Store, error) {
	if redisconn.IsURL(c.Hot) {
		return c.openRedis(ctx, log)
	}
	dir, err := storeURL("hot", c.Hot, "pebble", filepath.Join(c.Data, "hot"))
	if err != nil {
		return nil, err
	}
	s, err := pebble.Open(dir, pebble.Options{
		Shards: c.Shards, Window: c.DedupWindow, MinFree: c.MinFree << 20, Logger: log,
	})
	if errors.Is(err, hot.ErrBusy) {
		return nil, fmt.Errorf("another weir is running on the data folder %s: stop it, or use another --data: %w", c.Data, err)
	}
	if err != nil {
		return nil, err
	}
	return s, nil
}

// redisStore is a hot tier with the connections that it is on.
type redisStore struct {
	*redis.Store
	client rueidisClient
}

// redisWait is how long a start waits for a Redis that is not there yet.
const redisWait = 30 * time.Second

func (c *serveCmd) openRedis(ctx context.Context, log *slog.Logger) (hot.Store, error) {
	u, err := redisconn.Parse(c.Hot)
	if err != nil {
		return nil, fmt.Errorf("--hot: %w", err)
	}
	client, err := redisconn.Open(ctx, u, redisconn.Options{Wait: redisWait, Durable: true, Logger: log})
	if err != nil {
		return nil, fmt.Errorf("--hot: %w", err)
	}
	s, err := redis.Open(ctx, client, u.Prefix, redis.Options{
		Shards: c.Shards, Window: c.DedupWindow, AckReplica: c.HotAck == "replica", Logger: log,
	})
	if err != nil {
		client.Close()
		return nil, fmt.Errorf("--hot: %w", err)
	}
	return &redisStore{s, client}, nil
}

// Close closes the store, then its connections.
func (s *redisStore) Close() error {
	err := s.Store.Close()
	s.client.Close()
	return err
}

type rueidisClient = interface{ Close() }

func (c *serveCmd) openCold(log *slog.Logger) (cold.Store, error) {
	file, err := storeURL("cold", c.Cold, "duckdb", filepath.Join(c.Data, "cold.duckdb"))
	if err != nil {
		return nil, err
	}
	s, err := duckdb.Open(file, duckdb.Options{Logger: log})
	if err != nil {
		return nil, err // and no *duckdb.Store that is nil in a Store that is not
	}
	return s, nil
}

func (c *serveCmd) openMeta(ctx context.Context) (*meta.Store, error) {
	file, err := storeURL("meta", c.Meta, "sqlite", filepath.Join(c.Data, "meta.db"))
	if err != nil {
		return nil, err
	}
	return meta.Open(ctx, file, nil)
}
