package httpd

import (
	"errors"
	"maps"
	"net/http"
	"strconv"

	weir "github.com/weir-analytics/weir"
	"github.com/weir-analytics/weir/internal/receive"
	"github.com/weir-analytics/weir/internal/wire"
	"github.com/weir-analytics/weir/internal/wire/protocols"
)

// senderRules returns the access rules of the addresses to which events are sent, with and
// without a trailing slash, and of their CORS preflights.
func senderRules() []Rule {
	var rules []Rule
	preflights := map[string]bool{}
	for _, p := range protocols.All(nil) {
		for _, route := range p.Routes() {
			need := Sender
			if route.Project == wire.KeyInHead {
				need = WriteKey
			}
			for _, path := range slashed(route.Path) {
				rules = append(rules, Rule{Method: route.Method, Path: path, Need: need, Anywhere: true})
				if !preflights[path] {
					preflights[path] = true
					rules = append(rules, Rule{Method: http.MethodOptions, Path: path, Need: Public, Anywhere: true})
				}
			}
		}
	}
	return rules
}

func slashed(path string) []string { return []string{path, path + "/{$}"} }

func (s *Server) mountSenders() {
	for _, p := range s.cfg.Protocols {
		for _, route := range p.Routes() {
			e := &endpoint{server: s, protocol: p, route: route}
			for _, path := range slashed(route.Path) {
				s.mux.refusers[route.Method+" "+path] = e.writeError
				s.mux.HandleFunc(route.Method+" "+path, e.serve)
				if _, unmounted := s.mux.rules["OPTIONS "+path]; unmounted { // not for a second method of the same path
					s.mux.HandleFunc("OPTIONS "+path, e.preflight)
				}
			}
		}
	}
	s.documentEvents()
	s.documentTraces()
}

// endpoint serves one address to which events are sent.
type endpoint struct {
	server   *Server
	protocol wire.Protocol
	route    wire.Route
}

func (e *endpoint) serve(w http.ResponseWriter, r *http.Request) {
	s := e.server
	reply, err := s.receiver.Receive(r.Context(), e.protocol, e.request(r), http.MaxBytesReader(w, r.Body, s.cfg.MaxIngestBody))
	if err != nil {
		s.fail(w, r, err)
		return
	}
	setStanding(w.Header(), reply.Address, reply.Key)
	w.Header()["Cache-Control"] = noStore
	write(w, r, reply.Response)
}

// preflight answers a browser that asks whether a page may send.
func (e *endpoint) preflight(w http.ResponseWriter, r *http.Request) {
	if err := e.server.receiver.Preflight(r.Context(), e.protocol, e.request(r)); err != nil {
		for _, name := range []string{"Origin", "Credentials", "Methods", "Headers"} {
			w.Header().Del("Access-Control-Allow-" + name)
		}
		w.Header().Del("Access-Control-Max-Age")
		e.server.fail(w, r, err)
		return
	}
	w.WriteHeader(http.StatusNoContent)
}

// request converts r to the input of protocols, without the body.
func (e *endpoint) request(r *http.Request) *wire.Request {
	c := callOf(r.Context())
	return &wire.Request{
		Route: e.route, Path: r.URL.Path, Host: r.Host + e.server.base, Secure: c.secure, RawQuery: r.URL.RawQuery, Header: r.Header,
		IP: c.ip, UserAgent: r.UserAgent(), Now: e.server.cfg.Clock.Now(),
	}
}

// writeError writes an error in the protocol's form. Server.fail has set the headers.
func (e *endpoint) writeError(w http.ResponseWriter, r *http.Request, answer *Error) {
	domain, ok := errors.AsType[*weir.Error](answer.cause)
	if !ok || domain.Code != answer.Content.Code {
		domain = weir.Errorf(answer.Content.Code, "%s", answer.Content.Message)
	}
	req := e.request(r)
	req.RetryAfter, _ = strconv.Atoi(w.Header().Get("Retry-After")) // 0 without one
	write(w, r, e.protocol.Refuse(req, answer.status, domain))
}

func write(w http.ResponseWriter, r *http.Request, out wire.Response) {
	h := w.Header()
	h.Del("Content-Type")
	maps.Copy(h, out.Header)
	if out.ContentType != "" {
		h.Set("Content-Type", out.ContentType)
	}
	w.WriteHeader(out.Status)
	if r.Method != http.MethodHead {
		_, _ = w.Write(out.Body) // a sender that does not get it sends again
	}
}

// newReceiver makes the part that takes events.
func (s *Server) newReceiver() *receive.Receiver {
	return receive.New(receive.Config{
		Directory: s.cfg.Directory, Ingest: s.cfg.Ingest, Budget: s.cfg.Budget, MaxBody: s.cfg.MaxIngestBody,
		Limiter: s.cfg.RateLimiter, LimitIP: s.cfg.LimitIP, Registry: s.cfg.Metrics,
	})
}
