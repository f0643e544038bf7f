package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	weir "github.com/weir-analytics/weir"
	"github.com/weir-analytics/weir/internal/meta"
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

// others are what a flag takes beside the embedded store.
var others = map[string]string{"hot": " or redis://HOST", "cold": " or clickhouse://HOST"}

// storeURL splits "scheme:rest", or makes it of the default.
func storeURL(flag, url, scheme, path string) (string, error) {
	if url == "" {
		return path, nil
	}
	got, rest, ok := strings.Cut(url, ":")
	if !ok || rest == "" {
		return "", fmt.Errorf("--%s: want %s:PATH%s", flag, scheme, others[flag])
	}
	if got != scheme {
		// Not all of it: it may hold a password.
		return "", fmt.Errorf("--%s %s:…: this version knows %s:PATH%s only", flag, got, scheme, others[flag])
	}
	return rest, nil
}

func (c *serveCmd) openMeta(ctx context.Context, clock weir.Clock) (*meta.Store, error) {
	file, err := storeURL("meta", c.Meta, "sqlite", filepath.Join(c.Data, "meta.db"))
	if err != nil {
		return nil, err
	}
	return meta.Open(ctx, file, clock)
}
