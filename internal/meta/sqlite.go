package meta

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"

	"modernc.org/sqlite" // and the driver of that name
	lib "modernc.org/sqlite/lib"
)

// openSQLite opens the file, and makes it and its folder if they are missing.
func openSQLite(path string) (*engine, error) {
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	// SQLite would make the file readable to all; its WAL takes on the mode.
	f, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, err
	}
	if err := f.Close(); err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	// One connection writes: SQLite takes one writer at a time.
	write, err := openFile(path, 1, "secure_delete(1)")
	if err != nil {
		return nil, err
	}
	read, err := openFile(path, 4, "query_only(1)")
	if err != nil {
		return nil, errors.Join(err, write.Close())
	}
	return &engine{
		write: write, read: read,
		ddl:    func(migration string) string { return migration },
		forget: func(ctx context.Context) error { return truncateLog(ctx, write) },
	}, nil
}

// busyTimeout is how long a statement waits for another process, in ms.
const busyTimeout = "5000"

func openFile(path string, conns int, pragmas ...string) (*sql.DB, error) {
	q := url.Values{"_txlock": {"immediate"}}
	q["_pragma"] = append([]string{
		"busy_timeout(" + busyTimeout + ")", "journal_mode(WAL)", "synchronous(FULL)", "foreign_keys(1)",
	}, pragmas...)
	dsn := "file:" + (&url.URL{Path: path}).EscapedPath() + "?" + q.Encode()
	db, err := sql.Open("sqlite", dsn)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	db.SetMaxOpenConns(conns)
	db.SetMaxIdleConns(conns)
	return db, nil
}

// busy returns whether an error is that of a file which several processes open for the first
// time at the same moment: SQLite does not wait then, whatever busy_timeout says.
func busy(err error) bool {
	e, ok := errors.AsType[*sqlite.Error](err)
	return ok && e.Code()&0xff == lib.SQLITE_BUSY
}

// truncateLog empties the write-ahead log. In the database itself the pages of deleted rows
// are overwritten (secure_delete), but their older images can be read in that log. It does not
// wait: it fails when another process is reading the file.
func truncateLog(ctx context.Context, write *sql.DB) error {
	c, err := write.Conn(ctx)
	if err != nil {
		return err
	}
	defer c.Close()
	if _, err := c.ExecContext(ctx, `PRAGMA busy_timeout(0)`); err != nil {
		return err
	}
	defer func() { _, _ = c.ExecContext(context.WithoutCancel(ctx), `PRAGMA busy_timeout(`+busyTimeout+`)`) }()
	// The pragma has no error of its own: it returns a row that says whether the
	// log was busy, its pages, and how many of them were moved to the database.
	var busy, pages, moved int
	if err := c.QueryRowContext(ctx, `PRAGMA wal_checkpoint(TRUNCATE)`).Scan(&busy, &pages, &moved); err != nil {
		return err
	}
	if busy != 0 {
		return fmt.Errorf("%w, so that they are still in its write-ahead log", errRead)
	}
	return nil
}
