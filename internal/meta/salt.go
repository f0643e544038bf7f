package meta

import (
	"context"
	"database/sql"
	"encoding/base64"
	"errors"
	"fmt"
	"sync"
	"time"

	weir "github.com/weir-analytics/weir"
)

const (
	dailySaltLen  = 32 // bytes
	importSaltLen = 32 // bytes
)

// saltAhead is how long before midnight the next day's salt is made: so much may the
// clocks of nodes differ and each has the salts that the others go by.
const saltAhead = 10 * time.Minute

// saltCache holds the last answer of Salts: there are two new ones a day.
type saltCache struct {
	mu        sync.Mutex
	day, next string
	today     []byte
	others    [][]byte

	read  []salt    // all that were read last, by day
	retry time.Time // the store is not asked before: it was unavailable
}

// salt is the salt of a day.
type salt struct {
	day   string
	bytes []byte
}

// saltOf returns a day's salt, nil if it is not among them, and the others of the days from the one
// before it.
func saltOf(day time.Time, all []salt) (today []byte, others [][]byte) {
	name, first := day.UTC().Format(time.DateOnly), dayStart(day).AddDate(0, 0, -1).Format(time.DateOnly)
	for _, s := range all {
		switch {
		case s.day == name:
			today = s.bytes
		case s.day >= first:
			others = append(others, s.bytes)
		}
	}
	return today, others
}

// Salts returns the secrets that device ids of a day, in UTC, are derived under:
// that day's, made when first asked for, and the others under which a device or an event
// may have been taken in: the day before's, if that had one, and those of later days,
// which are there when a clock was set back, and before midnight, since other nodes' clocks
// may be ahead. Older ones are destroyed, so that ids of two days ago cannot be
// derived again by anybody; while the clock is in doubt they are kept, see Today. All
// are read-only. While the store is unavailable it returns those that it read last, if the day's is
// among them. Errors: EINVALID for a day more than one away from the clock's, which
// has no salt or not yet.
func (s *Store) Salts(ctx context.Context, day time.Time) (today []byte, others [][]byte, err error) {
	name, next := day.UTC().Format(time.DateOnly), day.UTC().Add(saltAhead).Format(time.DateOnly)
	s.salts.mu.Lock()
	defer s.salts.mu.Unlock()
	if s.salts.day == name && s.salts.next == next {
		return s.salts.today, s.salts.others, nil
	}
	now := s.clock.Now()
	if d := dayStart(day).Sub(dayStart(now)); d < -24*time.Hour || d > 24*time.Hour {
		return nil, nil, weir.Errorf(weir.EINVALID, "the salt of %s is destroyed or not made yet", name)
	}
	known, knownOthers := saltOf(day, s.salts.read)
	if known != nil {
		if wait := s.salts.retry.Sub(now); wait > 0 && wait <= askAgain {
			return known, knownOthers, nil
		}
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, askFor)
		defer cancel()
	}
	var destroyed bool
	var all []salt
	err = s.inTx(ctx, func(tx *sql.Tx) error {
		var err error
		if _, destroyed, err = s.destroySalts(ctx, tx, day); err != nil {
			return err
		}
		for _, d := range []string{name, next} {
			fresh := randomBytes(dailySaltLen)
			_, err = tx.ExecContext(ctx, `INSERT INTO salts (day, salt) VALUES (?, ?) ON CONFLICT DO NOTHING`,
				d, base64.StdEncoding.EncodeToString(fresh))
			if err != nil {
				return err
			}
		}
		all, err = readSalts(ctx, tx, day)
		return err
	})
	if known != nil && unavailable(err) {
		s.salts.retry = now.Add(askAgain)
		return known, knownOthers, nil
	}
	if err != nil {
		return nil, nil, fmt.Errorf("meta: salts: %w", err)
	}
	today, others = saltOf(day, all)
	s.salts.read = all
	if destroyed {
		// If this fails, the caller gets its salt all the same: the hourly job tries again, and
		// reports a failure.
		if err := s.ForgetSalts(ctx); err != nil && !errors.Is(err, errRead) && !unavailable(err) {
			return nil, nil, err
		}
	}
	if !dayStart(day).Before(dayStart(now)) {
		s.salts.day, s.salts.next, s.salts.today, s.salts.others = name, next, today, others
	}
	return today, others, nil
}

// DestroySalts destroys the salts of before yesterday, and those that an earlier call
// could not. It returns the day that it went by.
func (s *Store) DestroySalts(ctx context.Context) (t Today, err error) {
	s.salts.mu.Lock()
	defer s.salts.mu.Unlock()
	err = s.inTx(ctx, func(tx *sql.Tx) error {
		t, _, err = s.destroySalts(ctx, tx, s.clock.Now())
		return err
	})
	if err != nil {
		return t, fmt.Errorf("meta: destroy old salts: %w", err)
	}
	return t, s.ForgetSalts(ctx)
}

// destroySalts deletes those that neither a day needs nor today. A request that began
// before midnight asks for the old day after it.
func (s *Store) destroySalts(ctx context.Context, tx *sql.Tx, day time.Time) (t Today, destroyed bool, err error) {
	if t, err = s.today(ctx, tx); err != nil {
		return t, false, err
	}
	oldest := dayStart(day)
	if d := dayStart(t.Time); d.Before(oldest) {
		oldest = d
	}
	destroyed, err = inserted(tx.ExecContext(ctx, `DELETE FROM salts WHERE day < ?`, oldest.AddDate(0, 0, -1).Format(time.DateOnly)))
	return t, destroyed, err
}

// errRead is a file that somebody else reads for long.
var errRead = errors.New("another process is reading the file")

// ForgetSalts removes the salts that were destroyed from the files of the database. It does not
// wait: it fails when another process is reading the salts, and is to be called
// again later.
func (s *Store) ForgetSalts(ctx context.Context) error {
	if err := s.forget(ctx); err != nil {
		return fmt.Errorf("meta: destroy old salts: %w", err)
	}
	return nil
}

// laterSalts bounds how many salts of later days are asked for. A clock that was wrong
// often may have made more; each costs a look-up of each event.
const laterSalts = 2

// readSalts returns the salts of a day, of the day before it and of later ones, by day.
func readSalts(ctx context.Context, tx *sql.Tx, day time.Time) ([]salt, error) {
	rows, err := tx.QueryContext(ctx, `SELECT day, salt FROM salts WHERE day >= ? ORDER BY day LIMIT ?`,
		dayStart(day).AddDate(0, 0, -1).Format(time.DateOnly), 2+laterSalts)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var all []salt
	for rows.Next() {
		var x salt
		var text string
		if err := rows.Scan(&x.day, &text); err != nil {
			return nil, err
		}
		if x.bytes, err = base64.StdEncoding.DecodeString(text); err != nil {
			return nil, err
		}
		all = append(all, x)
	}
	return all, rows.Err()
}

// ImportSalt returns the secret that device ids of a project's imported logs are
// derived under. It never changes, so that importing a log again derives the
// same ids. Errors: ENOTFOUND.
func (s *Store) ImportSalt(ctx context.Context, projectID string) ([]byte, error) {
	var text string
	err := s.read.QueryRowContext(ctx, `SELECT import_salt FROM projects WHERE id = ?`, projectID).Scan(&text)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, weir.Errorf(weir.ENOTFOUND, "no such project")
	}
	if err != nil {
		return nil, fmt.Errorf("meta: import salt: %w", err)
	}
	salt, err := base64.StdEncoding.DecodeString(text)
	if err != nil {
		return nil, fmt.Errorf("meta: import salt: %w", err)
	}
	return salt, nil
}

func dayStart(t time.Time) time.Time {
	y, m, d := t.UTC().Date()
	return time.Date(y, m, d, 0, 0, 0, 0, time.UTC)
}
