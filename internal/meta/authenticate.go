package meta

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	weir "github.com/weir-analytics/weir"
	"github.com/weir-analytics/weir/internal/password"
)

// Authenticate returns the account of an address and its password. Errors: EUNAUTHORIZED,
// the same and after the same work whether the address or the password is wrong, and with
// another message for the right password of an inactive account.
func (s *Store) Authenticate(ctx context.Context, email, password string) (*Account, error) {
	var a *Account
	var hash string
	if email, err := normalEmail(email); err == nil {
		var stored string
		found, err := scanAccount(s.read.QueryRowContext(ctx, `SELECT `+accountColumns+`, u.password FROM users u WHERE u.email = ?`, email), &stored)
		switch {
		case err == nil:
			a, hash = found, stored
		case !errors.Is(err, sql.ErrNoRows):
			return nil, fmt.Errorf("meta: authenticate: %w", err)
		}
	}
	ok, outdated, err := s.hasher.Verify(ctx, password, hash)
	if err != nil {
		return nil, fmt.Errorf("meta: authenticate: %w", err)
	}
	if !ok || a == nil {
		return nil, weir.Errorf(weir.EUNAUTHORIZED, "wrong email or password")
	}
	if a.Inactive {
		return nil, errInactive
	}
	if outdated {
		if err := s.rehash(ctx, a.ID, password, hash); err != nil {
			return nil, err
		}
	}
	return a, nil
}

var errInactive = weir.Errorf(weir.EUNAUTHORIZED, "this account is deactivated: ask an administrator of this server")

// rehash stores a hash of the password that has today's cost, unless the password was
// changed meanwhile.
func (s *Store) rehash(ctx context.Context, userID, password, before string) error {
	hash, err := s.hasher.Hash(ctx, password)
	if err == nil {
		_, err = s.write.ExecContext(ctx, `UPDATE users SET password = ? WHERE id = ? AND password = ?`, hash, userID, before)
	}
	if err != nil {
		return fmt.Errorf("meta: store a password's new hash: %w", err)
	}
	return nil
}

// SetPassword changes a user's password, and ends the user's sessions and links to reset the
// password. Errors: ENOTFOUND, EINVALID.
func (s *Store) SetPassword(ctx context.Context, userID, password string) error {
	u, err := s.User(ctx, userID)
	if err != nil {
		return err
	}
	hash, err := s.hashPassword(ctx, password, u.Email)
	if err != nil {
		return err
	}
	if err := s.inTx(ctx, func(tx *sql.Tx) error { return setPassword(ctx, tx, userID, hash) }); err != nil {
		return fmt.Errorf("meta: set password: %w", err)
	}
	return nil
}

func setPassword(ctx context.Context, tx *sql.Tx, userID, hash string) error {
	found, err := inserted(tx.ExecContext(ctx, `UPDATE users SET password = ? WHERE id = ?`, hash, userID))
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
	return nil
}

// hashPassword checks the password of an address, and hashes it. Errors: EINVALID.
func (s *Store) hashPassword(ctx context.Context, text, email string) (string, error) {
	if err := password.Check(text, email); err != nil {
		return "", err
	}
	hash, err := s.hasher.Hash(ctx, text)
	if err != nil {
		return "", fmt.Errorf("meta: %w", err)
	}
	return hash, nil
}
