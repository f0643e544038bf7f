package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/weir-analytics/weir/internal/backend"
	"github.com/weir-analytics/weir/internal/meta"
)

// copyMeta copies users, projects, keys and what belongs to them to an empty store.
func (c *migrateCmd) copyMeta(ctx context.Context, stdout io.Writer) (err error) {
	from, to, err := c.metas()
	if err := misuse(err); err != nil {
		return err
	}
	source, err := meta.Open(ctx, from.Where, nil)
	if err != nil {
		return fmt.Errorf("--from: %w", err)
	}
	defer func() { err = errors.Join(err, source.Close()) }()
	destination, err := meta.Open(ctx, to.Where, nil)
	if err != nil {
		return fmt.Errorf("--to: %w", err)
	}
	defer func() { err = errors.Join(err, destination.Close()) }()
	rows, err := meta.Copy(ctx, source, destination)
	if err != nil {
		return fmt.Errorf("migrate: %w", err)
	}
	_, err = fmt.Fprintf(stdout, "%s rows are there. Start Weir with --meta on the new store, and with the same key ring\n", thousands(int64(rows)))
	return err
}

// metas reads the URLs of the meta stores.
func (c *migrateCmd) metas() (from, to backend.Meta, err error) {
	if len(c.Project) > 0 || c.Recheck {
		return from, to, errors.New("--project and --recheck are not for --meta: it copies all")
	}
	if from, err = backend.ParseMeta(c.From, ""); err != nil {
		return from, to, fmt.Errorf("--from: %w", err)
	}
	if to, err = backend.ParseMeta(c.To, ""); err != nil {
		return from, to, fmt.Errorf("--to: %w", err)
	}
	if from.File != "" {
		// It would be made when it is opened.
		if _, err := os.Stat(from.File); err != nil {
			return from, to, fmt.Errorf("--from: %w", err)
		}
	}
	return from, to, nil
}
