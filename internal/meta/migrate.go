package meta

import (
	"context"
	"database/sql"
	"embed"
	"fmt"
	"io/fs"
	"path"
	"strconv"
	"strings"
)

//go:embed migrations/*.sql
var migrationFiles embed.FS

// migrate applies the migrations that the store lacks, each in a transaction
// of its own. Files only ever get added. Errors: ErrNewer.
func (s *Store) migrate(ctx context.Context) error {
	names, err := migrationNames(migrationFiles)
	if err != nil {
		return fmt.Errorf("list migrations: %w", err)
	}
	err = s.inTx(ctx, func(tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, `CREATE TABLE IF NOT EXISTS schema_version (version BIGINT NOT NULL)`)
		return err
	})
	if err != nil {
		return fmt.Errorf("make schema_version: %w", err)
	}
	for done := false; !done; {
		err := s.inTx(ctx, func(tx *sql.Tx) error {
			// Read within the transaction: another process may be migrating too.
			var version int
			err := tx.QueryRowContext(ctx, `SELECT coalesce(max(version), 0) FROM schema_version`).Scan(&version)
			if err != nil {
				return fmt.Errorf("read schema version: %w", err)
			}
			if version > len(names) {
				return fmt.Errorf("%w: its schema is version %d and this one knows %d", ErrNewer, version, len(names))
			}
			if version == len(names) {
				done = true
				return nil
			}
			return s.apply(ctx, tx, names[version], version+1)
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// migrationNames lists the migrations: the N-th has the number N. With a gap or with a number
// twice, a later version would take another file for the N-th.
func migrationNames(files fs.FS) ([]string, error) {
	names, err := fs.Glob(files, "migrations/*.sql") // sorted
	if err != nil {
		return nil, err
	}
	for i, name := range names {
		number, _, _ := strings.Cut(path.Base(name), "_")
		if n, err := strconv.Atoi(number); err != nil || n != i+1 {
			return nil, fmt.Errorf("%s should have number %d", name, i+1)
		}
	}
	return names, nil
}

func (s *Store) apply(ctx context.Context, tx *sql.Tx, name string, version int) error {
	text, err := migrationFiles.ReadFile(name)
	if err != nil {
		return fmt.Errorf("read %s: %w", name, err)
	}
	if _, err := tx.ExecContext(ctx, s.ddl(string(text))); err != nil {
		return fmt.Errorf("apply %s: %w", name, err)
	}
	if _, err := tx.ExecContext(ctx, `INSERT INTO schema_version (version) VALUES (?)`, version); err != nil {
		return fmt.Errorf("apply %s: %w", name, err)
	}
	return nil
}
