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

// Token is what is stored about an API token.
type Token struct {
	ID     string
	Name   string
	Last4  string
	Scopes weir.Scopes // what it may do at most
	// A token is one of three kinds. With Admin it is for the whole server. With UserID it acts
	// for a user, and never may do more than the user may. Otherwise it belongs to its project.
	Admin     bool
	UserID    string
	ProjectID string // good for this project only; "" for all that Admin or the user allows

	CreatedAt  time.Time
	ExpiresAt  time.Time // zero: it does not end
	LastUsedAt time.Time // to the minute; zero: never
}

// bootstrapID is the id of the admin token that the server's settings name or
// its first start made. There is one at a time.
const bootstrapID = "bootstrap"

// maxTokens bounds the tokens of a project and of a user.
const maxTokens = 200

// NewToken is a token to make.
type NewToken struct {
	Name      string
	Scopes    weir.Scopes
	Admin     bool
	UserID    string // "" for a token of the project
	ProjectID string // "" with Admin, and for all projects of the user
	ExpiresAt time.Time
}

// CreateToken makes an API token and returns it, this once. Errors: EINVALID,
// ENOTFOUND for the project or the user.
func (s *Store) CreateToken(ctx context.Context, n NewToken) (t *Token, secret string, err error) {
	t = &Token{Scopes: n.Scopes, Admin: n.Admin, UserID: n.UserID, ProjectID: n.ProjectID, CreatedAt: s.clock.Now()}
	if t.Name, err = normalName(n.Name); err != nil {
		return nil, "", err
	}
	switch {
	case t.Scopes == 0 || !weir.AllScopes.Has(t.Scopes):
		return nil, "", weir.Errorf(weir.EINVALID, "scopes: one or more of %s", weir.AllScopes)
	case t.Admin && (t.ProjectID != "" || t.UserID != ""):
		return nil, "", weir.Errorf(weir.EINVALID, "an admin token is for no single project or user")
	case !t.Admin && t.UserID == "" && t.ProjectID == "":
		return nil, "", weir.Errorf(weir.EINVALID, "a token is for a project, a user or the whole server")
	case t.Scopes.Has(weir.ScopeIngest) && !t.Admin && t.UserID != "":
		return nil, "", weir.Errorf(weir.EINVALID, "only a token of a project sends events: leave the scope ingest out, or make a project's token")
	case !n.ExpiresAt.IsZero() && !n.ExpiresAt.After(t.CreatedAt):
		return nil, "", weir.Errorf(weir.EINVALID, "expires_at: a time that is still to come")
	}
	if !n.ExpiresAt.IsZero() {
		t.ExpiresAt = n.ExpiresAt.UTC().Truncate(time.Microsecond)
	}
	t.ID = newID()
	secret = newSecret(TokenPrefix)
	t.Last4 = last4(secret)
	err = s.inTx(ctx, func(tx *sql.Tx) error {
		if err := checkTokenOwner(ctx, tx, t); err != nil {
			return err
		}
		return addToken(ctx, tx, t, secret)
	})
	if err != nil {
		return nil, "", fmt.Errorf("meta: create token: %w", err)
	}
	s.changed()
	return t, secret, nil
}

// checkTokenOwner checks that there are the user and the project of a new token, and that
// they have not too many.
func checkTokenOwner(ctx context.Context, tx *sql.Tx, t *Token) error {
	for _, o := range []struct{ id, what, exists, count string }{
		{t.UserID, "user", `SELECT count(*) FROM users WHERE id = ?`, `SELECT count(*) FROM tokens WHERE user_id = ?`},
		{t.ProjectID, "project", `SELECT count(*) FROM projects WHERE id = ?`, `SELECT count(*) FROM tokens WHERE project_id = ?`},
	} {
		if o.id == "" {
			continue
		}
		var exist, tokens int
		if err := tx.QueryRowContext(ctx, o.exists, o.id).Scan(&exist); err != nil {
			return err
		}
		if exist == 0 {
			return weir.Errorf(weir.ENOTFOUND, "no such %s", o.what)
		}
		if err := tx.QueryRowContext(ctx, o.count, o.id).Scan(&tokens); err != nil {
			return err
		}
		if tokens >= maxTokens {
			return weir.Errorf(weir.EINVALID, "a %s has at most %d tokens: revoke those that nobody uses", o.what, maxTokens)
		}
	}
	return nil
}

func addToken(ctx context.Context, db execer, t *Token, secret string) error {
	expires := sql.NullInt64{Int64: micros(t.ExpiresAt), Valid: !t.ExpiresAt.IsZero()}
	_, err := db.ExecContext(ctx, `INSERT INTO tokens (id, hash, name, last4, scopes, admin, user_id, project_id, created_at, expires_at)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
		t.ID, hashSecret(secret), t.Name, t.Last4, t.Scopes.String(), flag(t.Admin), textOrNull(t.UserID), textOrNull(t.ProjectID), micros(t.CreatedAt), expires)
	return err
}

func textOrNull(s string) sql.NullString { return sql.NullString{String: s, Valid: s != ""} }

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
			ID: bootstrapID, Name: "bootstrap", Last4: last4(secret), Scopes: weir.AllScopes, Admin: true, CreatedAt: s.clock.Now(),
		}, secret)
	})
	if err != nil {
		return "", false, fmt.Errorf("meta: ensure admin token: %w", err)
	}
	s.changed()
	return made, replaced, nil
}
