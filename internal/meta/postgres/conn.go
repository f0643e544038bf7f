package postgres

import (
	"context"
	"database/sql/driver"
	"errors"
	"fmt"
	"io"
	"strings"
	"unicode/utf8"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/stdlib"
	weir "github.com/weir-analytics/weir"
)

// connector makes connections to one database.
type connector struct {
	config *pgx.ConnConfig
	writes bool
}

func (c *connector) Driver() driver.Driver { return stdlib.GetDefaultDriver() }

func (c *connector) Connect(ctx context.Context) (driver.Conn, error) {
	dc, err := stdlib.GetConnector(*c.config).Connect(ctx)
	if err != nil {
		return nil, connecting(ctx, err)
	}
	pg, ok := dc.(*stdlib.Conn)
	if !ok {
		return nil, fmt.Errorf("%T is no connection to PostgreSQL", dc)
	}
	return &conn{pg: pg, writes: c.writes}, nil
}

// conn is a connection. The database/sql package uses it for one thing at a time.
type conn struct {
	pg     *stdlib.Conn
	writes bool
	inTx   bool
	stale  bool // it is not to be used again
}

func (c *conn) Close() error  { return c.pg.Close() }
func (c *conn) IsValid() bool { return !c.stale && !c.pg.Conn().IsClosed() }

func (c *conn) Ping(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, answerTimeout)
	defer cancel()
	return c.pg.Ping(ctx)
}

func (c *conn) ResetSession(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, connectTimeout)
	defer cancel()
	return c.pg.ResetSession(ctx)
}

// Prepare is needed by the interface alone: a prepared statement is one session's.
func (c *conn) Prepare(string) (driver.Stmt, error) {
	return nil, errors.New("postgres: a prepared statement does not outlive a transaction of a pooler: use ExecContext")
}

// Begin is needed by the interface alone.
func (c *conn) Begin() (driver.Tx, error) {
	return c.BeginTx(context.Background(), driver.TxOptions{})
}

// CheckNamedValue makes of a value one that both databases store alike.
func (c *conn) CheckNamedValue(v *driver.NamedValue) (err error) {
	if v.Value, err = driver.DefaultParameterConverter.ConvertValue(v.Value); err != nil {
		return err
	}
	switch x := v.Value.(type) {
	case nil, int64, float64:
	case bool:
		v.Value = int64(0)
		if x {
			v.Value = int64(1)
		}
	case string:
		// PostgreSQL stores no such text, so nothing has such a name.
		if strings.Contains(x, "\x00") || !utf8.ValidString(x) {
			return weir.Errorf(weir.EINVALID, "a text has a zero byte or is not UTF-8")
		}
	default:
		return fmt.Errorf("postgres: a value of %T: columns are TEXT or BIGINT", x)
	}
	return nil
}

// lock is held by the one transaction that may write. Another Weir in another schema of the
// database has its own.
const lock = `SELECT pg_advisory_xact_lock(x'57656972'::int, hashtext(coalesce(current_schema(), '')))`

// limits are settings that end with the transaction.
var limits = fmt.Sprintf("; SET LOCAL statement_timeout = %d; SET LOCAL idle_in_transaction_session_timeout = %d; ",
	statementTimeout.Milliseconds(), idleTimeout.Milliseconds())

// BeginTx begins a transaction that writes, and waits until no other one does; or one that reads
// the database as it is at one moment. It is one round trip.
func (c *conn) BeginTx(ctx context.Context, _ driver.TxOptions) (driver.Tx, error) {
	how := "BEGIN ISOLATION LEVEL READ COMMITTED" + limits + lock
	if !c.writes {
		how = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY" + limits
	}
	if c.pg.Conn().IsClosed() {
		return nil, driver.ErrBadConn
	}
	if err := c.simple(ctx, how); err != nil {
		c.rollback()
		return nil, again(err)
	}
	c.inTx = true
	return tx{c}, nil
}

// simple executes statements without values and ignores what they return.
func (c *conn) simple(ctx context.Context, statements string) error {
	inner, cancel := context.WithTimeout(ctx, answerTimeout)
	defer cancel()
	_, err := c.pg.Conn().PgConn().Exec(inner, statements).ReadAll()
	return c.failed(ctx, err)
}

// rollback ends a transaction. If that fails, the end of the connection does it.
func (c *conn) rollback() {
	c.inTx = false
	if c.pg.Conn().IsClosed() {
		return
	}
	if err := c.simple(context.Background(), "ROLLBACK"); err != nil {
		c.stale = true
	}
}

// tx is the transaction of a connection.
type tx struct{ c *conn }

func (t tx) Commit() error {
	t.c.inTx = false
	ctx, cancel := context.WithTimeout(context.Background(), answerTimeout)
	defer cancel()
	results, err := t.c.pg.Conn().PgConn().Exec(ctx, "COMMIT").ReadAll()
	if err = t.c.failed(context.Background(), err); err != nil {
		return err
	}
	// A statement of it failed, and the transaction went on.
	if len(results) != 1 || results[0].CommandTag.String() != "COMMIT" {
		return errors.New("postgres: the transaction was rolled back, since a statement in it failed")
	}
	return nil
}

func (t tx) Rollback() error {
	t.c.rollback()
	return nil
}

// ExecContext executes a statement: in its transaction, or in one of its own.
func (c *conn) ExecContext(ctx context.Context, query string, args []driver.NamedValue) (driver.Result, error) {
	if c.inTx {
		return c.exec(ctx, query, args)
	}
	if !c.writes {
		return nil, errors.New("postgres: a statement that writes, on a connection that reads")
	}
	t, err := c.BeginTx(ctx, driver.TxOptions{})
	if err != nil {
		return nil, err
	}
	res, err := c.exec(ctx, query, args)
	if err != nil {
		c.rollback()
		return nil, err
	}
	return res, t.Commit()
}

func (c *conn) exec(ctx context.Context, query string, args []driver.NamedValue) (driver.Result, error) {
	inner, cancel := context.WithTimeout(ctx, answerTimeout)
	defer cancel()
	if len(args) > 0 { // without values it may be several statements
		query = rebind(query)
	}
	res, err := c.pg.ExecContext(inner, query, args)
	if err = c.failed(ctx, err); err != nil {
		return nil, err
	}
	return res, nil
}

// QueryContext returns the rows of a query, all read.
func (c *conn) QueryContext(ctx context.Context, query string, args []driver.NamedValue) (driver.Rows, error) {
	if c.writes && !c.inTx {
		return nil, errors.New("postgres: a query on a connection that writes belongs into a transaction")
	}
	inner, cancel := context.WithTimeout(ctx, answerTimeout)
	defer cancel()
	all, err := c.query(inner, rebind(query), args)
	if err = c.failed(ctx, err); err != nil && !c.inTx {
		return nil, again(err)
	}
	if err != nil {
		return nil, err
	}
	return all, nil
}

func (c *conn) query(ctx context.Context, query string, args []driver.NamedValue) (*rows, error) {
	from, err := c.pg.QueryContext(ctx, query, args)
	if err != nil {
		return nil, err
	}
	defer from.Close()
	all := &rows{columns: from.Columns()}
	for {
		row := make([]driver.Value, len(all.columns))
		switch err := from.Next(row); {
		case errors.Is(err, io.EOF):
			return all, from.Close()
		case err != nil:
			return nil, err
		}
		all.values = append(all.values, row)
	}
}

// rows are read rows.
type rows struct {
	columns []string
	values  [][]driver.Value
}

func (r *rows) Columns() []string { return r.columns }
func (r *rows) Close() error      { return nil }

func (r *rows) Next(dest []driver.Value) error {
	if len(r.values) == 0 {
		return io.EOF
	}
	copy(dest, r.values[0])
	r.values = r.values[1:]
	return nil
}
