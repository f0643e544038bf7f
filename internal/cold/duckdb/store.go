// Package duckdb keeps the cold tier in one DuckDB file, within the process. It
// is the only package that needs cgo.
package duckdb

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	duck "github.com/duckdb/duckdb-go/v2"
	weir "github.com/weir-analytics/weir"
	"github.com/weir-analytics/weir/internal/cold"
)

var _ cold.Store = (*Store)(nil)

// ErrClosed is returned after Close.
var ErrClosed = errors.New("duckdb: store is closed")

// ErrBusy is returned by Open when another process holds the file.
var ErrBusy = errors.New("duckdb: file is in use by another process")

// Options tune a store. The zero value is good.
type Options struct {
	Threads int          // for queries; 0 is the number of CPUs, or fewer with little memory
	Memory  int64        // bytes, LeastMemory or more; 0 is DuckDB's own limit (80 % of RAM)
	Logger  *slog.Logger // nil is silent
}

// Store is a cold tier in a DuckDB file. All methods are safe for concurrent
// use. One process at a time may hold a file.
type Store struct {
	path    string
	options Options
	log     *slog.Logger
	turns   turns
	asked   atomic.Uint64 // questions
	sorting sorting

	// trimmed is what the last Trim saw, which is called by one goroutine.
	trimmed struct {
		asked   uint64
		batches int
	}

	mu sync.Mutex // held by Write; DuckDB commits one at a time anyway
	w  *writer    // nil after Close, and while a reopen has not succeeded
	// erased is what the table erasures says.
	erased cold.Erased

	dbmu   sync.RWMutex
	db     *sql.DB // readers, and whatever is not hot
	closed bool
}

// Open opens or creates the file and brings its tables up to date. Errors:
// ErrBusy, cold.ErrNewer.
func Open(path string, o Options) (*Store, error) {
	// The driver takes what follows for options.
	if strings.Contains(path, "?") {
		return nil, weir.Errorf(weir.EINVALID, "duckdb: path %q: a question mark is not allowed", path)
	}
	path, err := filepath.Abs(path)
	if err != nil {
		return nil, fmt.Errorf("duckdb: open: %w", err)
	}
	if err := o.defaults(); err != nil {
		return nil, fmt.Errorf("duckdb: open %s: %w", path, err)
	}
	s := &Store{path: path, options: o, log: o.Logger, turns: newTurns(o)}
	if s.db, s.w, err = connect(path, o); err != nil {
		return nil, err
	}
	if err := s.loadErased(); err != nil {
		return nil, errors.Join(fmt.Errorf("duckdb: open %s: %w", path, err), s.Close())
	}
	return s, nil
}

// storageVersion is the version of DuckDB whose forms of storage a new file may have. A file that
// exists keeps its own. Since 1.3, texts have a dictionary whose words are compressed: a file takes
// 0.93 of the bytes, and counting different texts half of the time.
const storageVersion = "v1.5.0"

// instanceOptions are those of DuckDB that a file is opened with. The driver reads them from an address, and
// takes all after a # for a fragment of it: so a path with a # has no options.
func instanceOptions(path string) map[string]string {
	if strings.Contains(path, "#") {
		return nil
	}
	return map[string]string{"storage_compatibility_version": storageVersion}
}

// addressOf is what follows the path in an address.
func addressOf(options map[string]string) string {
	if len(options) == 0 {
		return ""
	}
	q := url.Values{}
	for name, value := range options {
		q.Set(name, value)
	}
	return "?" + q.Encode()
}

// connect opens the file twice within one instance: for database/sql, and for
// the writer.
func connect(path string, o Options) (_ *sql.DB, _ *writer, err error) {
	c, err := duck.NewConnector(path+addressOf(instanceOptions(path)), nil)
	if err != nil {
		return nil, nil, openError(path, err)
	}
	db := sql.OpenDB(c)
	defer func() {
		if err != nil {
			err = errors.Join(fmt.Errorf("duckdb: open %s: %w", path, err), db.Close())
		}
	}()
	// Questions take turns before they take a connection.
	db.SetMaxOpenConns(4*o.Threads + 4)
	db.SetMaxIdleConns(2)
	for _, q := range settings(path, o) {
		if _, err := db.Exec(q); err != nil {
			return nil, nil, fmt.Errorf("%s: %w", q, err)
		}
	}
	if err := migrate(db); err != nil {
		return nil, nil, err
	}
	w, err := newWriter(path)
	if err != nil {
		return nil, nil, err
	}
	return db, w, nil
}

func openError(path string, err error) error {
	if strings.Contains(err.Error(), "Could not set lock on file") {
		return fmt.Errorf("%w: %s: stop the other one first (%w)", ErrBusy, path, err)
	}
	return fmt.Errorf("duckdb: open %s: %w", path, err)
}

// Query answers SQL; the caller closes the rows. Cancelling ctx stops it. Few
// questions run at a time: see turns. Error: EUNAVAILABLE for one that needs more
// memory than there is.
func (s *Store) Query(ctx context.Context, query string, args ...any) (rows *sql.Rows, err error) {
	s.asked.Add(1)
	err = s.turns.run(ctx, func() error {
		rows, err = s.query(ctx, query, args...) //nolint:rowserrcheck,sqlclosecheck // the caller's to do
		return err
	})
	switch {
	case err == nil:
		return rows, nil
	case ctx.Err() != nil:
		err = ctx.Err()
	case outOfMemory(err):
		err = weir.Wrap(err, weir.EUNAVAILABLE, "the question needs more memory than the cold tier has: ask for a shorter range, or start weir with more --memory")
	}
	return nil, fmt.Errorf("duckdb: query: %w", err)
}

func (s *Store) query(ctx context.Context, query string, args ...any) (*sql.Rows, error) {
	db, err := s.reader()
	if err != nil {
		return nil, err
	}
	rows, err := db.QueryContext(ctx, query, args...)
	if invalid(err) && s.heal(db) == nil {
		if db, err = s.reader(); err != nil {
			return nil, err
		}
		rows, err = db.QueryContext(ctx, query, args...)
	}
	return rows, err
}

// Ping says whether the file is open. It waits for no question.
func (s *Store) Ping(ctx context.Context) error {
	db, err := s.reader()
	if err != nil {
		return err
	}
	return db.PingContext(ctx)
}

func (s *Store) reader() (*sql.DB, error) {
	s.dbmu.RLock()
	defer s.dbmu.RUnlock()
	if s.closed {
		return nil, ErrClosed
	}
	return s.db, nil
}

// Dialect is DuckDB's SQL.
func (s *Store) Dialect() cold.Dialect { return Dialect{} }

// Spacing is 0: a small batch costs one fsync.
func (s *Store) Spacing() time.Duration { return 0 }

// Close ends the store; the log of recent writes is merged into the file. A
// second Close does nothing. Rows that are still being read keep the file open
// until they are closed.
func (s *Store) Close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.dbmu.Lock()
	defer s.dbmu.Unlock()
	s.closed = true
	if s.w != nil {
		s.w.close()
		s.w = nil
	}
	if err := s.db.Close(); err != nil {
		return fmt.Errorf("duckdb: close: %w", err)
	}
	return nil
}

// invalid says that DuckDB gave up on the open file, after an error that it
// could not undo in memory, such as a full disk at a checkpoint. The file itself
// is whole up to the last commit.
func invalid(err error) bool {
	return err != nil && strings.Contains(err.Error(), "database has been invalidated")
}

// heal reopens the file, unless that happened since db was the reader.
func (s *Store) heal(db *sql.DB) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if now, err := s.reader(); err != nil || now != db {
		return err
	}
	return s.reopen()
}

// reopen leaves an instance that DuckDB gave up and opens the file again. Rows
// that are still being read of the old one hold it, then this fails and the
// next Write tries again. s.mu is held.
func (s *Store) reopen() error {
	s.dbmu.Lock()
	defer s.dbmu.Unlock()
	if s.w != nil {
		s.w.close()
		s.w = nil
	}
	if err := s.db.Close(); err != nil {
		return fmt.Errorf("duckdb: reopen: %w", err)
	}
	db, w, err := connect(s.path, s.options)
	if err != nil {
		return err
	}
	s.db, s.w = db, w
	s.log.Warn("reopened the cold tier's file after an error", "path", s.path)
	return nil
}
