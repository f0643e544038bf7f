// Package meta stores users, projects, roles, keys, tokens, login sessions and salts in
// SQLite. Its SQL is SQL that PostgreSQL reads too.
//
// No secret that lets somebody in is stored in clear: passwords are argon2id hashes; write
// keys, API tokens and session tokens are SHA-256 sums (they are random, with 128 bits or
// more, so a slow hash would add nothing). The keys of Secret are stored in clear: they
// sign, and let nobody in.
package meta

import (
	"context"
	"database/sql"
	"encoding/hex"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"time"

	weir "github.com/weir-analytics/weir"
	_ "modernc.org/sqlite" // the "sqlite" driver
)

// ErrNewer is returned by Open when a newer version of Weir wrote the store.
var ErrNewer = errors.New("meta: store was written by a newer version of Weir")

// Store is the open store. All methods are safe for concurrent use.
type Store struct {
	write *sql.DB // one connection: SQLite takes one writer at a time
	read  *sql.DB
	id    string

	clock    weir.Clock
	hasher   *hasher
	projects *cache[*weir.Project]
	tokens   *cache[*Token]
	salts    saltCache
	ticks    clockState // guarded by salts.mu
}

// Option changes how Open sets the store up.
type Option func(*Store)

// WithPasswordCost sets the cost of new password hashes: memory in KiB and
// passes over it. Hashes that exist keep theirs. Low costs are for tests.
func WithPasswordCost(memoryKiB, passes uint32) Option {
	return func(s *Store) { s.hasher.cost.memory, s.hasher.cost.passes = memoryKiB, passes }
}

// Open opens the store at path, making the file and its directory, readable to
// the owner alone, when missing, and brings its schema up to date. Errors:
// ErrNewer. The caller closes the store.
func Open(ctx context.Context, path string, clock weir.Clock, opts ...Option) (*Store, error) {
	s := &Store{
		clock:    clock,
		hasher:   newHasher(),
		projects: newCache[*weir.Project](clock),
		tokens:   newCache[*Token](clock),
	}
	for _, o := range opts {
		o(s)
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return nil, fmt.Errorf("meta: open %s: %w", path, err)
	}
	// SQLite would make the file readable to all; its WAL takes on the mode.
	f, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, fmt.Errorf("meta: open: %w", err)
	}
	if err := f.Close(); err != nil {
		return nil, fmt.Errorf("meta: open %s: %w", path, err)
	}
	if s.write, err = openDB(path, 1, "secure_delete(1)"); err != nil {
		return nil, err
	}
	if err := s.migrate(ctx); err != nil {
		return nil, errors.Join(fmt.Errorf("meta: open %s: %w", path, err), s.write.Close())
	}
	if err := s.identify(ctx); err != nil {
		return nil, errors.Join(fmt.Errorf("meta: open %s: %w", path, err), s.write.Close())
	}
	if s.read, err = openDB(path, 4, "query_only(1)"); err != nil {
		return nil, errors.Join(err, s.write.Close())
	}
	return s, nil
}

// identify reads the store's id, or makes it.
func (s *Store) identify(ctx context.Context) error {
	fresh := randomBytes(16)
	err := s.inTx(ctx, func(tx *sql.Tx) error {
		if _, err := tx.ExecContext(ctx, `INSERT INTO store (only_row, id) VALUES (1, ?) ON CONFLICT DO NOTHING`, hex.EncodeToString(fresh)); err != nil {
			return err
		}
		return tx.QueryRowContext(ctx, `SELECT id FROM store`).Scan(&s.id)
	})
	if err != nil {
		return fmt.Errorf("read the store's id: %w", err)
	}
	return nil
}

// ID names the store for ever: made at random when the store was made, and the
// same in each copy of its file.
func (s *Store) ID() string { return s.id }

// busyTimeout is how long a statement waits for another process, in ms.
const busyTimeout = "5000"

func openDB(path string, conns int, pragmas ...string) (*sql.DB, error) {
	q := url.Values{"_txlock": {"immediate"}}
	q["_pragma"] = append([]string{
		"busy_timeout(" + busyTimeout + ")", "journal_mode(WAL)", "synchronous(FULL)", "foreign_keys(1)",
	}, pragmas...)
	dsn := "file:" + (&url.URL{Path: path}).EscapedPath() + "?" + q.Encode()
	db, err := sql.Open("sqlite", dsn)
	if err != nil {
		return nil, fmt.Errorf("meta: open %s: %w", path, err)
	}
	db.SetMaxOpenConns(conns)
	db.SetMaxIdleConns(conns)
	return db, nil
}

// Close closes the store. A second Close does nothing.
func (s *Store) Close() error {
	if err := errors.Join(s.read.Close(), s.write.Close()); err != nil {
		return fmt.Errorf("meta: close: %w", err)
	}
	return nil
}

// Ping says whether the store answers.
func (s *Store) Ping(ctx context.Context) error {
	var one int
	if err := s.read.QueryRowContext(ctx, `SELECT 1`).Scan(&one); err != nil {
		return fmt.Errorf("meta: ping: %w", err)
	}
	return nil
}

// inTx runs fn in a transaction that is committed when fn returns nil.
func (s *Store) inTx(ctx context.Context, fn func(tx *sql.Tx) error) error {
	tx, err := s.write.BeginTx(ctx, nil)
	if err != nil {
		return fmt.Errorf("begin: %w", err)
	}
	if err := fn(tx); err != nil {
		_ = tx.Rollback() // fn's error says more
		return err
	}
	if err := tx.Commit(); err != nil {
		return fmt.Errorf("commit: %w", err)
	}
	return nil
}

// inserted says whether an INSERT … ON CONFLICT DO NOTHING found no conflict.
func inserted(res sql.Result, err error) (bool, error) {
	if err != nil {
		return false, err
	}
	n, err := res.RowsAffected()
	return n > 0, err
}

func micros(t time.Time) int64 { return t.UnixMicro() }

func fromMicros(us int64) time.Time { return time.UnixMicro(us).UTC() }

func flag(b bool) int64 {
	if b {
		return 1
	}
	return 0
}
