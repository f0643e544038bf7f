package meta

import (
	"context"
	"encoding/json"
	"fmt"

	weir "github.com/weir-analytics/weir"
)

// SetURLRules gives a project these URL rules in the place of those it had. Errors: EINVALID,
// ENOTFOUND.
func (s *Store) SetURLRules(ctx context.Context, id string, rules weir.URLRules) error {
	rules, err := rules.Normal()
	if err != nil {
		return err
	}
	text := ""
	if !rules.Empty() {
		b, err := json.Marshal(rules)
		if err != nil {
			return fmt.Errorf("meta: set URL rules: %w", err)
		}
		text = string(b)
	}
	// In spite of its name, inserted says whether a row was changed.
	ok, err := inserted(s.write.ExecContext(ctx, `UPDATE projects SET url_rules = ? WHERE id = ?`, text, id))
	if err != nil {
		return fmt.Errorf("meta: set URL rules: %w", err)
	}
	if !ok {
		return weir.Errorf(weir.ENOTFOUND, "no such project")
	}
	s.changed()
	return nil
}

// readURLRules returns the rules that a row has. Rules that cannot be read, since a later
// version stored them, count as none.
func readURLRules(text string) weir.URLRules {
	var rules weir.URLRules
	if text == "" || json.Unmarshal([]byte(text), &rules) != nil {
		return weir.URLRules{}
	}
	return rules
}
