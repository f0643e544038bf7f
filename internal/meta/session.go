package meta

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	weir "github.com/weir-analytics/weir"
)

// A session ends SessionIdle after its last use, and SessionFor after it began.
const (
	SessionIdle = 7 * 24 * time.Hour
	SessionFor  = 30 * 24 * time.Hour
)

const (
	// sessionsOfUser bounds the sessions of one user: the one that was used least lately
	// ends.
	sessionsOfUser = 100
	// usedEvery is how often a session's last use is stored.
	usedEvery = time.Minute
)

// sessionPrefix is that of a session's secret.
const sessionPrefix = "ws_"

// Place is where a session is used from: as much as helps its user to recognise it.
type Place struct {
	Device  string // browser and system, such as Firefox on Linux
	Country string // ISO 3166-1, "" if unknown
	Network string // of the address, such as 192.0.2.0/24
}

// Method is how a session began.
type Method string

// The methods.
const (
	ByPassword Method = "password" // with a code if the user has a second factor
	ByProvider Method = "provider"
)

// Session is a login session. Its secret is stored hashed.
type Session struct {
	ID        string
	CreatedAt time.Time
	UsedAt    time.Time // to the minute
	Place     Place     // of the last use
	Method    Method

	hash string
}

// EndsAt is when the session ends if it is not used again.
func (x *Session) EndsAt() time.Time {
	idle, end := x.UsedAt.Add(SessionIdle), x.CreatedAt.Add(SessionFor)
	if end.Before(idle) {
		return end
	}
	return idle
}

// BeginSession signs a user in, and returns the session's secret, this once. It ends the
// session of the secret before, if there is one. Errors: EUNAUTHORIZED for an account that
// is inactive or gone.
func (s *Store) BeginSession(ctx context.Context, userID string, by Method, at Place, before string) (secret string, err error) {
	secret = newSecret(sessionPrefix)
	now := s.clock.Now()
	err = s.inTx(ctx, func(tx *sql.Tx) error {
		if err := dropSessions(ctx, tx, userID, before, now); err != nil {
			return err
		}
		// From users, so that one who is deactivated at the same moment gets none.
		ok, err := inserted(tx.ExecContext(ctx, `INSERT INTO sessions (hash, id, user_id, created_at, used_at, device, country, network, method)
			SELECT CAST(? AS TEXT), CAST(? AS TEXT), id, CAST(? AS BIGINT), CAST(? AS BIGINT), CAST(? AS TEXT), CAST(? AS TEXT), CAST(? AS TEXT), CAST(? AS TEXT) FROM users WHERE id = ? AND inactive = 0`,
			hashSecret(secret), newID(), micros(now), micros(now), at.Device, at.Country, at.Network, string(by), userID))
		if err == nil && !ok {
			return errInactive
		}
		return err
	})
	if err != nil {
		return "", fmt.Errorf("meta: begin session: %w", err)
	}
	return secret, nil
}

// dropSessions deletes the session of the secret before, those that are over, and the user's
// oldest, if there are too many.
func dropSessions(ctx context.Context, tx *sql.Tx, userID, before string, now time.Time) error {
	if _, err := tx.ExecContext(ctx, `DELETE FROM sessions WHERE used_at <= ? OR created_at <= ? OR hash = ?`,
		micros(now.Add(-SessionIdle)), micros(now.Add(-SessionFor)), hashSecret(before)); err != nil {
		return err
	}
	_, err := tx.ExecContext(ctx, `DELETE FROM sessions WHERE user_id = ? AND hash NOT IN
		(SELECT hash FROM sessions WHERE user_id = ? ORDER BY used_at DESC, hash LIMIT ?)`, userID, userID, sessionsOfUser-1)
	return err
}

const sessionColumns = `s.id, s.hash, s.created_at, s.used_at, s.device, s.country, s.network, s.method`

func (x *Session) columns(created, used *int64) []any {
	return []any{&x.ID, &x.hash, created, used, &x.Place.Device, &x.Place.Country, &x.Place.Network, &x.Method}
}

// Session returns the session of a secret and its user. Errors: ENOTFOUND when there is none,
// or it is over.
func (s *Store) Session(ctx context.Context, secret string) (*Session, *Account, error) {
	var x Session
	var created, used int64
	a, err := scanAccount(s.read.QueryRowContext(ctx,
		`SELECT `+accountColumns+`, `+sessionColumns+` FROM sessions s JOIN users u ON u.id = s.user_id WHERE s.hash = ?`, hashSecret(secret)),
		x.columns(&created, &used)...)
	if err != nil && !errors.Is(err, sql.ErrNoRows) {
		return nil, nil, fmt.Errorf("meta: session: %w", err)
	}
	x.CreatedAt, x.UsedAt = fromMicros(created), fromMicros(used)
	if err != nil || a.Inactive || !s.clock.Now().Before(x.EndsAt()) {
		return nil, nil, weir.Errorf(weir.ENOTFOUND, "no such session")
	}
	return &x, a, nil
}

// UseSession stores that a session is used from a place, once a minute at most.
func (s *Store) UseSession(ctx context.Context, x *Session, at Place) error {
	now := s.clock.Now()
	if now.Sub(x.UsedAt) < usedEvery {
		return nil
	}
	_, err := s.write.ExecContext(ctx, `UPDATE sessions SET used_at = ?, device = ?, country = ?, network = ? WHERE hash = ? AND used_at < ?`,
		micros(now), at.Device, at.Country, at.Network, x.hash, micros(now))
	if err != nil {
		return fmt.Errorf("meta: use session: %w", err)
	}
	return nil
}

// Sessions returns a user's sessions, the one that was used last first.
func (s *Store) Sessions(ctx context.Context, userID string) ([]Session, error) {
	rows, err := s.read.QueryContext(ctx, `SELECT `+sessionColumns+` FROM sessions s WHERE s.user_id = ? ORDER BY s.used_at DESC, s.id`, userID)
	if err != nil {
		return nil, fmt.Errorf("meta: sessions: %w", err)
	}
	defer rows.Close()
	var all []Session
	for rows.Next() {
		var x Session
		var created, used int64
		if err := rows.Scan(x.columns(&created, &used)...); err != nil {
			return nil, fmt.Errorf("meta: sessions: %w", err)
		}
		x.CreatedAt, x.UsedAt = fromMicros(created), fromMicros(used)
		if s.clock.Now().Before(x.EndsAt()) {
			all = append(all, x)
		}
	}
	if err := rows.Err(); err != nil {
		return nil, fmt.Errorf("meta: sessions: %w", err)
	}
	return all, nil
}

// EndSession ends one session of a user. Errors: ENOTFOUND.
func (s *Store) EndSession(ctx context.Context, userID, id string) error {
	ok, err := inserted(s.write.ExecContext(ctx, `DELETE FROM sessions WHERE user_id = ? AND id = ?`, userID, id))
	if err != nil {
		return fmt.Errorf("meta: end session: %w", err)
	}
	if !ok {
		return weir.Errorf(weir.ENOTFOUND, "no such session")
	}
	return nil
}

// EndSessions ends all sessions of a user.
func (s *Store) EndSessions(ctx context.Context, userID string) error {
	if _, err := s.write.ExecContext(ctx, `DELETE FROM sessions WHERE user_id = ?`, userID); err != nil {
		return fmt.Errorf("meta: end sessions: %w", err)
	}
	return nil
}
