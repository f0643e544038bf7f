package httpd

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"runtime/debug"
	"strings"
	"time"

	weir "github.com/weir-analytics/weir"
)

// call is the state of a running request. serve makes it, admit adds the caller.
type call struct {
	request *http.Request
	id      string
	ip      string // the client's, "" when unknown
	secure  bool   // the client speaks TLS, to us or to a trusted proxy
	route   string // the rule's pattern, or "ui", or "none"
	rule    Rule   // zero with the routes "ui" and "none"
	who     principal
	project *weir.Project // with InProject
	may     weir.Scopes   // in the project, with InProject
	act     act           // for the audit log

	// readmit says why the caller may not call any more: for answers that last.
	readmit func() error

	// refuse writes the status and body of an error where the route has a form of
	// its own for them; nil is Weir's JSON.
	refuse func(w http.ResponseWriter, r *http.Request, e *Error)
}

type callKey struct{}

// callOf is the request's call; an empty one outside of a request.
func callOf(ctx context.Context) *call {
	if c, ok := ctx.Value(callKey{}).(*call); ok {
		return c
	}
	return &call{}
}

// Values of headers that each answer has. They are never changed: Header.Set would make a new
// slice for each.
var (
	noSniff    = []string{"nosniff"}
	sameOrigin = []string{"same-origin"}
	noStore    = []string{"no-store"}
	varyOrigin = []string{"Origin"}
)

// serve is the outermost handler.
func (s *Server) serve(w http.ResponseWriter, r *http.Request) {
	began := s.cfg.Clock.Now()
	r = s.belowBase(r)
	c := &call{id: s.requestID(r), route: "none"}
	c.ip, c.secure = s.remote(r)
	r = r.WithContext(context.WithValue(r.Context(), callKey{}, c))
	c.request = r
	rec := &recorder{ResponseWriter: w, until: time.Now().Add(writeTimeout)}
	r, body := paced(w, r)
	defer body.answered()
	h := w.Header()
	h.Set("X-Request-Id", c.id)
	h["X-Content-Type-Options"] = noSniff
	h["Referrer-Policy"] = sameOrigin
	if c.secure {
		h.Set("Strict-Transport-Security", "max-age=31536000")
	}
	defer func() {
		// A panic that passes through has been answered or cuts the connection.
		took := s.cfg.Clock.Now().Sub(began)
		s.metrics.observe(c.route, rec.code(), took)
		level := slog.LevelInfo
		if c.quiet() && rec.code() != http.StatusInternalServerError {
			level = slog.LevelDebug
		}
		if s.log.Enabled(r.Context(), level) {
			// Neither the query, which may hold a write key, nor the address.
			s.log.LogAttrs(r.Context(), level, "request",
				slog.String("request_id", c.id), slog.String("method", r.Method), slog.String("path", c.path(r)),
				slog.Int("status", rec.code()), slog.Int64("bytes", rec.bytes), slog.Duration("took", took))
		}
	}()
	defer s.recoverPanic(rec, r)
	s.dispatch(rec, r)
}

// path is the request's without a profile's id, since logs last longer than a person who is
// erased, and without the secret of a shared link.
func (c *call) path(r *http.Request) string {
	if strings.HasPrefix(r.URL.Path, sharePath) {
		return sharePath + "…"
	}
	if _, rest, ok := strings.Cut(c.route, "{profile}"); ok {
		before, _, _ := strings.Cut(r.URL.Path, "/profiles/")
		return before + "/profiles/{profile}" + rest
	}
	return r.URL.Path
}

// quiet routes are called all the time, and are logged when debugging only.
func (c *call) quiet() bool {
	switch c.route {
	case "GET /healthz", "GET /readyz", "GET /metrics", "GET /weir.js", "ui":
		return true
	}
	return c.rule.Anywhere
}

// recoverPanic answers 500 for a handler that panicked, or cuts the connection
// when the answer has begun. It must be deferred.
func (s *Server) recoverPanic(w *recorder, r *http.Request) {
	v := recover()
	if v == nil {
		return
	}
	if err, ok := v.(error); ok && errors.Is(err, http.ErrAbortHandler) {
		panic(v)
	}
	s.log.ErrorContext(r.Context(), "panic", "request_id", callOf(r.Context()).id, "panic", v, "stack", string(debug.Stack()))
	if w.status != 0 {
		panic(http.ErrAbortHandler)
	}
	s.fail(w, r, weir.Errorf(weir.EINTERNAL, "internal error"))
}

// dispatch finds the route. If no route matches, it serves the dashboard's files and routes;
// other paths get 404.
func (s *Server) dispatch(w http.ResponseWriter, r *http.Request) {
	h, pattern := s.mux.Handler(r)
	switch {
	case strings.Contains(pattern, "{"):
		s.mux.ServeHTTP(w, r) // sets the path's values, which h alone would not
		return
	case pattern != "":
		h.ServeHTTP(w, r)
		return
	}
	// The mux's own answer tells 404 from 405.
	probe := &probe{header: http.Header{}}
	h.ServeHTTP(probe, r)
	switch {
	case probe.status == http.StatusMethodNotAllowed:
		e := newError(codeMethod, r.Method+" is not for this path", nil, nil)
		e.header.Set("Allow", probe.header.Get("Allow"))
		answer := http.Handler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { s.fail(w, r, e) }))
		if strings.Contains(probe.header.Get("Allow"), http.MethodOptions) { // pages of any site call this path
			answer = cors(answer)
		}
		answer.ServeHTTP(w, r)
	case !s.ui.has(r.URL.Path):
		s.unknown(w, r)
	case r.Method != http.MethodGet && r.Method != http.MethodHead:
		e := newError(codeMethod, r.Method+" is not for this path", nil, nil)
		e.header.Set("Allow", "GET, HEAD")
		s.fail(w, r, e)
	default:
		callOf(r.Context()).route = "ui"
		err := s.checkHost(r)
		if err == nil {
			err = s.starting(Session)
		}
		if err == nil {
			err = s.page(w, r)
		}
		if err != nil {
			s.fail(w, r, err)
		}
	}
}

// page answers with a page or a file of the dashboard.
func (s *Server) page(w http.ResponseWriter, r *http.Request) error {
	if secret, ok := sharedSecret(r.URL.Path); ok {
		return s.sharedPage(w, r, secret)
	}
	return s.ui.serve(w, r)
}

// requestID is the one that the client gave, when it is sane, or a new one.
func (s *Server) requestID(r *http.Request) string {
	id := r.Header.Get("X-Request-Id")
	if len(id) < 1 || len(id) > 64 {
		return s.cfg.NewRequestID()
	}
	for i := range len(id) {
		switch c := id[i]; {
		case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', '0' <= c && c <= '9', c == '-', c == '_', c == '.':
		default:
			return s.cfg.NewRequestID()
		}
	}
	return id
}

// recorder remembers what was answered.
type recorder struct {
	http.ResponseWriter
	status int // 0 until the answer begins
	bytes  int64
	until  time.Time // when all is to be written
}

func (w *recorder) WriteHeader(status int) {
	if w.status == 0 && status >= 200 {
		w.status = status
	}
	w.ResponseWriter.WriteHeader(status)
}

func (w *recorder) Write(b []byte) (int, error) {
	if w.status == 0 {
		w.status = http.StatusOK
	}
	n, err := w.write(b)
	w.bytes += int64(n)
	return n, err
}

// write writes a large answer in parts, each of which the client has to take in time: or
// who asks for much and reads nothing holds all of it in memory.
func (w *recorder) write(b []byte) (n int, err error) {
	if len(b) <= answerPart {
		return w.ResponseWriter.Write(b)
	}
	conn := http.NewResponseController(w.ResponseWriter)
	for n < len(b) && err == nil {
		next := time.Now().Add(slack)
		if next.After(w.until) {
			next = w.until
		}
		_ = conn.SetWriteDeadline(next) // a test's writer may have none
		var m int
		m, err = w.ResponseWriter.Write(b[n:min(n+answerPart, len(b))])
		n += m
	}
	_ = conn.SetWriteDeadline(w.until)
	return n, err
}

// Unwrap lets http.ResponseController reach the connection.
func (w *recorder) Unwrap() http.ResponseWriter { return w.ResponseWriter }

// code is the status as the client sees it: nothing written is 200.
func (w *recorder) code() int {
	if w.status == 0 {
		return http.StatusOK
	}
	return w.status
}

// probe discards an answer and keeps its status and header.
type probe struct {
	header http.Header
	status int
}

func (p *probe) Header() http.Header         { return p.header }
func (p *probe) WriteHeader(status int)      { p.status = status }
func (p *probe) Write(b []byte) (int, error) { return len(b), nil }
