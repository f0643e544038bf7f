package meta

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	weir "github.com/weir-analytics/weir"
)

// Identity is who a provider says has signed in.
type Identity struct {
	Issuer, Subject string
	Email           string // "" unless the provider has verified it
	Name            string
	Groups          []string
}

// SignedIn is an account, and what a sign-in with a provider has changed of it.
type SignedIn struct {
	*Account
	// Linked is true when an account that existed is the identity's from now on.
	Linked bool
	// Roles are those that the identity's groups gave or took.
	Roles []RoleChange
}

// RoleChange is a role that somebody has now and had not before.
type RoleChange struct {
	ProjectID string    // "" for a change of Admin
	Was, Is   weir.Role // in the project
	Admin     bool      // administrator of the server, from now on
}

// SignInWith returns the account of an identity, with the roles that its groups give. It makes
// one if the address may sign up or is invited. Errors: EFORBIDDEN for who has no account,
// EUNAUTHORIZED for an inactive one.
func (s *Store) SignInWith(ctx context.Context, who Identity) (in *SignedIn, err error) {
	in = &SignedIn{}
	err = s.inTx(ctx, func(tx *sql.Tx) error {
		settings, err := s.readSignIn(ctx, tx)
		if err != nil {
			return err
		}
		if settings.Provider == nil || settings.Provider.Issuer != who.Issuer {
			return weir.Errorf(weir.EFORBIDDEN, "nobody signs in with this provider any more")
		}
		id, linked, err := s.userOfIdentity(ctx, tx, who, settings.Provider)
		if err != nil {
			return err
		}
		in.Linked = linked
		if in.Roles, err = followGroups(ctx, tx, id, who.Groups, settings.Provider.Groups); err != nil {
			return err
		}
		in.Account, err = scanAccount(tx.QueryRowContext(ctx, `SELECT `+accountColumns+` FROM users u WHERE u.id = ?`, id))
		if err == nil && in.Inactive {
			return errInactive // and nothing has changed
		}
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("meta: sign in with a provider: %w", err)
	}
	s.changed()
	return in, nil
}

// userOfIdentity returns the id of the user of an identity: the one who signed in with it
// before, or else the one of its address, who is new maybe. linked is true for a user who existed
// and had not signed in with it.
func (s *Store) userOfIdentity(ctx context.Context, tx *sql.Tx, who Identity, p *Provider) (id string, linked bool, err error) {
	err = tx.QueryRowContext(ctx, `SELECT user_id FROM identities WHERE issuer = ? AND subject = ?`, who.Issuer, who.Subject).Scan(&id)
	if err == nil || !errors.Is(err, sql.ErrNoRows) {
		return id, false, err
	}
	if who.Email == "" {
		return "", false, weir.Errorf(weir.EFORBIDDEN, "the provider has not verified your mail address: that is needed the first time")
	}
	email, err := normalEmail(who.Email)
	if err != nil {
		return "", false, err
	}
	err = tx.QueryRowContext(ctx, `SELECT id FROM users WHERE email = ?`, email).Scan(&id)
	linked = err == nil
	if errors.Is(err, sql.ErrNoRows) {
		id, err = s.signUp(ctx, tx, email, who.Name, p)
	}
	if err != nil {
		return "", false, err
	}
	// An address may be given to somebody else later: they do not get the account of who had it.
	ok, err := inserted(tx.ExecContext(ctx, `INSERT INTO identities (issuer, subject, user_id) VALUES (?, ?, ?) ON CONFLICT DO NOTHING`, who.Issuer, who.Subject, id))
	if err == nil && !ok {
		return "", false, weir.Errorf(weir.EFORBIDDEN, "somebody else at the provider signed in to the account of %s before: ask an administrator of this server", email)
	}
	return id, linked, err
}

// signUp makes an account without a password, if the address may have one.
func (s *Store) signUp(ctx context.Context, tx *sql.Tx, email, name string, p *Provider) (id string, err error) {
	_, domain, _ := strings.Cut(email, "@")
	if !slices.Contains(p.Domains, domain) {
		var invited int
		err := tx.QueryRowContext(ctx, `SELECT count(*) FROM invitations WHERE email = ? AND expires_at > ?`, email, micros(s.clock.Now())).Scan(&invited)
		if err != nil {
			return "", err
		}
		if invited == 0 {
			return "", weir.Errorf(weir.EFORBIDDEN, "there is no account for %s: ask for an invitation", email)
		}
	}
	if name, err = normalName(name); err != nil {
		name, _, _ = strings.Cut(email, "@")
		if name, err = normalName(name[:min(len(name), maxName)]); err != nil {
			return "", err
		}
	}
	a := &Account{User: weir.User{ID: newID(), Email: email, Name: name, CreatedAt: s.clock.Now()}}
	return a.ID, insertUser(ctx, tx, a, "", false)
}

// followGroups gives a user the roles that groups give, and returns what that changed, by project. Projects
// that no group is mapped to are left alone, and so are administrators if no group makes them.
func followGroups(ctx context.Context, tx *sql.Tx, userID string, groups []string, mapped []GroupRole) (changes []RoleChange, err error) {
	roles := map[string]weir.Role{}
	admins, admin := false, false
	for _, m := range mapped {
		in := slices.Contains(groups, m.Group)
		if m.Admin {
			admins, admin = true, admin || in
			continue
		}
		role := roles[m.ProjectID]
		if in {
			role = max(role, m.Role)
		}
		roles[m.ProjectID] = role
	}
	for _, project := range slices.Sorted(maps.Keys(roles)) {
		was, err := readRole(ctx, tx, userID, project)
		if err != nil {
			return nil, err
		}
		if was == roles[project] {
			continue
		}
		err = setRole(ctx, tx, userID, project, roles[project])
		switch {
		case err == nil:
			changes = append(changes, RoleChange{ProjectID: project, Was: was, Is: roles[project]})
		case weir.ErrorCode(err) != weir.ENOTFOUND: // the project is deleted
			return nil, err
		}
	}
	if !admins {
		return changes, nil
	}
	var was int64
	if err := tx.QueryRowContext(ctx, `SELECT admin FROM users WHERE id = ?`, userID).Scan(&was); err != nil || was == flag(admin) {
		return changes, err
	}
	if admin {
		return append(changes, RoleChange{Admin: true}), makeAdmin(ctx, tx, userID)
	}
	// The owner stays one, whatever a provider says.
	taken, err := inserted(tx.ExecContext(ctx, `UPDATE users SET admin = 0 WHERE id = ? AND id NOT IN (SELECT owner_id FROM setup WHERE owner_id IS NOT NULL)`, userID))
	if taken {
		changes = append(changes, RoleChange{})
	}
	return changes, err
}

// readRole returns a user's role in a project, RoleNone for none.
func readRole(ctx context.Context, db rowQuerier, userID, projectID string) (weir.Role, error) {
	var name string
	err := db.QueryRowContext(ctx, `SELECT role FROM members WHERE user_id = ? AND project_id = ?`, userID, projectID).Scan(&name)
	if err != nil && !errors.Is(err, sql.ErrNoRows) {
		return weir.RoleNone, err
	}
	role, _ := weir.ParseRole(name)
	return role, nil
}

// Unlink lets a user sign in with another identity of the provider. Errors: ENOTFOUND.
func (s *Store) Unlink(ctx context.Context, userID string) error {
	ok, err := inserted(s.write.ExecContext(ctx, `DELETE FROM identities WHERE user_id = ?`, userID))
	if err != nil {
		return fmt.Errorf("meta: unlink: %w", err)
	}
	if !ok {
		return weir.Errorf(weir.ENOTFOUND, "the account has not signed in with a provider")
	}
	return nil
}

// Flow is a sign-in with a provider that is under way.
type Flow struct{ State, Nonce, Verifier string }

const (
	// FlowFor is how long a sign-in with a provider may take.
	FlowFor = 10 * time.Minute
	// flows bounds those that are under way.
	flows   = 10_000
	useFlow = "oidc_flows/"
)

// BeginFlow stores a sign-in that is under way. Errors: ERATELIMITED when there are too many.
func (s *Store) BeginFlow(ctx context.Context, f Flow) error {
	now, hash := s.clock.Now(), hashSecret(f.State)
	err := s.inTx(ctx, func(tx *sql.Tx) error {
		if _, err := tx.ExecContext(ctx, `DELETE FROM oidc_flows WHERE expires_at <= ?`, micros(now)); err != nil {
			return err
		}
		var n int
		if err := tx.QueryRowContext(ctx, `SELECT count(*) FROM oidc_flows`).Scan(&n); err != nil {
			return err
		}
		if n >= flows {
			return weir.Errorf(weir.ERATELIMITED, "too many people are signing in: wait a little")
		}
		_, err := tx.ExecContext(ctx, `INSERT INTO oidc_flows (hash, nonce, verifier, expires_at) VALUES (?, ?, ?, ?)`,
			hash, f.Nonce, s.seal(f.Verifier, useFlow+hash), micros(now.Add(FlowFor)))
		return err
	})
	if err != nil {
		return fmt.Errorf("meta: begin a sign-in: %w", err)
	}
	return nil
}

// TakeFlow returns a sign-in that is under way, once: of several at once, one gets it. Errors:
// EUNAUTHORIZED.
func (s *Store) TakeFlow(ctx context.Context, state string) (f Flow, err error) {
	hash := hashSecret(state)
	err = s.inTx(ctx, func(tx *sql.Tx) error {
		over := weir.Errorf(weir.EUNAUTHORIZED, "this sign-in is over or was used already: sign in again")
		var sealed string
		err := tx.QueryRowContext(ctx, `SELECT nonce, verifier FROM oidc_flows WHERE hash = ? AND expires_at > ?`, hash, micros(s.clock.Now())).Scan(&f.Nonce, &sealed)
		if errors.Is(err, sql.ErrNoRows) {
			return over
		}
		if err != nil {
			return err
		}
		if f.Verifier, err = s.unseal(sealed, useFlow+hash); err != nil {
			return err
		}
		_, err = tx.ExecContext(ctx, `DELETE FROM oidc_flows WHERE hash = ?`, hash)
		return err
	})
	if err != nil {
		return Flow{}, fmt.Errorf("meta: take a sign-in: %w", err)
	}
	f.State = state
	return f, nil
}
