package meta

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"
	"time"

	weir "github.com/weir-analytics/weir"
)

// useEvery is how often at most the last use of a token is written.
const useEvery = time.Minute

const tokenColumns = `t.id, t.name, t.last4, t.scopes, t.admin, t.user_id, t.project_id, t.created_at, t.expires_at, t.last_used_at`

// Token returns the token of a secret, and notes that it is used. It reads the store each time, so that a
// token that any node revoked is good nowhere; while the store fails, it returns what it read
// in the last minute. The token is shared: do not change it. Errors: ENOTFOUND, also for one that has
// expired.
func (s *Store) Token(ctx context.Context, secret string) (*Token, error) {
	hash := hashSecret(secret)
	t, err := s.tokens.refresh(hash, func() (*Token, error) { return s.readToken(ctx, hash) })
	if err != nil {
		return nil, err
	}
	if !t.ExpiresAt.IsZero() && !s.clock.Now().Before(t.ExpiresAt) {
		return nil, weir.Errorf(weir.ENOTFOUND, "this token has expired")
	}
	s.noteUse(ctx, t)
	return t, nil
}

// noteUse writes when a token was used, at most once a minute. If that fails, the request
// goes on.
func (s *Store) noteUse(ctx context.Context, t *Token) {
	now := s.clock.Now()
	if now.Sub(t.LastUsedAt) < useEvery {
		return
	}
	_, _ = s.write.ExecContext(ctx, `UPDATE tokens SET last_used_at = ? WHERE id = ? AND (last_used_at IS NULL OR last_used_at <= ?)`,
		micros(now), t.ID, micros(now.Add(-useEvery)))
}

func (s *Store) readToken(ctx context.Context, hash string) (*Token, error) {
	t, err := scanToken(s.read.QueryRowContext(ctx, `SELECT `+tokenColumns+` FROM tokens t WHERE t.hash = ?`, hash))
	if errors.Is(err, sql.ErrNoRows) {
		return nil, weir.Errorf(weir.ENOTFOUND, "unknown token")
	}
	if err != nil {
		return nil, fmt.Errorf("meta: token: %w", err)
	}
	return t, nil
}

func scanToken(row scanner) (*Token, error) {
	var t Token
	var admin, created int64
	var scopes string
	var user, project sql.NullString
	var expires, used sql.NullInt64
	if err := row.Scan(&t.ID, &t.Name, &t.Last4, &scopes, &admin, &user, &project, &created, &expires, &used); err != nil {
		return nil, err
	}
	t.Admin, t.UserID, t.ProjectID, t.CreatedAt = admin != 0, user.String, project.String, fromMicros(created)
	t.Scopes = storedScopes(scopes)
	if expires.Valid {
		t.ExpiresAt = fromMicros(expires.Int64)
	}
	if used.Valid {
		t.LastUsedAt = fromMicros(used.Int64)
	}
	return &t, nil
}

// UserTokens returns a user's tokens, newest first.
func (s *Store) UserTokens(ctx context.Context, userID string) ([]Token, error) {
	return s.listTokens(ctx, `t.user_id = ?`, userID)
}

// ProjectTokens returns the tokens that belong to a project, newest first.
func (s *Store) ProjectTokens(ctx context.Context, projectID string) ([]Token, error) {
	return s.listTokens(ctx, `t.project_id = ? AND t.user_id IS NULL`, projectID)
}

func (s *Store) listTokens(ctx context.Context, where, id string) ([]Token, error) {
	rows, err := s.read.QueryContext(ctx, `SELECT `+tokenColumns+` FROM tokens t WHERE `+where+` ORDER BY t.created_at DESC, t.id`, id)
	return collect(rows, err, "tokens", scanToken)
}

// RevokeUserToken ends a user's token. Error: ENOTFOUND.
func (s *Store) RevokeUserToken(ctx context.Context, userID, id string) error {
	return s.revokeToken(ctx, id, `user_id = ?`, userID)
}

// RevokeProjectToken ends a project's token. Error: ENOTFOUND.
func (s *Store) RevokeProjectToken(ctx context.Context, projectID, id string) error {
	return s.revokeToken(ctx, id, `project_id = ? AND user_id IS NULL`, projectID)
}

// RevokeToken ends any token. Error: ENOTFOUND.
func (s *Store) RevokeToken(ctx context.Context, id string) error {
	return s.revokeToken(ctx, id, `'' = ?`, "")
}

func (s *Store) revokeToken(ctx context.Context, id, where, owner string) error {
	ok, err := inserted(s.write.ExecContext(ctx, `DELETE FROM tokens WHERE id = ? AND `+where, id, owner))
	if err != nil {
		return fmt.Errorf("meta: revoke token: %w", err)
	}
	if !ok {
		return weir.Errorf(weir.ENOTFOUND, "no such token")
	}
	s.changed()
	return nil
}

// storedScopes reads scopes as they are stored. A name that this version lacks is left out.
func storedScopes(text string) weir.Scopes {
	var all weir.Scopes
	for name := range strings.SplitSeq(text, ",") {
		if one, err := weir.ParseScopes(name); err == nil {
			all |= one
		}
	}
	return all
}
