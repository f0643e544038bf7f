package clickhouse

import (
	"context"
	"io/fs"
)

// Bindings is bindings, for tests.
func Bindings(query string, args []any) (string, []any, error) { return bindings(query, args) }

// Render makes the statements of the store's migrations for a URL.
func Render(u *URL, tuning []string) ([]string, error) {
	return (&Store{url: u}).render(migrations, "migrations/0001_schema.sql", tuning)
}

// Migrate runs other migrations than the store's own.
func (s *Store) Migrate(ctx context.Context, steps fs.FS) error { return s.migrate(ctx, steps) }

// Steps are the store's own migrations.
func Steps() fs.FS { return migrations }
