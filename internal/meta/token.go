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

// Scope bounds what a token may do, whatever its role.
type Scope string

// The scopes.
const (
	ScopeRead  Scope = "read"  // look, as a viewer
	ScopeWrite Scope = "write" // all that the role allows
)

// Token is what the store knows of an API token.
type Token struct {
	ID        string
	Name      string
	Last4     string
	Scope     Scope
	Admin     bool      // good for the whole server; ProjectID and Role say nothing
	ProjectID string    // else good for this project
	Role      weir.Role // in it
	CreatedAt time.Time
}

// bootstrapID is the id of the admin token that the server's settings name or
// its first start made. There is one at a time.
const bootstrapID = "bootstrap"

// NewToken is a token to make.
type NewToken struct {
	Name      string
	Scope     Scope
	Admin     bool
	ProjectID string // unless Admin
	Role      weir.Role
}

// CreateToken makes an API token and returns it, this once. Errors: EINVALID,
// ENOTFOUND for the project.
func (s *Store) CreateToken(ctx context.Context, n NewToken) (t *Token, secret string, err error) {
	t = &Token{Scope: n.Scope, Admin: n.Admin, ProjectID: n.ProjectID, Role: n.Role, CreatedAt: s.clock.Now()}
	if t.Name, err = normalName(n.Name); err != nil {
		return nil, "", err
	}
	switch {
	case t.Scope != ScopeRead && t.Scope != ScopeWrite:
		return nil, "", weir.Errorf(weir.EINVALID, "scope: read or write")
	case t.Admin && (t.ProjectID != "" || t.Role != weir.RoleNone):
		return nil, "", weir.Errorf(weir.EINVALID, "an admin token is for no single project")
	case !t.Admin && (t.Role <= weir.RoleNone || t.Role > weir.RoleOwner):
		return nil, "", weir.Errorf(weir.EINVALID, "role: viewer, editor, admin or owner")
	}
	if !t.Admin {
		if _, err := s.Project(ctx, t.ProjectID); err != nil {
			return nil, "", fmt.Errorf("meta: create token: %w", err)
		}
	}
	if t.ID, err = s.newID(); err != nil {
		return nil, "", fmt.Errorf("meta: create token: %w", err)
	}
	if secret, err = s.newSecret(TokenPrefix); err != nil {
		return nil, "", fmt.Errorf("meta: create token: %w", err)
	}
	t.Last4 = last4(secret)
	if err := addToken(ctx, s.write, t, secret); err != nil {
		return nil, "", fmt.Errorf("meta: create token: %w", err)
	}
	s.tokens.forget()
	return t, secret, nil
}

func addToken(ctx context.Context, db execer, t *Token, secret string) error {
	project := sql.NullString{String: t.ProjectID, Valid: t.ProjectID != ""}
	_, err := db.ExecContext(ctx, `INSERT INTO tokens (id, hash, name, last4, scope, admin, project_id, role, created_at)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)`,
		t.ID, hashSecret(secret), t.Name, t.Last4, string(t.Scope), flag(t.Admin), project, t.Role.String(), micros(t.CreatedAt))
	return err
}

// EnsureAdminToken makes secret the bootstrap admin token, in place of a former
// one. Without a secret it keeps the one that there is, or else makes one and
// returns it: this once, as only its hash is stored. Errors: EINVALID for a
// secret that looks like a write key.
func (s *Store) EnsureAdminToken(ctx context.Context, secret string) (made string, err error) {
	if strings.HasPrefix(secret, KeyPrefix) {
		return "", weir.Errorf(weir.EINVALID, "the admin token must not begin with %s: that is a write key", KeyPrefix)
	}
	err = s.inTx(ctx, func(tx *sql.Tx) error {
		if secret == "" {
			var n int
			if err := tx.QueryRowContext(ctx, `SELECT count(*) FROM tokens WHERE id = ?`, bootstrapID).Scan(&n); err != nil {
				return err
			}
			if n > 0 {
				return nil
			}
			var err error
			if secret, err = s.newSecret(TokenPrefix); err != nil {
				return err
			}
			made = secret
		}
		if _, err := tx.ExecContext(ctx, `DELETE FROM tokens WHERE id = ?`, bootstrapID); err != nil {
			return err
		}
		return addToken(ctx, tx, &Token{
			ID: bootstrapID, Name: "bootstrap", Last4: last4(secret), Scope: ScopeWrite, Admin: true, CreatedAt: s.clock.Now(),
		}, secret)
	})
	if err != nil {
		return "", fmt.Errorf("meta: ensure admin token: %w", err)
	}
	s.tokens.forget()
	return made, nil
}

// Token is the token of a secret. It is shared: do not change it. Errors:
// ENOTFOUND.
func (s *Store) Token(ctx context.Context, secret string) (*Token, error) {
	hash := hashSecret(secret)
	return s.tokens.get(ctx, hash, func(ctx context.Context) (*Token, error) { return s.readToken(ctx, hash) })
}

func (s *Store) readToken(ctx context.Context, hash string) (*Token, error) {
	var t Token
	var admin, created int64
	var scope, role string
	var project sql.NullString
	err := s.read.QueryRowContext(ctx, `SELECT id, name, last4, scope, admin, project_id, role, created_at
		FROM tokens WHERE hash = ?`, hash).
		Scan(&t.ID, &t.Name, &t.Last4, &scope, &admin, &project, &role, &created)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, weir.Errorf(weir.ENOTFOUND, "unknown token")
	}
	if err != nil {
		return nil, fmt.Errorf("meta: token: %w", err)
	}
	t.Scope, t.Admin, t.ProjectID, t.CreatedAt = Scope(scope), admin != 0, project.String, fromMicros(created)
	t.Role, _ = weir.ParseRole(role)
	return &t, nil
}

// RevokeToken ends a token. Errors: ENOTFOUND.
func (s *Store) RevokeToken(ctx context.Context, id string) error {
	ok, err := inserted(s.write.ExecContext(ctx, `DELETE FROM tokens WHERE id = ?`, id))
	if err != nil {
		return fmt.Errorf("meta: revoke token: %w", err)
	}
	if !ok {
		return weir.Errorf(weir.ENOTFOUND, "no such token")
	}
	s.tokens.forget()
	return nil
}
