package meta

import (
	"context"
	"database/sql"
	"encoding/hex"
	"errors"
	"fmt"
	"log/slog"
	"sync/atomic"
	"time"

	weir "github.com/weir-analytics/weir"
	"github.com/weir-analytics/weir/internal/keyring"
	"github.com/weir-analytics/weir/internal/meta/postgres"
	"github.com/weir-analytics/weir/internal/outage"
	"github.com/weir-analytics/weir/internal/password"
)

// ErrNewer is returned by Open when a newer version of Weir wrote the store.
var ErrNewer = errors.New("meta: store was written by a newer version of Weir")

// Store is the open store. All methods are safe for concurrent use.
type Store struct {
	*engine
	id string

	clock     weir.Clock
	hasher    *password.Hasher
	ring      *keyring.Ring // nil in tests
	adoptRing bool
	projects  *cache[*weir.Project]
	signIn    *cache[*SignIn]
	tokens    *cache[*Token]
	shares    *cache[*Share]
	salts     saltCache
	ticks     clockState             // guarded by salts.mu
	tell      atomic.Pointer[func()] // see OnChange
	wait      *slog.Logger           // nil: Open does not wait for a server
}

// engine is a database, with what SQLite and PostgreSQL do differently.
type engine struct {
	write *sql.DB // for transactions and statements that write
	read  *sql.DB // for queries

	ddl    func(migration string) string   // returns a migration for the database
	forget func(ctx context.Context) error // removes destroyed salts from the files
}

// staleProjects is for how long a node takes events for projects and write keys that it has
// read, while the store is unavailable: nobody can revoke a key then. A token is no longer good
// than usual, since it reads data.
const staleProjects = 24 * time.Hour

// Option changes how Open sets the store up.
type Option func(*Store)

// WithPasswordCost sets the cost of new password hashes: memory in KiB and
// passes over it. Hashes that exist get it when their users sign in. Low costs are for tests.
func WithPasswordCost(memoryKiB, passes uint32) Option {
	return func(s *Store) {
		s.hasher = password.NewHasher(password.Cost{Memory: memoryKiB, Passes: passes, Threads: 1})
	}
}

// WithWait has Open wait for a server that is unavailable, until its context is done, and log
// that it does. A wrong password is an error at once.
func WithWait(log *slog.Logger) Option { return func(s *Store) { s.wait = log } }

// Open opens a store and brings its schema up to date. Where is the URL of a PostgreSQL
// database, postgres://…, or else the path of an SQLite file: it and its folder are made,
// readable to the owner alone, if they are missing. Errors: ErrNewer,
// ErrKeyRing. The caller closes the store.
func Open(ctx context.Context, where string, clock weir.Clock, opts ...Option) (*Store, error) {
	s := &Store{
		clock:    clock,
		hasher:   password.NewHasher(password.DefaultCost),
		projects: newCache[*weir.Project](clock, staleProjects),
		signIn:   newCache[*SignIn](clock, 0),
		tokens:   newCache[*Token](clock, 0),
		shares:   newCache[*Share](clock, 0),
	}
	for _, o := range opts {
		o(s)
	}
	var err error
	name := where
	if postgres.Is(where) {
		s.engine, name, err = openPostgres(where)
	} else {
		s.engine, err = openSQLite(where)
	}
	if err != nil {
		return nil, fmt.Errorf("meta: open: %w", err)
	}
	if err = s.prepare(ctx, name); err != nil {
		return nil, errors.Join(fmt.Errorf("meta: open %s: %w", name, err), s.Close())
	}
	return s, nil
}

// prepare brings the schema up to date, reads the store's id and compares the key ring. It waits for a server that is
// unavailable, if the store was opened so.
func (s *Store) prepare(ctx context.Context, name string) error {
	log := s.wait
	if log == nil {
		log = slog.New(slog.DiscardHandler)
	}
	away := outage.New(log, s.clock, "waiting for PostgreSQL", "PostgreSQL is there")
	for pause := 100 * time.Millisecond; ; pause = min(2*pause, 3*time.Second) {
		err := s.migrate(ctx)
		if err == nil {
			err = s.identify(ctx)
		}
		if err == nil {
			err = s.joinRing(ctx)
		}
		switch {
		case err == nil:
			away.Up("meta", name)
			return nil
		case s.wait != nil && postgres.Starting(err):
			away.Down(err, "meta", name)
		case busy(err) && pause < time.Second:
		default:
			return err
		}
		select {
		case <-time.After(pause):
		case <-ctx.Done():
			return ctx.Err()
		}
	}
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
