package weir

import (
	"errors"
	"fmt"
)

// Codes of errors that a client may see. httpd maps each to one HTTP status.
const (
	EINVALID      = "invalid"        // 400: the request is wrong
	EUNAUTHORIZED = "unauthorized"   // 401: who are you
	EFORBIDDEN    = "forbidden"      // 403: you may not
	ENOTFOUND     = "not_found"      // 404
	ETOOSLOW      = "too_slow"       // 408: the request did not come at the least pace
	ECONFLICT     = "conflict"       // 409
	ETOOLARGE     = "too_large"      // 413
	EUNSUPPORTED  = "unsupported"    // 415
	ERATELIMITED  = "rate_limited"   // 429
	EQUOTA        = "quota_exceeded" // 429: the month's events are used up
	EUNAVAILABLE  = "unavailable"    // 503: try again later
	EINTERNAL     = "internal"       // 500
)

// Error is an error with a code for the client. Message is for people and says
// nothing of the inside; Err, if any, is the cause, for operators only.
type Error struct {
	Code    string
	Message string
	Details any // marshalled to JSON when not nil
	Err     error
}

func (e *Error) Error() string {
	if e.Err != nil {
		return e.Message + ": " + e.Err.Error()
	}
	return e.Message
}

func (e *Error) Unwrap() error { return e.Err }

// Errorf makes an Error of a code and a message.
func Errorf(code, format string, args ...any) *Error {
	return &Error{Code: code, Message: fmt.Sprintf(format, args...)}
}

// Wrap makes an Error of a code, a cause that only operators see, and a
// message.
func Wrap(err error, code, format string, args ...any) *Error {
	return &Error{Code: code, Message: fmt.Sprintf(format, args...), Err: err}
}

// ErrorCode is the code of the first Error in err's chain: "" for nil,
// EINTERNAL when there is none.
func ErrorCode(err error) string {
	if err == nil {
		return ""
	}
	if e, ok := errors.AsType[*Error](err); ok {
		return e.Code
	}
	return EINTERNAL
}

// ErrorMessage is what a client may read of err.
func ErrorMessage(err error) string {
	if e, ok := errors.AsType[*Error](err); ok {
		return e.Message
	}
	return "internal error"
}
