package clickhouse

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"fmt"
	"io"
	"os"
	"testing"

	ch "github.com/ClickHouse/clickhouse-go/v2"
)

// fakeConn is a connection of the client's: err is what a question ends with, and next what its rows do.
type fakeConn struct {
	fullConn
	n         int
	err, next error
}

func (c *fakeConn) QueryContext(context.Context, string, []driver.NamedValue) (driver.Rows, error) {
	if c.err != nil {
		return nil, c.err
	}
	return &fakeRows{next: c.next}, nil
}

func (c *fakeConn) ExecContext(context.Context, string, []driver.NamedValue) (driver.Result, error) {
	return driver.RowsAffected(0), c.err
}

func (c *fakeConn) ResetSession(context.Context) error { return nil }
func (c *fakeConn) Close() error                       { return nil }

type fakeRows struct{ next error }

func (r *fakeRows) Columns() []string         { return []string{"n"} }
func (r *fakeRows) Close() error              { return nil }
func (r *fakeRows) Next([]driver.Value) error { return r.next }

// connections makes connections that fail alike, and counts them.
type connections struct {
	driver.Connector
	made      int
	err, next error
}

func (c *connections) Connect(context.Context) (driver.Conn, error) {
	c.made++
	return conn{&fakeConn{n: c.made, err: c.err, next: c.next}, newUnread()}, nil
}

// A connection on which an answer may still be on its way is never used again: the next question would get
// that answer. The client keeps such a connection where the deadline of its reads comes before the end of the
// context.
func TestAConnectionWithAnAnswerOnItsWayIsNotUsedAgain(t *testing.T) {
	ended, end := context.WithCancel(t.Context())
	end()
	exception := fmt.Errorf("query: %w", &ch.Exception{Code: 159, Message: "Timeout exceeded"})
	for name, tt := range map[string]struct {
		err, next error
		ctx       context.Context
		again     bool
	}{
		"its first block did not come in time": {err: fmt.Errorf("read tcp: %w", os.ErrDeadlineExceeded)},
		"its rows did not come in time":        {next: fmt.Errorf("read tcp: %w", os.ErrDeadlineExceeded)},
		"it broke in its rows":                 {next: fmt.Errorf("block: %w", io.EOF)},
		"who asked is gone":                    {ctx: ended, next: io.EOF},
		"the server refused the question":      {err: exception, again: true},
		"the server gave up in its rows":       {next: exception, again: true},
		"the answer was read whole":            {next: io.EOF, again: true},
	} {
		t.Run(name, func(t *testing.T) {
			c := &connections{err: tt.err, next: tt.next}
			db := sql.OpenDB(c)
			defer db.Close()
			for range 2 {
				session, err := db.Conn(t.Context())
				if err != nil {
					t.Fatal(err)
				}
				_ = session.Raw(func(raw any) error {
					ctx := t.Context()
					if tt.ctx != nil {
						ctx = tt.ctx
					}
					r, err := raw.(conn).QueryContext(ctx, "SELECT 1", nil)
					if err == nil {
						_ = r.Next(make([]driver.Value, 1))
						_ = r.Close()
					}
					return nil
				})
				_ = session.Close()
			}
			if again := c.made == 1; again != tt.again {
				t.Errorf("%d connections for two questions, used again is %t, want %t", c.made, again, tt.again)
			}
		})
	}
}
