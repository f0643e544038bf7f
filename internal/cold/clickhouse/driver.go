package clickhouse

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"fmt"
	"io"
	"reflect"

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
	return conn{full}, nil
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

type conn struct{ fullConn }

func (c conn) QueryContext(ctx context.Context, query string, args []driver.NamedValue) (driver.Rows, error) {
	r, err := c.fullConn.QueryContext(ctx, query, args)
	if err != nil {
		return nil, err
	}
	return rows{r}, nil
}

type rows struct{ driver.Rows }

func (r rows) Next(dest []driver.Value) error {
	if err := r.Rows.Next(dest); err != nil {
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
