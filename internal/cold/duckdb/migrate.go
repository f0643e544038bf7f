package duckdb

import (
	"context"
	"database/sql"
	"embed"
	"fmt"
	"io/fs"
	"path"
	"strconv"
	"strings"

	"github.com/weir-analytics/weir/internal/cold"
)

//go:embed migrations/*.sql
var migrations embed.FS

// migrate brings the tables to the newest version, one transaction a step.
func migrate(db *sql.DB) error {
	if _, err := db.Exec("CREATE TABLE IF NOT EXISTS schema_version (version INTEGER PRIMARY KEY, applied_at TIMESTAMP NOT NULL)"); err != nil {
		return fmt.Errorf("migrate: %w", err)
	}
	var have int
	if err := db.QueryRow("SELECT coalesce(max(version), 0) FROM schema_version").Scan(&have); err != nil {
		return fmt.Errorf("migrate: read the version: %w", err)
	}
	files, err := fs.Glob(migrations, "migrations/*.sql") // sorted by name, so by version
	if err != nil {
		return fmt.Errorf("migrate: %w", err)
	}
	if have > len(files) {
		return fmt.Errorf("%w: its tables have version %d, this program knows up to %d: upgrade Weir", cold.ErrNewer, have, len(files))
	}
	for i, name := range files {
		version := i + 1
		if n, err := strconv.Atoi(strings.SplitN(path.Base(name), "_", 2)[0]); err != nil || n != version {
			return fmt.Errorf("migrate: %s should have number %d", name, version)
		}
		if version <= have {
			continue
		}
		if err := step(db, name, version); err != nil {
			return fmt.Errorf("migrate: to version %d: %w", version, err)
		}
	}
	return nil
}

func step(db *sql.DB, name string, version int) error {
	text, err := migrations.ReadFile(name)
	if err != nil {
		return err
	}
	tx, err := db.BeginTx(context.Background(), nil)
	if err != nil {
		return err
	}
	defer func() { _ = tx.Rollback() }() // does nothing after a commit
	if _, err := tx.Exec(string(text)); err != nil {
		return err
	}
	if _, err := tx.Exec("INSERT INTO schema_version VALUES (?, now()::TIMESTAMP)", version); err != nil {
		return err
	}
	return tx.Commit()
}
