package clickhouse

import (
	"context"
	"io/fs"

	"github.com/ClickHouse/ch-go/proto"
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

// Retry is retry.
func Retry(ctx context.Context, f func() error) error { return retry(ctx, f) }

// Setting is a setting's value in a question, and in an insert, over the connections of a
// store.
func (s *Store) Setting(ctx context.Context, name string) (question, insert string, err error) {
	q := "SELECT toString(getSetting('" + name + "')) AS v"
	if err := s.db.QueryRowContext(ctx, q).Scan(&question); err != nil {
		return "", "", err
	}
	c, err := s.writer.acquire(ctx)
	if err != nil {
		return "", "", err
	}
	var v proto.ColStr
	err = c.ask(ctx, q, nil, nil, proto.Results{{Name: "v", Data: &v}}, func() {
		if v.Rows() > 0 {
			insert = v.First()
		}
	})
	s.writer.give(c, err)
	return question, insert, err
}
