// Package postgres lets internal/meta use PostgreSQL as it uses SQLite: the same SQL, with the
// same promises.
//
//   - Placeholders are ?, values are int64, float64 and string, and a bool is 0 or 1.
//   - One transaction of the writing pool runs at a time, in all nodes together: each begins by
//     taking one advisory lock. So what a transaction read is still so when it writes, as in
//     SQLite, which has one writer. A single statement is a transaction.
//   - The rows of a query are read at once, so that a transaction can use its connection while
//     it goes through them.
//   - The order of texts is that of their bytes: see DDL.
//
// It keeps nothing in a session: no prepared statement, no setting. So it works through a pooler
// in transaction mode, such as PgBouncer.
package postgres

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
)

// Limits of one operation. The server ends what takes longer; this side gives up a little
// later, if the server does not even say so.
const (
	statementTimeout = 10 * time.Second // of a statement, and of the wait for another writer
	idleTimeout      = 5 * time.Second  // of a transaction whose node does nothing: it holds up all others
	answerTimeout    = 12 * time.Second
	connectTimeout   = 5 * time.Second // for each host
)

// The pool has that many connections. Few of them write: writers wait for each other anyway.
const (
	defaultPool = 10
	minPool     = 2
	maxPool     = 100
	writers     = 2
)

// Config is a database that is not open yet.
type Config struct {
	conn *pgx.ConnConfig
	pool int
}

// Is returns whether a text is the URL of a PostgreSQL database, rather than a path.
func Is(text string) bool {
	return strings.HasPrefix(text, "postgres://") || strings.HasPrefix(text, "postgresql://")
}

// Parse reads the URL of a database: postgres://USER:PASSWORD@HOST:PORT,HOST:PORT/DATABASE with
// the options of libpq, and pool, the most connections. Its errors hold no password.
func Parse(text string) (c Config, err error) {
	u, err := url.Parse(text)
	if err != nil || !Is(text) {
		return c, errors.New("want postgres://USER:PASSWORD@HOST:PORT/DATABASE; other characters than letters and digits in the password as %XX")
	}
	q := u.Query()
	c.pool = defaultPool
	if q.Has("pool") {
		if c.pool, err = strconv.Atoi(q.Get("pool")); err != nil || c.pool < minPool || c.pool > maxPool {
			return c, fmt.Errorf("pool=%s: want a number of connections from %d to %d", q.Get("pool"), minPool, maxPool)
		}
		q.Del("pool")
		u.RawQuery = q.Encode()
	}
	if c.conn, err = pgx.ParseConfig(u.String()); err != nil {
		return c, plain(err, u)
	}
	// Neither a statement nor its description is kept for the next one: it may be another session's.
	c.conn.DefaultQueryExecMode = pgx.QueryExecModeExec
	c.conn.StatementCacheCapacity, c.conn.DescriptionCacheCapacity = 0, 0
	if c.conn.ConnectTimeout == 0 {
		c.conn.ConnectTimeout = connectTimeout
	}
	if c.conn.ValidateConnect == nil { // of several hosts, the one that takes writes
		c.conn.ValidateConnect = pgconn.ValidateConnectTargetSessionAttrsReadWrite
	}
	if c.conn.RuntimeParams["application_name"] == "" {
		c.conn.RuntimeParams["application_name"] = "weir"
	}
	return c, nil
}

// plain returns what is wrong with a URL, without the URL.
func plain(err error, u *url.URL) error {
	text := err.Error()
	if cause := errors.Unwrap(err); cause != nil {
		text = cause.Error()
	}
	if password, has := u.User.Password(); has && password != "" && strings.Contains(text, password) {
		text = "the URL cannot be read"
	}
	return fmt.Errorf("postgres://%s%s: %s", u.Host, u.EscapedPath(), text)
}

// Address returns the database for logs and errors: user, host and name.
func (c Config) Address() string {
	return fmt.Sprintf("postgres://%s@%s:%d/%s", c.conn.User, c.conn.Host, c.conn.Port, c.conn.Database)
}

// Pool returns how many connections there are at most.
func (c Config) Pool() int { return c.pool }

// Encrypted returns whether every connection uses TLS, or stays on this machine.
func (c Config) Encrypted() bool {
	local := func(host string) bool {
		return strings.HasPrefix(host, "/") || host == "localhost" || host == "::1" || strings.HasPrefix(host, "127.")
	}
	all := c.conn.TLSConfig != nil || local(c.conn.Host)
	for _, f := range c.conn.Fallbacks {
		all = all && (f.TLSConfig != nil || local(f.Host))
	}
	return all
}

// Open returns the pools for writing and for reading. It does not connect. The caller closes
// both.
func (c Config) Open() (write, read *sql.DB) {
	open := func(conns int, writes bool) *sql.DB {
		db := sql.OpenDB(&connector{config: c.conn, writes: writes})
		db.SetMaxOpenConns(conns)
		db.SetMaxIdleConns(conns)
		db.SetConnMaxIdleTime(5 * time.Minute)
		db.SetConnMaxLifetime(time.Hour) // so that each moves when its host's name does
		return db
	}
	w := min(writers, c.pool/2)
	return open(w, true), open(c.pool-w, false)
}

// rebind returns a query with $1, $2 in the place of each ?, but not in texts, quoted names and
// comments.
func rebind(query string) string {
	if !strings.Contains(query, "?") {
		return query
	}
	var out strings.Builder
	n, quote := 0, byte(0) // quote is the character that ends what is quoted; 0 outside
	for i := 0; i < len(query); i++ {
		c := query[i]
		switch {
		case quote != 0:
			if c == quote {
				quote = 0
			}
		case c == '\'' || c == '"':
			quote = c
		case c == '-' && strings.HasPrefix(query[i:], "--"):
			quote = '\n'
		case c == '?':
			n++
			out.WriteByte('$')
			out.WriteString(strconv.Itoa(n))
			continue
		}
		out.WriteByte(c)
	}
	return out.String()
}

var (
	textType    = regexp.MustCompile(`\bTEXT\b`)
	integerType = regexp.MustCompile(`\bINTEGER\b`)
)

// DDL returns a migration for PostgreSQL. SQLite compares texts by their bytes, so each column
// of texts does.
func DDL(text string) string {
	return integerType.ReplaceAllString(textType.ReplaceAllString(text, `TEXT COLLATE "C"`), "BIGINT")
}

// Rewrite writes a table's file anew, without the rows that were deleted, in the order of an
// index. It does not wait: read is true, and nothing done, while somebody reads the table.
func Rewrite(ctx context.Context, write *sql.DB, table, index string) (read bool, err error) {
	tx, err := write.BeginTx(ctx, nil)
	if err != nil {
		return false, err
	}
	defer func() { _ = tx.Rollback() }() // after a commit it does nothing
	name := pgx.Identifier{table}.Sanitize()
	if _, err := tx.ExecContext(ctx, "LOCK TABLE "+name+" IN ACCESS EXCLUSIVE MODE NOWAIT"); err != nil {
		e, ok := errors.AsType[*pgconn.PgError](err)
		return ok && e.Code == "55P03", err
	}
	if _, err := tx.ExecContext(ctx, "CLUSTER "+name+" USING "+pgx.Identifier{index}.Sanitize()); err != nil {
		return false, err
	}
	return false, tx.Commit()
}
