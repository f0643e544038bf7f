package meta

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	weir "github.com/weir-analytics/weir"
)

const readShares = `SELECT h.id, h.project_id, h.sealed, h.shows, h.item, h.password, h.origins, h.created_by, coalesce(u.email, ''), h.created_at, h.ends_at, h.last_used_at
	FROM shares h LEFT JOIN users u ON u.id = h.created_by `

var errNoShare = weir.Errorf(weir.ENOTFOUND, "no such shared link")

// Shares returns the shared links of a project, newest first, also those that have ended.
func (s *Store) Shares(ctx context.Context, projectID string) ([]Share, error) {
	rows, err := s.read.QueryContext(ctx, readShares+`WHERE h.project_id = ? ORDER BY h.created_at DESC, h.id`, projectID)
	return collect(rows, err, "shared links", s.scanShare)
}

func (s *Store) projectShare(ctx context.Context, projectID, id string) (*Share, error) {
	return s.oneShare(s.read.QueryRowContext(ctx, readShares+`WHERE h.id = ? AND h.project_id = ?`, id, projectID))
}

func (s *Store) oneShare(row scanner) (*Share, error) {
	x, err := s.scanShare(row)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, errNoShare
	}
	if err != nil {
		return nil, fmt.Errorf("meta: shared link: %w", err)
	}
	return x, nil
}

// Share returns the shared link of a secret, and notes that it is used. It reads the store each time, as Token does, so
// that a link that any node ended is good nowhere. The share is shared: do not change it. Errors: ENOTFOUND, also for one that has
// ended.
func (s *Store) Share(ctx context.Context, secret string) (*Share, error) {
	hash := hashSecret(secret)
	x, err := s.shares.refresh(hash, func() (*Share, error) {
		return s.oneShare(s.read.QueryRowContext(ctx, readShares+`WHERE h.hash = ?`, hash))
	})
	if err != nil {
		return nil, err
	}
	now := s.clock.Now()
	if x.Ended(now) {
		return nil, errNoShare
	}
	if now.Sub(x.UsedAt) >= useEvery { // if it is not noted, the request goes on
		_, _ = s.write.ExecContext(ctx, `UPDATE shares SET last_used_at = ? WHERE id = ? AND (last_used_at IS NULL OR last_used_at <= ?)`,
			micros(now), x.ID, micros(now.Add(-useEvery)))
	}
	return x, nil
}

// OpenShare checks the password of a shared link. Error: EUNAUTHORIZED.
func (s *Store) OpenShare(ctx context.Context, x *Share, password string) error {
	ok, _, err := s.hasher.Verify(ctx, password, x.password)
	if err != nil {
		return fmt.Errorf("meta: password of a shared link: %w", err)
	}
	if !ok {
		return weir.Errorf(weir.EUNAUTHORIZED, "wrong password")
	}
	return nil
}

func (s *Store) scanShare(row scanner) (*Share, error) {
	var x Share
	var sealed string
	var origins sql.NullString
	var created int64
	var ends, used sql.NullInt64
	if err := row.Scan(&x.ID, &x.ProjectID, &sealed, &x.Shows, &x.Item, &x.password, &origins, &x.Maker, &x.MakerName, &created, &ends, &used); err != nil {
		return nil, err
	}
	x.Origins, x.CreatedAt = split(origins), fromMicros(created)
	if ends.Valid {
		x.EndsAt = fromMicros(ends.Int64)
	}
	if used.Valid {
		x.UsedAt = fromMicros(used.Int64)
	}
	x.Secret, _ = s.unseal(sealed, useShare+x.ID) // the ring that encrypted it is lost
	return &x, nil
}
