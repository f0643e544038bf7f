package meta

import (
	"context"
	"time"
)

// Exec changes the file, past all checks.
func (s *Store) Exec(ctx context.Context, query string, args ...any) error {
	_, err := s.write.ExecContext(ctx, query, args...)
	return err
}

// TrimAuditTo is TrimAudit with other bounds.
func (s *Store) TrimAuditTo(ctx context.Context, before time.Time, most, mostRefused int) (int64, error) {
	return s.trimAudit(ctx, before, most, mostRefused)
}
