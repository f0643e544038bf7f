package meta

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	weir "github.com/weir-analytics/weir"
)

// hotTierSetting is the setting with the hot tier of the nodes that share a store.
const hotTierSetting = "hot_tier"

// BindHot notes which hot tier has the events of the store's projects: that of the first node
// that asks, or with replace that of this one. So two nodes cannot each keep events of the same
// projects, and answer without the other's. It returns the hot tier that was noted before, "" for none. Error: ECONFLICT if another
// one is noted.
func (s *Store) BindHot(ctx context.Context, hotTier string, replace bool) (before string, err error) {
	err = s.inTx(ctx, func(tx *sql.Tx) error {
		err := tx.QueryRowContext(ctx, `SELECT value FROM settings WHERE name = ?`, hotTierSetting).Scan(&before)
		if err != nil && !errors.Is(err, sql.ErrNoRows) {
			return err
		}
		if before != "" && before != hotTier && !replace {
			return weir.Errorf(weir.ECONFLICT, "the store has another hot tier")
		}
		_, err = tx.ExecContext(ctx, `INSERT INTO settings (name, value) VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET value = excluded.value`, hotTierSetting, hotTier)
		return err
	})
	if err != nil {
		return before, fmt.Errorf("meta: bind the hot tier: %w", err)
	}
	return before, nil
}
