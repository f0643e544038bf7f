package client

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"net/http"
	"sync/atomic"
	"time"
)

// Option says how Record records.
type Option func(*recorder)

// Route names the route of a request that was answered, for routers other than
// net/http's; "" leaves it to Record.
func Route(name func(*http.Request) string) Option {
	return func(m *recorder) { m.route = name }
}

// Consumer names who called. Never return the secret that the caller showed;
// KeyConsumer makes a name of it.
func Consumer(name func(*http.Request) string) Option {
	return func(m *recorder) { m.consumer = name }
}

// Skip leaves requests out, such as health checks. It is asked before the request
// is handled.
func Skip(leaveOut func(*http.Request) bool) Option {
	return func(m *recorder) { m.skip = leaveOut }
}

// KeyConsumer returns a function for Consumer that identifies callers by the API key
// in a header, without telling the key: "key-" and 12 hex digits of its SHA-256.
func KeyConsumer(header string) func(*http.Request) string {
	return func(r *http.Request) string {
		key := r.Header.Get(header)
		if key == "" {
			return ""
		}
		sum := sha256.Sum256([]byte(key))
		return "key-" + hex.EncodeToString(sum[:6])
	}
}

// SetRoute names the route of the call that ctx is of, from within its handler;
// without a call, nothing happens.
func SetRoute(ctx context.Context, route string) {
	if c, ok := ctx.Value(callKey{}).(*inflight); ok {
		c.route.Store(&route)
	}
}

// SetConsumer names who called, from within a handler that knows: the
// authenticated user's account, say. It goes before Consumer.
func SetConsumer(ctx context.Context, consumer string) {
	if c, ok := ctx.Value(callKey{}).(*inflight); ok {
		c.consumer.Store(&consumer)
	}
}

// SetError says why the call failed, from within its handler. It goes before the message of
// a panic.
func SetError(ctx context.Context, err error) {
	if c, ok := ctx.Value(callKey{}).(*inflight); ok && err != nil {
		message := err.Error()
		c.failure.Store(&message)
	}
}

// Record makes an event of each call that next handles: method, route, status,
// latency, consumer, the sizes of both bodies, the message of a panic and the trace id of
// a traceparent header; no query, no body, no other header, no address.
//
// The size of the request's body is its Content-Length, if it has one; that of the response's
// is what the handler wrote.
//
// The route is the pattern that http.ServeMux found (next is a ServeMux, or what
// hands its request on to one), or what Route or SetRoute say; else Form of the
// path. After a pattern that ends in a slash, Form of the rest of the path follows:
// /api/users/{id} for "/api/". There are at most 200 forms; others are "other", or
// the pattern with an asterisk: /api/*.
//
// The call is recorded when next returns, with the time since it was called. A
// stream (text/event-stream) and a hijacked connection are recorded when they
// begin, the latter with status 101. A panic is a 500, and goes on;
// http.ErrAbortHandler after the answer has begun leaves its status.
//
// The ResponseWriter that next gets is an http.Flusher, http.Hijacker,
// http.CloseNotifier, http.Pusher and io.ReaderFrom where the server's is, and has
// Unwrap for http.ResponseController.
func (c *Client) Record(next http.Handler, options ...Option) http.Handler {
	m := &recorder{client: c, next: next}
	for _, o := range options {
		o(m)
	}
	return m
}

type recorder struct {
	client   *Client
	next     http.Handler
	route    func(*http.Request) string
	consumer func(*http.Request) string
	skip     func(*http.Request) bool
	forms    forms
}

type callKey struct{}

// inflight is a call that is being handled.
type inflight struct {
	recorder *recorder
	request  *http.Request
	path     string // escaped, as patterns are matched; next may change the request's
	at       time.Time
	begun    time.Time // for its monotonic part

	written  int64 // bytes of the response's body; -1 is unknown
	declared int64 // bytes of the request's body; -1 is unknown
	trace    string

	route, consumer, failure atomic.Pointer[string]
	recorded                 atomic.Bool
}

func (m *recorder) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if m.skip != nil && m.skip(r) || recordedBy(r, m.client) {
		m.next.ServeHTTP(w, r)
		return
	}
	call := &inflight{recorder: m, path: r.URL.EscapedPath(), begun: time.Now(), declared: r.ContentLength, trace: traceOf(r)}
	call.at = m.client.cfg.Now()
	call.request = r.WithContext(context.WithValue(r.Context(), callKey{}, call))
	resp := &response{ResponseWriter: w, call: call}
	defer func() {
		r.Pattern = call.request.Pattern // what is around Record may look at it too
		v := recover()
		switch err, _ := v.(error); {
		case v == nil:
			call.record(resp.answered())
		case errors.Is(err, http.ErrAbortHandler) && resp.status != 0:
			call.record(resp.status)
		default:
			message := fmt.Sprint(v)
			call.failure.CompareAndSwap(nil, &message)
			call.record(http.StatusInternalServerError)
		}
		if v != nil {
			panic(v) // from here, the stack is still that of the first one
		}
	}()
	m.next.ServeHTTP(resp.offering(), call.request)
}

// recordedBy says whether an outer Record of the same client has the request.
func recordedBy(r *http.Request, c *Client) bool {
	outer, ok := r.Context().Value(callKey{}).(*inflight)
	return ok && outer.recorder.client == c
}

// record sends the call, the first time.
func (c *inflight) record(status int) {
	if c.recorded.Swap(true) {
		return
	}
	latency := time.Since(c.begun)
	call := &Call{
		Method: knownMethod(c.request.Method), Route: c.routeOf(status), Status: status,
		Latency: max(latency, 1), Consumer: c.consumerOf(), TraceID: c.trace,
	}
	if c.declared >= 0 {
		call.RequestBytes = &c.declared
	}
	if c.written >= 0 {
		if c.request.Method == http.MethodHead || status == http.StatusNoContent || status == http.StatusNotModified {
			c.written = 0 // the server sends no body
		}
		call.ResponseBytes = &c.written
	}
	if failure := c.failure.Load(); failure != nil {
		call.Error = *failure
	}
	_ = c.recorder.client.Send(Event{Time: c.at, Call: call}) // an error is a full queue: the client counts the events that it drops
}

// traceOf returns the trace id of a traceparent header (www.w3.org/TR/trace-context), "" without one.
func traceOf(r *http.Request) string {
	const version, id, size = 2, 32, 55
	header := r.Header["Traceparent"]
	if len(header) != 1 || len(header[0]) < size || header[0][version] != '-' || header[0][version+1+id] != '-' {
		return ""
	}
	trace := header[0][version+1 : version+1+id]
	zeros := true
	for i := range len(trace) {
		c := trace[i]
		if (c < '0' || c > '9') && (c < 'a' || c > 'f') {
			return ""
		}
		zeros = zeros && c == '0'
	}
	if zeros {
		return ""
	}
	return trace
}

func (c *inflight) routeOf(status int) string {
	if set := c.route.Load(); set != nil && *set != "" {
		return *set
	}
	m := c.recorder
	if m.route != nil {
		if route := m.ask("Route", m.route, c.request); route != "" {
			return route
		}
	}
	return m.forms.route(c.request.Pattern, c.path, status)
}

func (c *inflight) consumerOf() string {
	if set := c.consumer.Load(); set != nil {
		return *set
	}
	if m := c.recorder; m.consumer != nil {
		return m.ask("Consumer", m.consumer, c.request)
	}
	return ""
}

// ask calls one of the service's functions, whose panic is not to change the
// answer.
func (m *recorder) ask(name string, function func(*http.Request) string, r *http.Request) (answer string) {
	defer m.client.guard(name)
	return function(r)
}
