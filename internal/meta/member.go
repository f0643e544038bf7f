package meta

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	weir "github.com/weir-analytics/weir"
)

// maxMembers bounds the members of a project.
const maxMembers = 1000

// Member is a user with a role in a project.
type Member struct {
	weir.User
	Role weir.Role
}

const memberColumns = `u.id, u.email, u.name, u.created_at, m.role FROM members m JOIN users u ON u.id = m.user_id`

// Members returns those who have a role in a project, by address.
func (s *Store) Members(ctx context.Context, projectID string) ([]Member, error) {
	rows, err := s.read.QueryContext(ctx, `SELECT `+memberColumns+` WHERE m.project_id = ? ORDER BY u.email`, projectID)
	return collect(rows, err, "members", scanMember)
}

func scanMember(row scanner) (*Member, error) {
	var m Member
	var created int64
	var role string
	if err := row.Scan(&m.ID, &m.Email, &m.Name, &created, &role); err != nil {
		return nil, err
	}
	m.CreatedAt = fromMicros(created)
	m.Role, _ = weir.ParseRole(role)
	return &m, nil
}

// AddMember gives the user of an address a role in a project. Errors: EINVALID, ENOTFOUND if nobody has the
// address, ECONFLICT if they are a member already.
func (s *Store) AddMember(ctx context.Context, projectID, email string, role weir.Role) (m *Member, err error) {
	if email, err = normalEmail(email); err != nil {
		return nil, err
	}
	if role.Scopes() == 0 {
		return nil, errRole
	}
	err = s.inProject(ctx, projectID, func(tx *sql.Tx) error {
		var id string
		err := tx.QueryRowContext(ctx, `SELECT id FROM users WHERE email = ?`, email).Scan(&id)
		if errors.Is(err, sql.ErrNoRows) {
			return weir.Errorf(weir.ENOTFOUND, "nobody has an account for %s here", email)
		}
		if err != nil {
			return err
		}
		var members, already int
		err = tx.QueryRowContext(ctx, `SELECT count(*), coalesce(sum(CASE WHEN user_id = ? THEN 1 ELSE 0 END), 0) FROM members WHERE project_id = ?`, id, projectID).Scan(&members, &already)
		switch {
		case err != nil:
			return err
		case already > 0:
			return weir.Errorf(weir.ECONFLICT, "%s is a member of the project already: change the role", email)
		case members >= maxMembers:
			return weir.Errorf(weir.EINVALID, "a project has at most %d members", maxMembers)
		}
		if err := setRole(ctx, tx, id, projectID, role); err != nil {
			return err
		}
		m, err = readMember(ctx, tx, projectID, id)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("meta: add member: %w", err)
	}
	s.changed()
	return m, nil
}

var errRole = weir.Errorf(weir.EINVALID, "role: viewer, editor or admin")

// ChangeMember changes a member's role. Without leaveNone the project's last admin stays one.
// Errors: EINVALID, ENOTFOUND for who is no member, ECONFLICT for the last admin.
func (s *Store) ChangeMember(ctx context.Context, projectID, userID string, role weir.Role, leaveNone bool) (m *Member, err error) {
	if role.Scopes() == 0 {
		return nil, errRole
	}
	err = s.inProject(ctx, projectID, func(tx *sql.Tx) error {
		if m, err = readMember(ctx, tx, projectID, userID); err != nil {
			return err
		}
		if role < m.Role && !leaveNone {
			if err := keepsAdmin(ctx, tx, projectID, m); err != nil {
				return err
			}
		}
		m.Role = role
		return setRole(ctx, tx, userID, projectID, role)
	})
	if err != nil {
		return nil, fmt.Errorf("meta: change member: %w", err)
	}
	s.changed()
	return m, nil
}

// RemoveMember takes a member off a project, and ends their tokens for it. leaveNone and the
// errors are those of ChangeMember.
func (s *Store) RemoveMember(ctx context.Context, projectID, userID string, leaveNone bool) error {
	err := s.inProject(ctx, projectID, func(tx *sql.Tx) error {
		m, err := readMember(ctx, tx, projectID, userID)
		if err != nil {
			return err
		}
		if !leaveNone {
			if err := keepsAdmin(ctx, tx, projectID, m); err != nil {
				return err
			}
		}
		if _, err := tx.ExecContext(ctx, `DELETE FROM tokens WHERE user_id = ? AND project_id = ?`, userID, projectID); err != nil {
			return err
		}
		return setRole(ctx, tx, userID, projectID, weir.RoleNone)
	})
	if err != nil {
		return fmt.Errorf("meta: remove member: %w", err)
	}
	s.changed()
	return nil
}

// keepsAdmin refuses to lose a project's last admin. Error: ECONFLICT.
func keepsAdmin(ctx context.Context, tx *sql.Tx, projectID string, m *Member) error {
	if m.Role != weir.RoleAdmin {
		return nil
	}
	var others int
	err := tx.QueryRowContext(ctx, `SELECT count(*) FROM members WHERE project_id = ? AND role = ? AND user_id <> ?`,
		projectID, weir.RoleAdmin.String(), m.ID).Scan(&others)
	if err == nil && others == 0 {
		return weir.Errorf(weir.ECONFLICT, "%s is the project's last admin: make another member admin first", m.Email)
	}
	return err
}

func readMember(ctx context.Context, tx *sql.Tx, projectID, userID string) (*Member, error) {
	m, err := scanMember(tx.QueryRowContext(ctx, `SELECT `+memberColumns+` WHERE m.project_id = ? AND m.user_id = ?`, projectID, userID))
	if errors.Is(err, sql.ErrNoRows) {
		return nil, weir.Errorf(weir.ENOTFOUND, "no such member")
	}
	return m, err
}

// inProject runs fn in a transaction if there is the project. Error: ENOTFOUND.
func (s *Store) inProject(ctx context.Context, projectID string, fn func(tx *sql.Tx) error) error {
	return s.inTx(ctx, func(tx *sql.Tx) error {
		var n int
		if err := tx.QueryRowContext(ctx, `SELECT count(*) FROM projects WHERE id = ?`, projectID).Scan(&n); err != nil {
			return err
		}
		if n == 0 {
			return weir.Errorf(weir.ENOTFOUND, "no such project")
		}
		return fn(tx)
	})
}
