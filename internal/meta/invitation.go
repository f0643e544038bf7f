package meta

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	weir "github.com/weir-analytics/weir"
)

// InvitationFor is how long an invitation is good.
const InvitationFor = 7 * 24 * time.Hour

// invitations is the most open invitations of a server.
const invitations = 10_000

// invitationPrefix is that of the secret in the link of an invitation.
const invitationPrefix = "wi_"

// Invitation is an invitation that nobody has accepted yet. Its secret is stored hashed.
type Invitation struct {
	ID        string
	Email     string
	ProjectID string    // "" of one that makes an admin of the server
	Role      weir.Role // in the project
	InvitedBy string    // id of a user, or "" of a token
	CreatedAt time.Time
	ExpiresAt time.Time
}

// Invite makes an invitation of an address and returns its secret, this once. A former one of
// the address to the same project, or to be admin, is not good any more. Errors: EINVALID,
// ENOTFOUND for the project, ECONFLICT when there are too many.
func (s *Store) Invite(ctx context.Context, n Invitation) (i *Invitation, secret string, err error) {
	if n.Email, err = normalEmail(n.Email); err != nil {
		return nil, "", err
	}
	if (n.ProjectID == "") != (n.Role == weir.RoleNone) || n.Role > weir.RoleAdmin {
		return nil, "", weir.Errorf(weir.EINVALID, "an invitation is to a project with a role, or to be an admin of the server")
	}
	if n.ProjectID != "" {
		if _, err := s.Project(ctx, n.ProjectID); err != nil {
			return nil, "", err
		}
	}
	secret = newSecret(invitationPrefix)
	n.ID, n.CreatedAt = newID(), s.clock.Now()
	n.ExpiresAt = n.CreatedAt.Add(InvitationFor)
	err = s.inTx(ctx, func(tx *sql.Tx) error {
		if _, err := tx.ExecContext(ctx, `DELETE FROM invitations WHERE expires_at <= ? OR email = ? AND coalesce(project_id, '') = ?`,
			micros(n.CreatedAt), n.Email, n.ProjectID); err != nil {
			return err
		}
		var open int
		if err := tx.QueryRowContext(ctx, `SELECT count(*) FROM invitations`).Scan(&open); err != nil {
			return err
		}
		if open >= invitations {
			return weir.Errorf(weir.ECONFLICT, "there are %d open invitations, as many as a server may have: withdraw some", open)
		}
		_, err := tx.ExecContext(ctx, `INSERT INTO invitations (id, hash, email, project_id, role, invited_by, created_at, expires_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?)`,
			n.ID, hashSecret(secret), n.Email, sql.NullString{String: n.ProjectID, Valid: n.ProjectID != ""}, n.Role.String(), n.InvitedBy, micros(n.CreatedAt), micros(n.ExpiresAt))
		return err
	})
	if err != nil {
		return nil, "", fmt.Errorf("meta: invite: %w", err)
	}
	return &n, secret, nil
}

const invitationColumns = `id, email, coalesce(project_id, ''), role, invited_by, created_at, expires_at`

func scanInvitation(row scanner) (*Invitation, error) {
	var i Invitation
	var role string
	var created, expires int64
	if err := row.Scan(&i.ID, &i.Email, &i.ProjectID, &role, &i.InvitedBy, &created, &expires); err != nil {
		return nil, err
	}
	i.Role, _ = weir.ParseRole(role)
	i.CreatedAt, i.ExpiresAt = fromMicros(created), fromMicros(expires)
	return &i, nil
}

// Invitations returns the open invitations to a project, or with "" those that make admins of
// the server, oldest first.
func (s *Store) Invitations(ctx context.Context, projectID string) ([]Invitation, error) {
	rows, err := s.read.QueryContext(ctx, `SELECT `+invitationColumns+` FROM invitations
		WHERE coalesce(project_id, '') = ? AND expires_at > ? ORDER BY created_at, id`, projectID, micros(s.clock.Now()))
	return collect(rows, err, "invitations", scanInvitation)
}

// Withdraw ends an open invitation to a project, or with "" one that makes an admin. Errors:
// ENOTFOUND.
func (s *Store) Withdraw(ctx context.Context, projectID, id string) error {
	ok, err := inserted(s.write.ExecContext(ctx, `DELETE FROM invitations WHERE id = ? AND coalesce(project_id, '') = ?`, id, projectID))
	if err != nil {
		return fmt.Errorf("meta: withdraw: %w", err)
	}
	if !ok {
		return weir.Errorf(weir.ENOTFOUND, "no such invitation")
	}
	return nil
}

var errInvitation = weir.Errorf(weir.EUNAUTHORIZED, "this invitation was accepted or withdrawn already, or is over: ask for another one")

// Invitation returns the open invitation of a secret, and whether its address has an account.
// Errors: EUNAUTHORIZED.
func (s *Store) Invitation(ctx context.Context, secret string) (i *Invitation, account bool, err error) {
	i, err = scanInvitation(s.read.QueryRowContext(ctx, `SELECT `+invitationColumns+` FROM invitations WHERE hash = ? AND expires_at > ?`,
		hashSecret(secret), micros(s.clock.Now())))
	if errors.Is(err, sql.ErrNoRows) {
		return nil, false, errInvitation
	}
	if err != nil {
		return nil, false, fmt.Errorf("meta: invitation: %w", err)
	}
	_, err = s.UserByEmail(ctx, i.Email)
	if err != nil && weir.ErrorCode(err) != weir.ENOTFOUND {
		return nil, false, err
	}
	return i, err == nil, nil
}

// AcceptNew accepts an invitation with a new account. An invitation is accepted once: of
// several at once, one wins. Errors: EUNAUTHORIZED for an invitation that is not open,
// ECONFLICT when its address has an account, EINVALID: after both the invitation stays open.
func (s *Store) AcceptNew(ctx context.Context, secret, name, password string) (*Account, error) {
	i, _, err := s.Invitation(ctx, secret)
	if err != nil {
		return nil, err
	}
	a, hash, err := s.newAccount(ctx, i.Email, name, password)
	if err != nil {
		return nil, err
	}
	a.Admin = i.ProjectID == ""
	err = s.accept(ctx, secret, func(tx *sql.Tx) (string, error) { return a.ID, insertUser(ctx, tx, a, hash, false) })
	if weir.ErrorCode(err) == weir.ECONFLICT {
		return nil, weir.Errorf(weir.ECONFLICT, "there is an account for %s already: sign in, and open the link again", a.Email)
	}
	if err != nil {
		return nil, err
	}
	return a, nil
}

// AcceptAs accepts an invitation of the address of an account. Errors: EUNAUTHORIZED for an
// invitation that is not open, EFORBIDDEN for another's.
func (s *Store) AcceptAs(ctx context.Context, secret string, a *Account) error {
	i, _, err := s.Invitation(ctx, secret)
	if err != nil {
		return err
	}
	if i.Email != a.Email {
		return weir.Errorf(weir.EFORBIDDEN, "this invitation is for %s, and you are signed in as %s", i.Email, a.Email)
	}
	return s.accept(ctx, secret, func(*sql.Tx) (string, error) { return a.ID, nil })
}

// accept takes an invitation, and gives the user of the id what it grants, unless the user has
// more already.
func (s *Store) accept(ctx context.Context, secret string, user func(tx *sql.Tx) (id string, err error)) error {
	err := s.inTx(ctx, func(tx *sql.Tx) error {
		i, err := scanInvitation(tx.QueryRowContext(ctx, `SELECT `+invitationColumns+` FROM invitations WHERE hash = ?`, hashSecret(secret)))
		if errors.Is(err, sql.ErrNoRows) {
			return errInvitation
		}
		if err != nil {
			return err
		}
		mine, err := inserted(tx.ExecContext(ctx, `DELETE FROM invitations WHERE id = ?`, i.ID))
		if err == nil && !mine {
			err = errInvitation
		}
		if err != nil {
			return err
		}
		id, err := user(tx)
		if err != nil {
			return err
		}
		if i.ProjectID == "" {
			return makeAdmin(ctx, tx, id)
		}
		return raiseRole(ctx, tx, id, i.ProjectID, i.Role)
	})
	if err != nil {
		return fmt.Errorf("meta: accept: %w", err)
	}
	return nil
}

// raiseRole gives a user a role in a project, unless the user has one that may do more.
func raiseRole(ctx context.Context, tx *sql.Tx, userID, projectID string, role weir.Role) error {
	had, err := readRole(ctx, tx, userID, projectID)
	if err != nil || had >= role {
		return err
	}
	return setRole(ctx, tx, userID, projectID, role)
}
