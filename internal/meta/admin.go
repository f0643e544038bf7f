package meta

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	weir "github.com/weir-analytics/weir"
)

// Admin is an administrator of the whole server.
type Admin struct {
	weir.User
	// Owner is true of one: nobody can take their rights away, only they can hand them over.
	Owner bool
}

const adminColumns = `SELECT u.id, u.email, u.name, u.created_at, (SELECT count(*) FROM setup s WHERE s.owner_id = u.id) FROM users u`

// Admins returns the administrators of the server, by address.
func (s *Store) Admins(ctx context.Context) ([]Admin, error) {
	rows, err := s.read.QueryContext(ctx, adminColumns+` WHERE u.admin = 1 ORDER BY u.email`)
	return collect(rows, err, "admins", scanAdmin)
}

func scanAdmin(row scanner) (*Admin, error) {
	var a Admin
	var created, owner int64
	if err := row.Scan(&a.ID, &a.Email, &a.Name, &created, &owner); err != nil {
		return nil, err
	}
	a.CreatedAt, a.Owner = fromMicros(created), owner > 0
	return &a, nil
}

// AddAdmin makes the user of an address an administrator. Errors: EINVALID, ENOTFOUND.
func (s *Store) AddAdmin(ctx context.Context, email string) (a *Admin, err error) {
	if email, err = normalEmail(email); err != nil {
		return nil, err
	}
	err = s.changeAdmins(ctx, func(tx *sql.Tx) error {
		a, err = scanAdmin(tx.QueryRowContext(ctx, adminColumns+` WHERE u.email = ?`, email))
		if errors.Is(err, sql.ErrNoRows) {
			return weir.Errorf(weir.ENOTFOUND, "nobody has an account for %s here", email)
		}
		if err != nil {
			return err
		}
		return makeAdmin(ctx, tx, a.ID)
	})
	if err != nil {
		return nil, err
	}
	return a, nil
}

// RemoveAdmin makes an administrator an ordinary user. Errors: ENOTFOUND for who is none,
// ECONFLICT for the owner.
func (s *Store) RemoveAdmin(ctx context.Context, userID string) error {
	return s.changeAdmins(ctx, func(tx *sql.Tx) error {
		a, err := readAdmin(ctx, tx, userID)
		if err != nil {
			return err
		}
		if a.Owner {
			return weir.Errorf(weir.ECONFLICT, "%s owns this server: the owner hands it over first", a.Email)
		}
		_, err = tx.ExecContext(ctx, `UPDATE users SET admin = 0 WHERE id = ?`, userID)
		return err
	})
}

// HandOver makes an administrator the owner, in the place of the one before, who stays an
// administrator. by is the id of the owner who asks, or "" for the holder of the admin token. Errors:
// ENOTFOUND for who is no administrator, EFORBIDDEN if by is not the owner.
func (s *Store) HandOver(ctx context.Context, by, userID string) error {
	return s.changeAdmins(ctx, func(tx *sql.Tx) error {
		if by != "" {
			a, err := readAdmin(ctx, tx, by)
			if err != nil && weir.ErrorCode(err) != weir.ENOTFOUND {
				return err
			}
			if err != nil || !a.Owner {
				return weir.Errorf(weir.EFORBIDDEN, "only the owner of this server, or who has its admin token, may hand it over")
			}
		}
		if _, err := readAdmin(ctx, tx, userID); err != nil {
			return err
		}
		_, err := tx.ExecContext(ctx, `UPDATE setup SET owner_id = ?`, userID)
		return err
	})
}

func readAdmin(ctx context.Context, tx *sql.Tx, userID string) (*Admin, error) {
	a, err := scanAdmin(tx.QueryRowContext(ctx, adminColumns+` WHERE u.id = ? AND u.admin = 1`, userID))
	if errors.Is(err, sql.ErrNoRows) {
		return nil, weir.Errorf(weir.ENOTFOUND, "no such administrator")
	}
	return a, err
}

// makeAdmin makes a user an administrator, and the owner if there is none.
func makeAdmin(ctx context.Context, tx *sql.Tx, userID string) error {
	if _, err := tx.ExecContext(ctx, `UPDATE users SET admin = 1 WHERE id = ?`, userID); err != nil {
		return err
	}
	_, err := tx.ExecContext(ctx, `UPDATE setup SET owner_id = ? WHERE owner_id IS NULL`, userID)
	return err
}

// changeAdmins runs fn in a transaction.
func (s *Store) changeAdmins(ctx context.Context, fn func(tx *sql.Tx) error) error {
	if err := s.inTx(ctx, fn); err != nil {
		return fmt.Errorf("meta: administrators: %w", err)
	}
	s.changed()
	return nil
}
