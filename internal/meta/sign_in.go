package meta

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
)

// SignIn is how people sign in to the server.
type SignIn struct {
	// RequireSecondFactor lets people with a password and no second factor do nothing but set
	// one up.
	RequireSecondFactor bool `json:",omitempty"`
}

const signInSetting = "sign_in"

// SignIn returns how people sign in. It is cached, and shared: do not change it.
func (s *Store) SignIn(ctx context.Context) (*SignIn, error) {
	return s.signIn.get(ctx, signInSetting, func(ctx context.Context) (*SignIn, error) { return readSignIn(ctx, s.read) })
}

// rowQuerier is a *sql.DB or *sql.Tx.
type rowQuerier interface {
	QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row
}

func readSignIn(ctx context.Context, db rowQuerier) (*SignIn, error) {
	var text string
	var in SignIn
	err := db.QueryRowContext(ctx, `SELECT value FROM settings WHERE name = ?`, signInSetting).Scan(&text)
	if err == nil {
		err = json.Unmarshal([]byte(text), &in)
	}
	if err != nil && !errors.Is(err, sql.ErrNoRows) {
		return nil, fmt.Errorf("meta: sign-in settings: %w", err)
	}
	return &in, nil
}

// ChangeSignIn changes how people sign in, as change says. Errors: those of change.
func (s *Store) ChangeSignIn(ctx context.Context, change func(*SignIn) error) (*SignIn, error) {
	var in *SignIn
	err := s.inTx(ctx, func(tx *sql.Tx) (err error) {
		if in, err = readSignIn(ctx, tx); err != nil {
			return err
		}
		if err := change(in); err != nil {
			return err
		}
		text, err := json.Marshal(in)
		if err != nil {
			return err
		}
		_, err = tx.ExecContext(ctx, `INSERT INTO settings (name, value) VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET value = excluded.value`, signInSetting, string(text))
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("meta: change sign-in settings: %w", err)
	}
	s.changed()
	return in, nil
}
