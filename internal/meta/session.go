package meta

import (
	"context"
	"database/sql"
	"encoding/base64"
	"errors"
	"fmt"
	"time"

	"github.com/alexedwards/scs/v2"
)

// Sessions keeps login sessions, for an scs.SessionManager. Tokens are stored
// hashed, whatever the manager's HashTokenInStore says.
type Sessions struct{ s *Store }

var _ scs.CtxStore = (*Sessions)(nil)

// Sessions returns the store's login sessions.
func (s *Store) Sessions() *Sessions { return &Sessions{s} }

// FindCtx returns a session's data; found is false when there is none or it
// has expired.
func (x *Sessions) FindCtx(ctx context.Context, token string) (data []byte, found bool, err error) {
	var text string
	err = x.s.read.QueryRowContext(ctx, `SELECT data FROM sessions WHERE hash = ? AND expires_at > ?`,
		hashSecret(token), micros(x.s.clock.Now())).Scan(&text)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, false, nil
	}
	if err != nil {
		return nil, false, fmt.Errorf("meta: find session: %w", err)
	}
	if data, err = base64.StdEncoding.DecodeString(text); err != nil {
		return nil, false, fmt.Errorf("meta: find session: %w", err)
	}
	return data, true, nil
}

// CommitCtx stores a session, and clears expired ones away.
func (x *Sessions) CommitCtx(ctx context.Context, token string, data []byte, expiry time.Time) error {
	err := x.s.inTx(ctx, func(tx *sql.Tx) error {
		if _, err := tx.ExecContext(ctx, `DELETE FROM sessions WHERE expires_at <= ?`, micros(x.s.clock.Now())); err != nil {
			return err
		}
		_, err := tx.ExecContext(ctx, `INSERT INTO sessions (hash, data, expires_at) VALUES (?, ?, ?)
			ON CONFLICT (hash) DO UPDATE SET data = excluded.data, expires_at = excluded.expires_at`,
			hashSecret(token), base64.StdEncoding.EncodeToString(data), micros(expiry))
		return err
	})
	if err != nil {
		return fmt.Errorf("meta: commit session: %w", err)
	}
	return nil
}

// DeleteCtx ends a session; an unknown one is ended already.
func (x *Sessions) DeleteCtx(ctx context.Context, token string) error {
	if _, err := x.s.write.ExecContext(ctx, `DELETE FROM sessions WHERE hash = ?`, hashSecret(token)); err != nil {
		return fmt.Errorf("meta: delete session: %w", err)
	}
	return nil
}

// Find is FindCtx without a context, as scs.Store asks for.
func (x *Sessions) Find(token string) ([]byte, bool, error) {
	return x.FindCtx(context.Background(), token)
}

// Commit is CommitCtx without a context, as scs.Store asks for.
func (x *Sessions) Commit(token string, data []byte, expiry time.Time) error {
	return x.CommitCtx(context.Background(), token, data, expiry)
}

// Delete is DeleteCtx without a context, as scs.Store asks for.
func (x *Sessions) Delete(token string) error {
	return x.DeleteCtx(context.Background(), token)
}
