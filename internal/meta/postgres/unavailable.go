package postgres

import (
	"context"
	"database/sql/driver"
	"errors"

	"github.com/jackc/pgx/v5/pgconn"
)

// awayError is that of a server that cannot be reached, or does not answer.
type awayError struct{ cause error }

func (e *awayError) Error() string { return "PostgreSQL does not answer: " + e.cause.Error() }
func (e *awayError) Unwrap() error { return e.cause }

// connecting returns the error of an attempt to connect. An answer of the server, such as a wrong
// password, stays what it is.
func connecting(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if _, answered := errors.AsType[*pgconn.PgError](err); answered {
		return err
	}
	return &awayError{err}
}

// failed returns the error of an operation of the connection. ctx is the caller's.
func (c *conn) failed(ctx context.Context, err error) error {
	if err == nil || errors.Is(err, driver.ErrBadConn) {
		return err
	}
	if e, answered := errors.AsType[*pgconn.PgError](err); answered {
		if e.Code == readOnly {
			c.stale = true // it is a standby now: the next connection finds the primary
		}
		return err
	}
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if c.pg.Conn().IsClosed() {
		return &awayError{err}
	}
	return err
}

// again returns the error of an operation that may be done twice: on another connection, if the
// server has ended this one. One that gave no answer in time is not asked again.
func again(err error) error {
	if _, away := errors.AsType[*awayError](err); away && !pgconn.Timeout(err) {
		return driver.ErrBadConn
	}
	// The server's last words on the connection, which may have waited there since a restart.
	if e, answered := errors.AsType[*pgconn.PgError](err); answered && e.Severity == "FATAL" {
		return driver.ErrBadConn
	}
	return err
}

// readOnly is the code of a statement that writes on a standby.
const readOnly = "25006"

// unavailable are the codes of the server's answers that tell of its state rather than of the
// statement: see appendix A of PostgreSQL's manual. Two characters are a class.
var unavailable = map[string]bool{
	"08":     true, // connection
	"28":     true, // wrong user or password: it was changed
	"3D":     true, // no such database
	"40":     true, // rolled back for a deadlock or another transaction
	"53":     true, // disk full, too many connections, out of memory
	"57":     true, // stopped by the operator, starting, statement_timeout
	"58":     true, // input or output failed
	"XX":     true, // damaged
	readOnly: true,
	"25P03":  true, // idle_in_transaction_session_timeout
	"55P03":  true, // lock_timeout
}

// Unavailable returns whether an error is one of the server, rather than of a statement.
func Unavailable(err error) bool {
	if e, ok := errors.AsType[*pgconn.PgError](err); ok {
		return unavailable[e.Code] || len(e.Code) == 5 && unavailable[e.Code[:2]]
	}
	_, away := errors.AsType[*awayError](err)
	return away || errors.Is(err, driver.ErrBadConn)
}

// Starting returns whether a server may be there soon: it cannot be reached yet, or it starts or
// stops. A wrong password is none of that.
func Starting(err error) bool {
	if e, ok := errors.AsType[*pgconn.PgError](err); ok {
		return len(e.Code) == 5 && (e.Code[:3] == "57P" || e.Code == readOnly || e.Code[:2] == "53" || e.Code[:2] == "08")
	}
	_, away := errors.AsType[*awayError](err)
	return away || errors.Is(err, driver.ErrBadConn)
}
