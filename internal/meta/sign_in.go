package meta

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"strings"

	weir "github.com/weir-analytics/weir"
	"github.com/weir-analytics/weir/internal/keyring"
)

// SignIn is how people sign in to the server.
type SignIn struct {
	// RequireSecondFactor lets people with a password and no second factor do nothing but set
	// one up.
	RequireSecondFactor bool `json:",omitempty"`
	// NoPasswords lets people sign in with the provider only.
	NoPasswords bool      `json:",omitempty"`
	Provider    *Provider `json:",omitempty"` // nil is none
}

// Provider is an identity provider (OpenID Connect).
type Provider struct {
	Name         string // of the button
	Issuer       string
	ClientID     string
	ClientSecret string // encrypted where it is stored
	Scopes       []string
	GroupsClaim  string   // "" is none
	Domains      []string // whose addresses may sign up
	Groups       []GroupRole
}

// GroupRole is what the members of a group at the provider get.
type GroupRole struct {
	Group     string
	Admin     bool      `json:",omitempty"` // of the server
	ProjectID string    `json:",omitempty"` // unless Admin
	Role      weir.Role `json:",omitempty"`
}

// Bounds on a provider's settings: numbers, and bytes of a text.
const (
	providerItems = 500
	providerText  = 1000
)

// check refuses settings that cannot work. Error: EINVALID.
func (in *SignIn) check() error {
	p := in.Provider
	if p == nil {
		if in.NoPasswords {
			return weir.Errorf(weir.EINVALID, "passwords: without an identity provider nobody could sign in")
		}
		return nil
	}
	u, err := url.Parse(p.Issuer)
	if err != nil || u.Host == "" || u.RawQuery != "" || u.Fragment != "" || u.User != nil ||
		u.Scheme != "https" && (u.Scheme != "http" || u.Hostname() != "localhost" && u.Hostname() != "127.0.0.1") {
		return weir.Errorf(weir.EINVALID, "issuer: want the provider's address, such as https://id.example.org; http on this machine only")
	}
	if p.ClientID == "" || p.Name == "" {
		return weir.Errorf(weir.EINVALID, "client_id, name: both are needed")
	}
	if len(p.Scopes)+len(p.Domains)+len(p.Groups) > providerItems {
		return weir.Errorf(weir.EINVALID, "provider: at most %d scopes, domains and groups", providerItems)
	}
	texts := append([]string{p.Name, p.Issuer, p.ClientID, p.ClientSecret, p.GroupsClaim}, p.Scopes...)
	for i, d := range p.Domains {
		p.Domains[i] = strings.ToLower(d)
		if strings.ContainsAny(d, "@* \t\n,") || !strings.Contains(d, ".") {
			return weir.Errorf(weir.EINVALID, "domains[%d]: want one such as example.org", i)
		}
	}
	for i, g := range p.Groups {
		if g.Group == "" || g.Admin == (g.ProjectID != "") || g.Admin != (g.Role == weir.RoleNone) {
			return weir.Errorf(weir.EINVALID, "groups[%d]: want a group, and either admin or a project with a role", i)
		}
		texts = append(texts, g.Group)
	}
	if len(p.Groups) > 0 && p.GroupsClaim == "" {
		return weir.Errorf(weir.EINVALID, "groups_claim: needed with groups")
	}
	for _, text := range texts {
		if len(text) > providerText || strings.ContainsAny(text, "\x00\n\r") {
			return weir.Errorf(weir.EINVALID, "provider: a text has more than %d bytes, or a line's end", providerText)
		}
	}
	return nil
}

const (
	signInSetting = "sign_in"
	useProvider   = "settings/sign_in"
)

// SignIn returns how people sign in. It is cached, and shared: do not change it.
func (s *Store) SignIn(ctx context.Context) (*SignIn, error) {
	return s.signIn.get(ctx, signInSetting, func(ctx context.Context) (*SignIn, error) { return s.readSignIn(ctx, s.read) })
}

// rowQuerier is a *sql.DB or *sql.Tx.
type rowQuerier interface {
	QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row
}

func (s *Store) readSignIn(ctx context.Context, db rowQuerier) (*SignIn, error) {
	var text string
	var in SignIn
	err := db.QueryRowContext(ctx, `SELECT value FROM settings WHERE name = ?`, signInSetting).Scan(&text)
	if errors.Is(err, sql.ErrNoRows) {
		return &in, nil
	}
	if err == nil {
		err = json.Unmarshal([]byte(text), &in)
	}
	if err == nil && in.Provider != nil {
		in.Provider.ClientSecret, err = s.unseal(in.Provider.ClientSecret, useProvider)
		if errors.Is(err, keyring.ErrNoKey) {
			err = nil // the ring was lost: the provider will refuse the empty secret
		}
	}
	if err != nil {
		return nil, fmt.Errorf("meta: sign-in settings: %w", err)
	}
	return &in, nil
}

// ChangeSignIn changes how people sign in, as change says. Errors: EINVALID, and those of
// change.
func (s *Store) ChangeSignIn(ctx context.Context, change func(*SignIn) error) (*SignIn, error) {
	var in *SignIn
	err := s.inTx(ctx, func(tx *sql.Tx) (err error) {
		if in, err = s.readSignIn(ctx, tx); err != nil {
			return err
		}
		if err := change(in); err != nil {
			return err
		}
		if err := in.check(); err != nil {
			return err
		}
		stored := *in
		if in.Provider != nil {
			p := *in.Provider
			p.ClientSecret = s.seal(p.ClientSecret, useProvider)
			stored.Provider = &p
		}
		text, err := json.Marshal(stored)
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
