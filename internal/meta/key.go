package meta

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"
	"time"

	weir "github.com/weir-analytics/weir"
)

// Key is what is stored about a write key. The key itself is shown once,
// when it is made; who lost it makes another, as a project may have many.
type Key struct {
	ID        string
	Last4     string // the key's last characters
	CreatedAt time.Time
	RevokedAt time.Time // when it ends or ended: zero while it is good without an end
	// Origins are the hosts whose pages may send with it; none: everybody who has it may.
	Origins []string
}

// execer is a *sql.DB or *sql.Tx.
type execer interface {
	ExecContext(ctx context.Context, query string, args ...any) (sql.Result, error)
}

// CreateKey makes one more write key for a project and returns it, this once. With origins
// it is only for the pages of these hosts. Errors: EINVALID, ENOTFOUND.
func (s *Store) CreateKey(ctx context.Context, projectID string, origins ...string) (k *Key, writeKey string, err error) {
	if origins, err = normalOrigins(origins); err != nil {
		return nil, "", err
	}
	k, writeKey, err = s.addKey(ctx, s.write, projectID, origins)
	if err != nil {
		return nil, "", fmt.Errorf("meta: create key: %w", err)
	}
	return k, writeKey, nil
}

func (s *Store) addKey(ctx context.Context, db execer, projectID string, origins []string) (*Key, string, error) {
	secret := newSecret(KeyPrefix)
	k, err := s.storeKey(ctx, db, projectID, secret, origins)
	if err != nil {
		return nil, "", err
	}
	return k, secret, nil
}

// AddKey adds a key that the caller chose, for a demo or a test. Errors: EINVALID when it lacks the prefix or is shorter than 16
// characters, ECONFLICT when it is taken, ENOTFOUND.
func (s *Store) AddKey(ctx context.Context, projectID, writeKey string) (*Key, error) {
	if len(writeKey) < 16 || writeKey[:len(KeyPrefix)] != KeyPrefix {
		return nil, weir.Errorf(weir.EINVALID, "a write key begins with %s and has 16 characters or more", KeyPrefix)
	}
	k, err := s.storeKey(ctx, s.write, projectID, writeKey, nil)
	if err != nil {
		return nil, fmt.Errorf("meta: add key: %w", err)
	}
	return k, nil
}

func (s *Store) storeKey(ctx context.Context, db execer, projectID, secret string, origins []string) (*Key, error) {
	k, err := s.insertKey(ctx, db, projectID, secret, origins)
	if err != nil {
		return nil, err
	}
	if k == nil {
		if _, err := s.Project(ctx, projectID); err != nil {
			return nil, err
		}
		return nil, weir.Errorf(weir.ECONFLICT, "this write key is taken")
	}
	s.changed()
	return k, nil
}

// insertKey stores a key. It returns nil if the key is taken or the project is missing.
func (s *Store) insertKey(ctx context.Context, db execer, projectID, secret string, origins []string) (*Key, error) {
	k := &Key{ID: newID(), Last4: last4(secret), CreatedAt: s.clock.Now(), Origins: origins}
	hash := hashSecret(secret)
	ok, err := inserted(db.ExecContext(ctx, `INSERT INTO write_keys (id, project_id, hash, last4, created_at, origins)
		SELECT ?, p.id, ?, ?, ?, ? FROM projects p
		WHERE p.id = ? AND NOT EXISTS (SELECT 1 FROM write_keys k WHERE k.hash = ?)`,
		k.ID, hash, k.Last4, micros(k.CreatedAt), joined(origins), projectID, hash))
	if err != nil {
		return nil, err
	}
	if !ok {
		return nil, nil //nolint:nilnil // see above
	}
	return k, nil
}

// MaxOverlap is the longest time that a rotated key stays good.
const MaxOverlap = 366 * 24 * time.Hour

// RotateKey makes a key in the place of another, with the same origins, and returns it, this
// once. The other one is good for the overlap still. Errors: EINVALID for the overlap, ENOTFOUND, also for a key
// that was revoked or rotated before.
func (s *Store) RotateKey(ctx context.Context, projectID, keyID string, overlap time.Duration) (k *Key, writeKey string, err error) {
	if overlap < 0 || overlap > MaxOverlap {
		return nil, "", weir.Errorf(weir.EINVALID, "overlap: 0 to %d days", int(MaxOverlap.Hours()/24))
	}
	err = s.inTx(ctx, func(tx *sql.Tx) error {
		var origins sql.NullString
		err := tx.QueryRowContext(ctx, `SELECT origins FROM write_keys WHERE id = ? AND project_id = ? AND revoked_at IS NULL`, keyID, projectID).Scan(&origins)
		if errors.Is(err, sql.ErrNoRows) {
			return weir.Errorf(weir.ENOTFOUND, "no such write key, or it ends already")
		}
		if err != nil {
			return err
		}
		if _, err := tx.ExecContext(ctx, `UPDATE write_keys SET revoked_at = ? WHERE id = ?`, micros(s.clock.Now().Add(overlap)), keyID); err != nil {
			return err
		}
		writeKey = newSecret(KeyPrefix)
		k, err = s.insertKey(ctx, tx, projectID, writeKey, split(origins))
		return err
	})
	if err != nil {
		return nil, "", fmt.Errorf("meta: rotate key: %w", err)
	}
	s.changed()
	return k, writeKey, nil
}

// Keys returns a project's keys, newest first, revoked ones too.
func (s *Store) Keys(ctx context.Context, projectID string) ([]Key, error) {
	rows, err := s.read.QueryContext(ctx, `SELECT id, last4, created_at, revoked_at, origins
		FROM write_keys WHERE project_id = ? ORDER BY created_at DESC, id`, projectID)
	if err != nil {
		return nil, fmt.Errorf("meta: keys: %w", err)
	}
	defer rows.Close()
	var keys []Key
	for rows.Next() {
		var k Key
		var created int64
		var revoked sql.NullInt64
		var origins sql.NullString
		if err := rows.Scan(&k.ID, &k.Last4, &created, &revoked, &origins); err != nil {
			return nil, fmt.Errorf("meta: keys: %w", err)
		}
		k.CreatedAt, k.Origins = fromMicros(created), split(origins)
		if revoked.Valid {
			k.RevokedAt = fromMicros(revoked.Int64)
		}
		keys = append(keys, k)
	}
	if err := rows.Err(); err != nil {
		return nil, fmt.Errorf("meta: keys: %w", err)
	}
	return keys, nil
}

// RevokeKey ends a key at once, also one that was rotated; events that it sent stay. Errors: ENOTFOUND, also for a
// key that was revoked before.
func (s *Store) RevokeKey(ctx context.Context, projectID, keyID string) error {
	now := s.clock.Now()
	ok, err := inserted(s.write.ExecContext(ctx,
		`UPDATE write_keys SET revoked_at = ? WHERE id = ? AND project_id = ? AND (revoked_at IS NULL OR revoked_at > ?)`,
		micros(now), keyID, projectID, micros(now)))
	if err != nil {
		return fmt.Errorf("meta: revoke key: %w", err)
	}
	if !ok {
		return weir.Errorf(weir.ENOTFOUND, "no such write key")
	}
	s.changed()
	return nil
}

// ProjectByKey returns the project that a write key, or a project's token with the scope
// ingest, writes to, with the key's origins. It is shared: do not change it. Errors: ENOTFOUND.
func (s *Store) ProjectByKey(ctx context.Context, writeKey string) (*weir.Project, error) {
	hash := hashSecret(writeKey)
	return s.projects.getUntil(ctx, "key:"+hash, func(ctx context.Context) (*weir.Project, time.Time, error) {
		p, ends, err := s.readByKey(ctx, hash)
		if err == nil || weir.ErrorCode(err) != weir.ENOTFOUND || !strings.HasPrefix(writeKey, TokenPrefix) {
			return p, ends, err
		}
		return s.readByToken(ctx, hash)
	})
}

// readByKey returns the project of a key, and when the key ends: zero if it does not.
func (s *Store) readByKey(ctx context.Context, hash string) (p *weir.Project, ends time.Time, err error) {
	var origins sql.NullString
	var revoked sql.NullInt64
	p, err = scanProject(s.read.QueryRowContext(ctx, `SELECT `+projectColumns+`, k.origins, k.revoked_at
		FROM write_keys k JOIN projects p ON p.id = k.project_id
		WHERE k.hash = ? AND (k.revoked_at IS NULL OR k.revoked_at > ?)`, hash, micros(s.clock.Now())), &origins, &revoked)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, ends, weir.Errorf(weir.ENOTFOUND, "unknown write key")
	}
	if err != nil {
		return nil, ends, fmt.Errorf("meta: project by key: %w", err)
	}
	if revoked.Valid {
		ends = fromMicros(revoked.Int64)
	}
	p.KeyOrigins = split(origins)
	return p, ends, nil
}

// readByToken returns the project that a token may send events to, and when the token ends.
func (s *Store) readByToken(ctx context.Context, hash string) (*weir.Project, time.Time, error) {
	t, err := s.readToken(ctx, hash)
	if err != nil {
		return nil, time.Time{}, err
	}
	ended := !t.ExpiresAt.IsZero() && !s.clock.Now().Before(t.ExpiresAt)
	if ended || t.UserID != "" || t.ProjectID == "" || !t.Scopes.Has(weir.ScopeIngest) {
		return nil, time.Time{}, weir.Errorf(weir.ENOTFOUND, "unknown write key, or a token that may not send events")
	}
	p, err := s.Project(ctx, t.ProjectID)
	if err == nil {
		s.noteUse(ctx, t)
	}
	return p, t.ExpiresAt, err
}
