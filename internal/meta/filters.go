package meta

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	weir "github.com/weir-analytics/weir"
)

// SetAddressFilters gives a project these filters in the place of those it had. Errors: ENOTFOUND.
func (s *Store) SetAddressFilters(ctx context.Context, id string, filters weir.AddressFilters) error {
	// In spite of its name, inserted says whether a row was changed.
	ok, err := inserted(s.write.ExecContext(ctx, `UPDATE projects SET address_filters = ? WHERE id = ?`, strings.Join(filters.Strings(), ","), id))
	if err != nil {
		return fmt.Errorf("meta: set address filters: %w", err)
	}
	if !ok {
		return weir.Errorf(weir.ENOTFOUND, "no such project")
	}
	s.changed()
	return nil
}

// ChangeBotRules changes what counts as a bot in a project, and returns it as it is then. Nobody
// else changes it in between. Errors: EINVALID, ENOTFOUND; then nothing changes.
func (s *Store) ChangeBotRules(ctx context.Context, id string, change func(*weir.BotRules)) (r weir.BotRules, err error) {
	err = s.inTx(ctx, func(tx *sql.Tx) error {
		var text string
		err := tx.QueryRowContext(ctx, `SELECT bot_rules FROM projects WHERE id = ?`, id).Scan(&text)
		if errors.Is(err, sql.ErrNoRows) {
			return weir.Errorf(weir.ENOTFOUND, "no such project")
		}
		if err != nil {
			return err
		}
		r = readBotRules(text)
		change(&r)
		if r, err = r.Normal(); err != nil {
			return err
		}
		b, err := json.Marshal(r)
		if err != nil {
			return err
		}
		_, err = tx.ExecContext(ctx, `UPDATE projects SET bot_rules = ? WHERE id = ?`, string(b), id)
		return err
	})
	if err != nil {
		return weir.BotRules{}, fmt.Errorf("meta: change bot rules: %w", err)
	}
	s.changed()
	return r, nil
}

// readAddressFilters returns the filters that a row has. Those that cannot be read, since a later
// version stored them, count as none.
func readAddressFilters(text string) weir.AddressFilters {
	if text == "" {
		return nil
	}
	filters, _ := weir.ParseAddressFilters(strings.Split(text, ","))
	return filters
}

// readBotRules returns the rules that a row has. Rules that cannot be read, since a later version
// stored them, count as none.
func readBotRules(text string) (r weir.BotRules) {
	if text == "" || json.Unmarshal([]byte(text), &r) != nil {
		return weir.BotRules{}
	}
	return r
}
