package meta

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	weir "github.com/weir-analytics/weir"
)

// Scope bounds what a token may do, whatever its role.
type Scope string

// The scopes.
const (
	ScopeRead  Scope = "read"  // look, as a viewer
	ScopeWrite Scope = "write" // all that the role allows
)

// Token is what is stored about an API token.
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
	t.ID = newID()
	secret = newSecret(TokenPrefix)
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

// MinAdminToken is the least length of an admin token that an operator chooses, in
// characters.
const MinAdminToken = 24

// CheckAdminToken says why secret cannot be the admin token. Error: EINVALID, which
// does not hold the secret.
func CheckAdminToken(secret string) error {
	switch {
	case strings.HasPrefix(secret, KeyPrefix):
		return weir.Errorf(weir.EINVALID, "the admin token must not begin with %s: that is a write key", KeyPrefix)
	case utf8.RuneCountInString(secret) < MinAdminToken:
		return weir.Errorf(weir.EINVALID, "the admin token has fewer than %d characters: take a random one, such as that of openssl rand -hex 20", MinAdminToken)
	case strings.TrimSpace(secret) != secret || strings.ContainsFunc(secret, unicode.IsControl):
		return weir.Errorf(weir.EINVALID, "the admin token has a space at an end, or a control character: no request could carry it")
	}
	return nil
}

// EnsureAdminToken makes secret the bootstrap admin token, in place of a former
// one: replaced says that there was another. Without a secret it keeps the one that
// there is, or else makes one and returns it: this once, as only its hash is stored.
// Errors: those of CheckAdminToken.
func (s *Store) EnsureAdminToken(ctx context.Context, secret string) (made string, replaced bool, err error) {
	if secret != "" {
		if err := CheckAdminToken(secret); err != nil {
			return "", false, err
		}
	}
	err = s.inTx(ctx, func(tx *sql.Tx) error {
		var stored string
		err := tx.QueryRowContext(ctx, `SELECT hash FROM tokens WHERE id = ?`, bootstrapID).Scan(&stored)
		switch {
		case errors.Is(err, sql.ErrNoRows):
		case err != nil:
			return err
		case secret == "" || stored == hashSecret(secret):
			return nil
		default:
			replaced = true
			if _, err := tx.ExecContext(ctx, `DELETE FROM tokens WHERE id = ?`, bootstrapID); err != nil {
				return err
			}
		}
		if secret == "" {
			secret = newSecret(TokenPrefix)
			made = secret
		}
		return addToken(ctx, tx, &Token{
			ID: bootstrapID, Name: "bootstrap", Last4: last4(secret), Scope: ScopeWrite, Admin: true, CreatedAt: s.clock.Now(),
		}, secret)
	})
	if err != nil {
		return "", false, fmt.Errorf("meta: ensure admin token: %w", err)
	}
	s.tokens.forget()
	return made, replaced, nil
}

// Token returns the token of a secret. It is shared: do not change it. Errors:
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
