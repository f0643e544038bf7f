package meta

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"
)

// Deletion by age is final, so it must not follow a clock that jumped forward. The store has
// the last time that was trusted. A clock that is more than clockLeap ahead of it is in
// doubt: deletions use the trusted time until the new one has stood for clockPatience.
//
// The clock is not in doubt if the process itself has measured, with the monotonic clock,
// that this much time has passed. A server that was off for longer than clockLeap has not
// measured it, and waits too.
const (
	clockLeap     = 24 * time.Hour
	clockPatience = 24 * time.Hour
)

// Today is the time that deletions go by.
type Today struct {
	// Time is now, or an earlier time while the clock is in doubt.
	Time time.Time
	// Ahead is how far the clock is ahead of Time, 0 when it is not in doubt; Until is
	// when the clock will be trusted if it goes on.
	Ahead time.Duration
	Until time.Time
}

// InDoubt says whether the clock may have jumped forward.
func (t Today) InDoubt() bool { return t.Ahead > 0 }

// reading is what the clock showed, and the process's own measure beside it.
type reading struct{ wall, monotonic time.Time }

// ahead returns how much more the clock has moved since r than time has passed.
func (r reading) ahead(now time.Time) time.Duration { return now.Sub(r.wall) - time.Since(r.monotonic) }

// clockState is what this process has measured of the clock, besides what is stored.
type clockState struct {
	believed *reading
	doubted  *reading // when the doubt began, if it began in this process
}

// Today returns the time that deletions go by. To ask is to look at the clock: ask each hour.
func (s *Store) Today(ctx context.Context) (t Today, err error) {
	s.salts.mu.Lock()
	defer s.salts.mu.Unlock()
	err = s.inTx(ctx, func(tx *sql.Tx) error {
		t, err = s.today(ctx, tx)
		return err
	})
	if err != nil {
		return Today{}, fmt.Errorf("meta: today: %w", err)
	}
	return t, nil
}

// today is Today within a transaction. s.salts.mu is held.
func (s *Store) today(ctx context.Context, tx *sql.Tx) (Today, error) {
	now := s.clock.Now()
	var settled, doubted int64
	err := tx.QueryRowContext(ctx, `SELECT settled, doubted FROM clock WHERE id = 1`).Scan(&settled, &doubted)
	first := errors.Is(err, sql.ErrNoRows)
	if err != nil && !first {
		return Today{}, err
	}
	t := Today{Time: now}
	here := &reading{now, time.Now()}
	switch c := &s.ticks; {
	case first, !now.After(fromMicros(settled).Add(clockLeap)), c.believed != nil && c.believed.ahead(now) <= clockLeap:
		c.believed, c.doubted = here, nil
	default:
		since := fromMicros(doubted)
		if doubted == 0 || now.Before(since) || c.doubted != nil && c.doubted.ahead(now) > clockLeap {
			since, c.doubted = now, here // it jumped, or jumped once more
		}
		if !now.Before(since.Add(clockPatience)) {
			c.believed, c.doubted = here, nil
			break
		}
		last := fromMicros(settled)
		t = Today{Time: last, Ahead: now.Sub(last), Until: since.Add(clockPatience)}
		doubted = micros(since)
	}
	if !t.InDoubt() {
		settled, doubted = micros(now), 0
	}
	_, err = tx.ExecContext(ctx, `INSERT INTO clock (id, settled, doubted) VALUES (1, ?, ?)
ON CONFLICT (id) DO UPDATE SET settled = excluded.settled, doubted = excluded.doubted`, settled, doubted)
	return t, err
}
