package clickhouse

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"fmt"
	"io"
	"reflect"
	"sync/atomic"

	ch "github.com/ClickHouse/clickhouse-go/v2"
)

// openDB is a pool of the client's connections whose answers hold NULL as nil, as
// database/sql has it: the client's own hold pointers.
func openDB(o *ch.Options) *sql.DB { return sql.OpenDB(connector{ch.Connector(o)}) }

type connector struct{ driver.Connector }

func (c connector) Connect(ctx context.Context) (driver.Conn, error) {
	inner, err := c.Connector.Connect(ctx)
	if err != nil {
		return nil, err
	}
	full, ok := inner.(fullConn)
	if !ok {
		return nil, fmt.Errorf("clickhouse: the client's connection is a %T", inner)
	}
	return conn{full, newUnread()}, nil
}

// fullConn is what the client's connection can do and database/sql asks for.
type fullConn interface {
	driver.Conn
	driver.QueryerContext
	driver.ExecerContext
	driver.Pinger
	driver.SessionResetter
	driver.NamedValueChecker
}

// conn gives database/sql a connection once more only if its last answer was read whole, or was
// an exception of the server. Otherwise the answer is still on its way: the next question on this connection would
// get it, and it may be of another project. The client closes a connection itself when a context ends,
// but not always: its reads have the context's deadline too, and whichever of the two comes first is
// what it sees.
type conn struct {
	fullConn
	unread *atomic.Bool
}

func newUnread() *atomic.Bool { return new(atomic.Bool) }

// IsValid implements driver.Validator.
func (c conn) IsValid() bool { return !c.unread.Load() }

// ResetSession implements driver.SessionResetter.
func (c conn) ResetSession(ctx context.Context) error {
	if c.unread.Load() {
		return driver.ErrBadConn
	}
	return c.fullConn.ResetSession(ctx)
}

// after looks at how a use of the connection ended, and returns its error.
func (c conn) after(ctx context.Context, err error) error {
	if ctx.Err() != nil || err != nil && err != io.EOF && code(err) == 0 { //nolint:errorlint // the end is EOF itself
		c.unread.Store(true)
	}
	return err
}

func (c conn) ExecContext(ctx context.Context, query string, args []driver.NamedValue) (driver.Result, error) {
	r, err := c.fullConn.ExecContext(ctx, query, args)
	return r, c.after(ctx, err)
}

func (c conn) QueryContext(ctx context.Context, query string, args []driver.NamedValue) (driver.Rows, error) {
	r, err := c.fullConn.QueryContext(ctx, query, args)
	if c.after(ctx, err) != nil {
		return nil, err
	}
	return rows{r, c, ctx}, nil
}

type rows struct {
	driver.Rows
	of  conn
	ctx context.Context //nolint:containedctx // that of the query, for as long as its rows are read
}

// Close reads what is left of the answer.
func (r rows) Close() error { return r.of.after(r.ctx, r.Rows.Close()) }

func (r rows) Next(dest []driver.Value) error {
	if err := r.of.after(r.ctx, r.Rows.Next(dest)); err != nil {
		// The end is EOF itself; with anything around it, it is a broken connection.
		if err == io.EOF { //nolint:errorlint // see above
			return io.EOF
		}
		return asked(err)
	}
	for i, v := range dest {
		p := reflect.ValueOf(v)
		if p.Kind() != reflect.Pointer {
			continue
		}
		if dest[i] = nil; !p.IsNil() {
			dest[i] = p.Elem().Interface()
		}
	}
	return nil
}
