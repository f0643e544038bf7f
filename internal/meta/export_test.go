package meta

import (
	"context"
	"database/sql"
	"fmt"
	"slices"
	"strings"
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

// Dump returns all rows as text, by table, in the order of their columns.
func (s *Store) Dump(ctx context.Context) (map[string][]string, error) {
	names, err := tables()
	if err != nil {
		return nil, err
	}
	tx, err := s.read.BeginTx(ctx, &sql.TxOptions{ReadOnly: true})
	if err != nil {
		return nil, err
	}
	defer func() { _ = tx.Rollback() }()
	all := map[string][]string{}
	for _, name := range names {
		columns, err := columnsOf(ctx, tx, name)
		if err != nil {
			return nil, err
		}
		slices.Sort(columns)
		all[name] = []string{}
		for offset := 0; ; offset += copiedAtOnce {
			list := strings.Join(columns, ", ")
			values, err := valuesOf(ctx, tx, "SELECT "+list+" FROM "+name+" ORDER BY "+list+" LIMIT ? OFFSET ?", len(columns), offset)
			if err != nil {
				return nil, err
			}
			for row := range slices.Chunk(values, len(columns)) {
				all[name] = append(all[name], fmt.Sprintln(row...))
			}
			if len(values) < copiedAtOnce*len(columns) {
				break
			}
		}
		slices.Sort(all[name])
	}
	return all, nil
}
