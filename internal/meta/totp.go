package meta

import (
	"context"
	"crypto/subtle"
	"database/sql"
	"encoding/base32"
	"errors"
	"fmt"
	"strings"

	"github.com/pquerna/otp/hotp"
	weir "github.com/weir-analytics/weir"
)

// A second factor is a TOTP secret (RFC 6238: SHA-1, 6 digits, 30 s), as all authenticator
// apps have it, and recovery codes that work once each.
const (
	totpBytes  = 20 // RFC 4226, section 4
	totpPeriod = 30 // s
	// totpSlack is how many periods a clock may be wrong by.
	totpSlack = 1

	recoveryCodes = 10
	recoveryBytes = 10 // 80 bits, so that a fast hash will do
	useTOTP       = "totp/"
)

var errCode = weir.Errorf(weir.EUNAUTHORIZED, "code: wrong, used already, or too old")

// StartTOTP makes a secret for a user's second factor, which ConfirmTOTP turns on, and returns
// it in base32. Errors: ECONFLICT when one is on already, ENOTFOUND.
func (s *Store) StartTOTP(ctx context.Context, userID string) (secret string, err error) {
	secret = base32.StdEncoding.WithPadding(base32.NoPadding).EncodeToString(randomBytes(totpBytes))
	err = s.inTx(ctx, func(tx *sql.Tx) error {
		if _, err := scanAccount(tx.QueryRowContext(ctx, `SELECT `+accountColumns+` FROM users u WHERE u.id = ?`, userID)); err != nil {
			return missing(err, "no such user")
		}
		ok, err := inserted(tx.ExecContext(ctx, `INSERT INTO totp (user_id, secret, confirmed, last_step) VALUES (?, ?, 0, 0)
			ON CONFLICT (user_id) DO UPDATE SET secret = excluded.secret WHERE totp.confirmed = 0`, userID, s.seal(secret, useTOTP+userID)))
		if err == nil && !ok {
			return weir.Errorf(weir.ECONFLICT, "there is a second factor already: remove it first")
		}
		return err
	})
	if err != nil {
		return "", fmt.Errorf("meta: start totp: %w", err)
	}
	return secret, nil
}

// missing returns ENOTFOUND in the place of sql.ErrNoRows.
func missing(err error, message string) error {
	if errors.Is(err, sql.ErrNoRows) {
		return weir.Errorf(weir.ENOTFOUND, "%s", message)
	}
	return err
}

// ConfirmTOTP turns a second factor on by one of its codes, ends the user's sessions, and
// returns the recovery codes, this once. Errors: EUNAUTHORIZED for a wrong code, ECONFLICT when
// none was started.
func (s *Store) ConfirmTOTP(ctx context.Context, userID, code string) (recovery []string, err error) {
	err = s.inTx(ctx, func(tx *sql.Tx) error {
		step, err := s.totpStep(ctx, tx, userID, code, 0)
		if err != nil {
			return err
		}
		if _, err := tx.ExecContext(ctx, `UPDATE totp SET confirmed = 1, last_step = ? WHERE user_id = ?`, step, userID); err != nil {
			return err
		}
		if _, err := tx.ExecContext(ctx, `DELETE FROM sessions WHERE user_id = ?`, userID); err != nil {
			return err
		}
		recovery, err = newRecoveryCodes(ctx, tx, userID)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("meta: confirm totp: %w", err)
	}
	return recovery, nil
}

// totpStep returns the period of a code that is later than the last one that was used. Errors:
// EUNAUTHORIZED, ECONFLICT when the user has no secret of this state.
func (s *Store) totpStep(ctx context.Context, tx *sql.Tx, userID, code string, confirmed int) (step int64, err error) {
	var sealed string
	var last int64
	err = tx.QueryRowContext(ctx, `SELECT secret, last_step FROM totp WHERE user_id = ? AND confirmed = ?`, userID, confirmed).Scan(&sealed, &last)
	if errors.Is(err, sql.ErrNoRows) {
		return 0, weir.Errorf(weir.ECONFLICT, "no second factor is being set up")
	}
	if err != nil {
		return 0, err
	}
	secret, err := s.unseal(sealed, useTOTP+userID)
	if err != nil {
		return 0, fmt.Errorf("the secret of a second factor: %w", err)
	}
	now := s.clock.Now().Unix() / totpPeriod
	for step := now - totpSlack; step <= now+totpSlack; step++ {
		want, err := hotp.GenerateCode(secret, uint64(step)) //nolint:gosec // after 1970
		if err != nil {
			return 0, err
		}
		if step > last && subtle.ConstantTimeCompare([]byte(want), []byte(code)) == 1 {
			return step, nil
		}
	}
	return 0, errCode
}

// CheckTOTP accepts a code of a user's second factor, or a recovery code, each once: of several
// at once, one wins. Errors: EUNAUTHORIZED.
func (s *Store) CheckTOTP(ctx context.Context, userID, code string) error {
	code = normalCode(code)
	err := s.inTx(ctx, func(tx *sql.Tx) error {
		if len(code) > totpDigits {
			ok, err := inserted(tx.ExecContext(ctx, `DELETE FROM recovery_codes WHERE user_id = ? AND hash = ?`, userID, recoveryHash(userID, code)))
			if err == nil && !ok {
				err = errCode
			}
			return err
		}
		step, err := s.totpStep(ctx, tx, userID, code, 1)
		if err != nil {
			return err
		}
		_, err = tx.ExecContext(ctx, `UPDATE totp SET last_step = ? WHERE user_id = ?`, step, userID)
		return err
	})
	if err != nil {
		return fmt.Errorf("meta: check totp: %w", err)
	}
	return nil
}

const totpDigits = 6

// normalCode returns a code without the spaces and hyphens that people read it with.
func normalCode(code string) string {
	return strings.ToLower(strings.NewReplacer(" ", "", "-", "").Replace(code))
}

func recoveryHash(userID, code string) string { return hashSecret(userID + " " + code) }

// newRecoveryCodes replaces a user's recovery codes.
func newRecoveryCodes(ctx context.Context, tx *sql.Tx, userID string) (all []string, err error) {
	if _, err := tx.ExecContext(ctx, `DELETE FROM recovery_codes WHERE user_id = ?`, userID); err != nil {
		return nil, err
	}
	for range recoveryCodes {
		code := base32Lower.EncodeToString(randomBytes(recoveryBytes))
		if _, err := tx.ExecContext(ctx, `INSERT INTO recovery_codes (user_id, hash) VALUES (?, ?)`, userID, recoveryHash(userID, code)); err != nil {
			return nil, err
		}
		all = append(all, code[:4]+"-"+code[4:8]+"-"+code[8:12]+"-"+code[12:])
	}
	return all, nil
}

// NewRecoveryCodes replaces a user's recovery codes and returns the new ones, this once. Errors:
// ECONFLICT without a second factor.
func (s *Store) NewRecoveryCodes(ctx context.Context, userID string) (all []string, err error) {
	err = s.inTx(ctx, func(tx *sql.Tx) error {
		a, err := scanAccount(tx.QueryRowContext(ctx, `SELECT `+accountColumns+` FROM users u WHERE u.id = ?`, userID))
		if err != nil {
			return missing(err, "no such user")
		}
		if !a.SecondFactor {
			return weir.Errorf(weir.ECONFLICT, "there is no second factor: set one up first")
		}
		all, err = newRecoveryCodes(ctx, tx, userID)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("meta: new recovery codes: %w", err)
	}
	return all, nil
}

// RemoveTOTP takes a user's second factor and recovery codes off, and ends the user's sessions.
func (s *Store) RemoveTOTP(ctx context.Context, userID string) error {
	err := s.inTx(ctx, func(tx *sql.Tx) error {
		for _, query := range []string{
			`DELETE FROM totp WHERE user_id = ?`, `DELETE FROM recovery_codes WHERE user_id = ?`, `DELETE FROM sessions WHERE user_id = ?`,
		} {
			if _, err := tx.ExecContext(ctx, query, userID); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("meta: remove totp: %w", err)
	}
	return nil
}
