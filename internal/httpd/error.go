package httpd

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"maps"
	"net"
	"net/http"
	"strconv"
	"syscall"

	"github.com/danielgtaylor/huma/v2"
	weir "github.com/weir-analytics/weir"
	"github.com/weir-analytics/weir/internal/ingest"
	"github.com/weir-analytics/weir/internal/meta"
)

// Error is the body of every answer that is not a success.
type Error struct {
	Content ErrorContent `json:"error"`

	status int
	header http.Header
	cause  error // for the log
}

// ErrorContent says what went wrong.
type ErrorContent struct {
	Code    string `json:"code" enum:"invalid,unauthorized,forbidden,not_found,conflict,too_slow,too_large,unsupported,rate_limited,quota_exceeded,unavailable,internal,method_not_allowed,misdirected,second_factor" doc:"a stable word"`
	Message string `json:"message" doc:"what is wrong, for people"`
	Details any    `json:"details,omitempty" doc:"more about it, depending on the code"`
}

// codeMethod is for a path that exists with other methods. Only the mux finds
// it, so the domain has no such code.
const codeMethod = "method_not_allowed"

// Seconds after which a client may try again.
const (
	retryUnavailable = 5
	retryLimited     = 1
)

// statusOf is the one table of codes and statuses.
func statusOf(code string) int {
	switch code {
	case weir.EINVALID:
		return http.StatusBadRequest
	case weir.EUNAUTHORIZED, codeSecondFactor:
		return http.StatusUnauthorized
	case weir.EFORBIDDEN:
		return http.StatusForbidden
	case weir.ENOTFOUND:
		return http.StatusNotFound
	case weir.ETOOSLOW:
		return http.StatusRequestTimeout
	case codeMethod:
		return http.StatusMethodNotAllowed
	case codeHost:
		return http.StatusMisdirectedRequest
	case weir.ECONFLICT:
		return http.StatusConflict
	case weir.ETOOLARGE:
		return http.StatusRequestEntityTooLarge
	case weir.EUNSUPPORTED:
		return http.StatusUnsupportedMediaType
	case weir.ERATELIMITED, weir.EQUOTA:
		return http.StatusTooManyRequests
	case weir.EUNAVAILABLE:
		return http.StatusServiceUnavailable
	default:
		return http.StatusInternalServerError
	}
}

func (e *Error) Error() string { return e.Content.Message }

// Unwrap is the cause.
func (e *Error) Unwrap() error { return e.cause }

// GetStatus makes it a huma.StatusError.
func (e *Error) GetStatus() int { return e.status }

// GetHeaders makes it a huma.HeadersError.
func (e *Error) GetHeaders() http.Header { return e.header }

func newError(code, message string, details any, cause error) *Error {
	e := &Error{
		Content: ErrorContent{Code: code, Message: message, Details: details},
		status:  statusOf(code),
		header:  http.Header{},
		cause:   cause,
	}
	switch code {
	case weir.EUNAVAILABLE:
		e.retryAfter(retryUnavailable)
	case weir.ERATELIMITED, weir.EQUOTA:
		e.retryAfter(retryLimited)
	case weir.EUNAUTHORIZED:
		e.header.Set("WWW-Authenticate", `Bearer realm="weir"`)
	}
	return e
}

func (e *Error) retryAfter(seconds int) { e.header.Set("Retry-After", strconv.Itoa(seconds)) }

// asError returns the answer for an error. Only the log gets the cause: a client may not read
// it.
func asError(err error) *Error {
	if answer, ok := errors.AsType[*Error](err); ok {
		return answer
	}
	if refusal, ok := errors.AsType[*ingest.Refusal](err); ok {
		return refusalError(refusal)
	}
	if domain, ok := errors.AsType[*weir.Error](err); ok {
		return newError(domain.Code, domain.Message, domain.Details, err)
	}
	var tooLarge *http.MaxBytesError
	switch {
	case errors.As(err, &tooLarge):
		return newError(weir.ETOOLARGE, "the request's body is larger than "+strconv.FormatInt(tooLarge.Limit, 10)+" bytes", nil, err)
	case errors.Is(err, context.DeadlineExceeded):
		return newError(weir.EUNAVAILABLE, "it took too long", nil, err)
	case errors.Is(err, context.Canceled):
		return newError(weir.EUNAVAILABLE, "the request was given up", nil, err)
	case meta.Unavailable(err):
		return newError(weir.EUNAVAILABLE, "the server cannot read or store that now: its disk may be full, or PostgreSQL unavailable", nil, err)
	case isEnvironment(err):
		return newError(weir.EUNAVAILABLE, "a part of the server does not answer now", nil, err)
	}
	return newError(weir.EINTERNAL, weir.ErrorMessage(err), nil, err)
}

// isEnvironment says whether the network or the operating system refused something.
// What is left are errors of the program, which are a 500.
func isEnvironment(err error) bool {
	var network net.Error
	var system syscall.Errno
	return errors.As(err, &network) || errors.As(err, &system) || errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, net.ErrClosed)
}

// fail answers with an error, and logs what is the server's own fault.
func (s *Server) fail(w http.ResponseWriter, r *http.Request, err error) {
	e := asError(err)
	s.logFailure(r.Context(), e)
	h := w.Header()
	maps.Copy(h, e.header)
	h.Set("Content-Type", "application/json")
	h.Set("Cache-Control", "no-store")
	h.Del("Content-Length")
	h.Del("Content-Encoding")
	h.Del("ETag")
	if refuse := callOf(r.Context()).refuse; refuse != nil {
		refuse(w, r, e)
		return
	}
	w.WriteHeader(e.status)
	if r.Method != http.MethodHead {
		_ = json.NewEncoder(w).Encode(e) // who does not read it is gone
	}
}

func (s *Server) logFailure(ctx context.Context, e *Error) {
	if e.status < 500 || errors.Is(e.cause, context.Canceled) {
		return
	}
	attrs := []any{"request_id", callOf(ctx).id, "code", e.Content.Code, "error", errorText(e)}
	if e.Content.Code == weir.EUNAVAILABLE {
		// A full store refuses every request: a line for each would help nobody.
		// The metrics count them.
		s.unavailable.Do(func() { s.log.WarnContext(ctx, "request refused, and maybe more after it", attrs...) })
		return
	}
	s.log.ErrorContext(ctx, "request failed", attrs...)
}

func errorText(e *Error) string {
	if e.cause != nil {
		return e.cause.Error()
	}
	return e.Content.Message
}

// For bodies and parameters that do not fit their schema, huma makes its errors with this
// variable. It offers no other way.
func init() { huma.NewError = schemaError }

type place struct {
	Location string `json:"location,omitempty"`
	Message  string `json:"message"`
}

func schemaError(status int, message string, errs ...error) huma.StatusError {
	var places []place
	for _, err := range errs {
		if answer, ok := errors.AsType[*Error](err); ok {
			return answer
		}
		if _, ok := errors.AsType[*http.MaxBytesError](err); ok {
			return asError(err)
		}
		if _, ok := errors.AsType[*weir.Error](err); ok {
			return asError(err)
		}
		// The value is left out: it may be a password.
		if detail, ok := errors.AsType[*huma.ErrorDetail](err); ok {
			places = append(places, place{detail.Location, detail.Message})
		} else if err != nil {
			places = append(places, place{Message: err.Error()})
		}
	}
	var details any
	if len(places) > 0 {
		details = places
		message += ": " + places[0].Message
		if places[0].Location != "" {
			message += " (" + places[0].Location + ")"
		}
	}
	switch status {
	case http.StatusRequestEntityTooLarge:
		return newError(weir.ETOOLARGE, message, details, nil)
	case http.StatusUnsupportedMediaType:
		return newError(weir.EUNSUPPORTED, message, details, nil)
	case http.StatusInternalServerError:
		if message == "cannot read request body" { // huma's words: the client stopped sending it
			return newError(weir.EINVALID, message, nil, nil)
		}
	}
	if status >= 500 {
		return newError(weir.EINTERNAL, "internal error", nil, errors.Join(errs...))
	}
	return newError(weir.EINVALID, message, details, nil)
}
