package meta

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	weir "github.com/weir-analytics/weir"
)

// ResetFor is how long a link to reset a password is good.
const ResetFor = 24 * time.Hour

// resetPrefix is that of the secret in a link to reset a password.
const resetPrefix = "wr_"

// Users returns all accounts, by address.
func (s *Store) Users(ctx context.Context) ([]Account, error) {
	rows, err := s.read.QueryContext(ctx, `SELECT `+accountColumns+` FROM users u ORDER BY u.email`)
	return collect(rows, err, "users", func(row scanner) (*Account, error) { return scanAccount(row) })
}

// SetActive activates or deactivates an account. Both end its sessions and links to reset its
// password. Errors: ENOTFOUND, ECONFLICT for the owner and the last active admin of the server.
func (s *Store) SetActive(ctx context.Context, userID string, active bool) error {
	err := s.inTx(ctx, func(tx *sql.Tx) error {
		found, err := inserted(tx.ExecContext(ctx, `UPDATE users SET inactive = ? WHERE id = ?`, flag(!active), userID))
		if err != nil {
			return err
		}
		if !found {
			return weir.Errorf(weir.ENOTFOUND, "no such user")
		}
		for _, query := range []string{`DELETE FROM sessions WHERE user_id = ?`, `DELETE FROM resets WHERE user_id = ?`} {
			if _, err := tx.ExecContext(ctx, query, userID); err != nil {
				return err
			}
		}
		var admin int
		if err := tx.QueryRowContext(ctx, `SELECT admin FROM users WHERE id = ?`, userID).Scan(&admin); err != nil || active || admin == 0 {
			return err
		}
		if a, err := readAdmin(ctx, tx, userID); err != nil || a.Owner {
			return errors.Join(err, weir.Errorf(weir.ECONFLICT, "this account owns the server: the owner hands it over first"))
		}
		return needAdmin(ctx, tx)
	})
	if err != nil {
		return fmt.Errorf("meta: set active: %w", err)
	}
	s.changed()
	return nil
}

// needAdmin refuses a change after which no active account is admin of the server. Errors:
// ECONFLICT.
func needAdmin(ctx context.Context, tx *sql.Tx) error {
	var admins int
	err := tx.QueryRowContext(ctx, `SELECT count(*) FROM users WHERE admin = 1 AND inactive = 0`).Scan(&admins)
	if err == nil && admins == 0 {
		return weir.Errorf(weir.ECONFLICT, "this is the last active administrator of the server: make another one first")
	}
	return err
}

// CreateReset makes a link to reset a user's password and returns its secret, this once. The
// user's former link is not good any more. Errors: ENOTFOUND, ECONFLICT for an inactive
// account.
func (s *Store) CreateReset(ctx context.Context, userID string) (secret string, until time.Time, err error) {
	secret, until = newSecret(resetPrefix), s.clock.Now().Add(ResetFor)
	u, err := s.User(ctx, userID)
	if err != nil {
		return "", until, err
	}
	if u.Inactive {
		return "", until, weir.Errorf(weir.ECONFLICT, "this account is deactivated: activate it first")
	}
	_, err = s.write.ExecContext(ctx, `INSERT INTO resets (user_id, hash, expires_at) VALUES (?, ?, ?)
		ON CONFLICT (user_id) DO UPDATE SET hash = excluded.hash, expires_at = excluded.expires_at`, userID, hashSecret(secret), micros(until))
	if err != nil {
		return "", until, fmt.Errorf("meta: create reset: %w", err)
	}
	return secret, until, nil
}

// ResetPassword gives the user of a link a password, and ends the user's sessions. A link
// works once: of several at once, one wins. Errors: EUNAUTHORIZED for a link that is used,
// over or unknown, EINVALID for the password: then the link stays good.
func (s *Store) ResetPassword(ctx context.Context, secret, password string) (*Account, error) {
	used := weir.Errorf(weir.EUNAUTHORIZED, "this link was used already, or is over: ask for another one")
	a, err := scanAccount(s.read.QueryRowContext(ctx, `SELECT `+accountColumns+` FROM resets r JOIN users u ON u.id = r.user_id
		WHERE r.hash = ? AND r.expires_at > ? AND u.inactive = 0`, hashSecret(secret), micros(s.clock.Now())))
	if errors.Is(err, sql.ErrNoRows) {
		return nil, used
	}
	if err != nil {
		return nil, fmt.Errorf("meta: reset password: %w", err)
	}
	hash, err := s.hashPassword(ctx, password, a.Email)
	if err != nil {
		return nil, err
	}
	err = s.inTx(ctx, func(tx *sql.Tx) error {
		mine, err := inserted(tx.ExecContext(ctx, `DELETE FROM resets WHERE hash = ?`, hashSecret(secret)))
		if err != nil {
			return err
		}
		if !mine {
			return used
		}
		return setPassword(ctx, tx, a.ID, hash)
	})
	if err != nil {
		return nil, fmt.Errorf("meta: reset password: %w", err)
	}
	a.HasPassword = true
	return a, nil
}
