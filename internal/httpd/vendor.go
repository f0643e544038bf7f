package httpd

import (
	"cmp"
	"errors"
	"maps"
	"net/http"
	"strings"

	weir "github.com/weir-analytics/weir"
	"github.com/weir-analytics/weir/internal/ingest"
	"github.com/weir-analytics/weir/internal/wire"
)

// vendorRules are those of the addresses that vendors' SDKs call, each with and
// without a trailing slash, and of their preflights.
func vendorRules() []Rule {
	var rules []Rule
	preflights := map[string]bool{}
	for _, p := range wire.Protocols() {
		for _, route := range p.Routes() {
			for _, path := range slashed(route.Path) {
				rules = append(rules, Rule{Method: route.Method, Path: path, Need: Sender, Anywhere: true})
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

func (s *Server) mountVendors() {
	for _, p := range wire.Protocols() {
		for _, route := range p.Routes() {
			v := &vendor{server: s, protocol: p, route: route}
			for _, path := range slashed(route.Path) {
				s.mux.refusers[route.Method+" "+path] = v.refuse
				s.mux.HandleFunc(route.Method+" "+path, v.serve)
				if _, waits := s.mux.rules["OPTIONS "+path]; waits { // the first method's
					s.mux.HandleFunc("OPTIONS "+path, preflight)
				}
			}
		}
	}
}

// vendor serves one address of a vendor's SDKs.
type vendor struct {
	server   *Server
	protocol wire.Protocol
	route    wire.Route
}

// queryCost is what a field of a request's query takes in memory beside its text.
const queryCost = 160

func (v *vendor) serve(w http.ResponseWriter, r *http.Request) {
	s, c := v.server, callOf(r.Context())
	if !v.route.NoBody { // the body says whose it is, but is not read for who sends too much
		if err := s.holdToRate(r, c, nil); err != nil {
			s.fail(w, r, err)
			return
		}
	}
	h := s.cfg.Ingest.Hold(r.Context())
	defer h.Close()
	_ = h.Take(queryCost * int64(strings.Count(r.URL.RawQuery, "&"))) // its error stays
	req := v.request(r)
	if h != nil {
		h.Look = func(text []byte) bool { return v.knows(r, req, text) }
		req.Limits.Memory = h
	}
	sent, err := v.decode(w, r, req)
	var standing *ingest.Standing
	if err == nil {
		standing, err = v.deliver(r, c, sent)
	} else {
		s.cfg.Ingest.Refused(err)
	}
	if err != nil {
		s.fail(w, r, err)
		return
	}
	if sent.Unsupported != "" {
		s.metrics.unsupported.WithLabelValues(v.protocol.Vendor(), sent.Unsupported).Inc()
	}
	setStanding(w.Header(), c.standing, standing)
	w.Header().Set("Cache-Control", "no-store")
	write(w, r, v.protocol.Answer(req, sent))
}

// request is r as protocols read it, but for its body.
func (v *vendor) request(r *http.Request) *wire.Request {
	c := callOf(r.Context())
	return &wire.Request{
		Route: v.route, Path: r.URL.Path, Host: r.Host, Secure: c.secure, Query: r.URL.Query(), Header: r.Header,
		IP: c.ip, UserAgent: r.UserAgent(), Now: v.server.cfg.Clock.Now(), Limits: wire.DefaultLimits(),
	}
}

// decode reads the body and what it means, and takes the memory to store that.
func (v *vendor) decode(w http.ResponseWriter, r *http.Request, req *wire.Request) (sent *wire.Sent, err error) {
	h := req.Limits.Memory
	if !v.route.NoBody && r.Body != nil {
		h.Head()
		limits := req.Limits
		limits.Body = v.server.cfg.MaxIngestBody
		b, err := wire.ReadBody(http.MaxBytesReader(w, r.Body, v.server.cfg.MaxIngestBody),
			wire.WithoutCodings(r.Header.Get("Content-Encoding"), v.route.Codings), limits)
		if err != nil {
			return nil, err
		}
		req.Body, req.Coded = b.Bytes(), b.Coded()
		defer func() {
			b.Release()
			req.Body = nil
			if err == nil {
				err = h.Store()
			}
		}()
	}
	sent, err = v.protocol.Decode(req)
	if lack := h.Err(); lack != nil {
		return nil, lack // before what the protocol says of a body that it did not read on
	}
	return sent, err
}

// knows says whether what is read of a request names a project. Nothing is counted:
// when all is read, its events say whose they are.
func (v *vendor) knows(r *http.Request, req *wire.Request, text []byte) bool {
	names := v.protocol.Names(req, text)
	for _, name := range names[:min(len(names), 8)] {
		if name == "" {
			continue
		}
		if _, err := v.server.named(r, name); err == nil {
			return true
		}
	}
	return false
}

// deliver takes the events of each project, and says how the last one's key stands.
// Error: that of the first part that was not taken, when none was: then the sender may
// send all again. A project that nobody knows is no error where the protocol has an
// answer for it.
func (v *vendor) deliver(r *http.Request, c *call, sent *wire.Sent) (standing *ingest.Standing, first error) {
	s := v.server
	taken := 0
	copies := map[string]error{}
	for i := range sent.Parts {
		reply, err := v.part(r, c, sent, &sent.Parts[i], copies)
		standing = cmp.Or(reply.Standing, standing)
		sent.Parts[i].Err = err
		if weir.ErrorCode(err) == weir.EUNAUTHORIZED {
			s.cfg.Ingest.Refused(err)
			if sent.AnswersUnknown {
				continue
			}
		}
		if err == nil {
			taken++
		} else if first == nil {
			first = err
		}
	}
	if taken > 0 {
		return standing, nil
	}
	return standing, first
}

// part takes a part. copies are the projects that have had the events of a Sent whose
// parts are the same, and what became of them.
func (v *vendor) part(r *http.Request, c *call, sent *wire.Sent, part *wire.Part, copies map[string]error) (reply ingest.Reply, err error) {
	s := v.server
	p, err := s.admitSender(r, c, part.Project)
	c.project = p
	if err = s.holdToRate(r, c, err); err != nil {
		return reply, err
	}
	if sent.Copies {
		if before, had := copies[p.ID]; had {
			return reply, before
		}
		defer func() { copies[p.ID] = err }()
	}
	reply, err = s.cfg.Ingest.Deliver(r.Context(), p, part.Events, part.Rejected,
		ingest.Remote{IP: c.ip, UserAgent: r.UserAgent(), Key: c.key, Historical: sent.Historical})
	if err != nil {
		return reply, err
	}
	part.Rejected, part.Duplicates = reply.Rejected, reply.Duplicates
	if a := part.Asks; a != nil {
		part.Device, err = s.cfg.Ingest.Device(r.Context(), p, ingest.Remote{IP: cmp.Or(a.IP, c.ip), UserAgent: cmp.Or(a.UserAgent, r.UserAgent())})
	}
	return reply, err
}

// refuse writes an error as the vendor has it. fail has set its headers.
func (v *vendor) refuse(w http.ResponseWriter, r *http.Request, e *Error) {
	domain, ok := errors.AsType[*weir.Error](e.cause)
	if !ok || domain.Code != e.Content.Code {
		domain = weir.Errorf(e.Content.Code, "%s", e.Content.Message)
	}
	write(w, r, v.protocol.Refuse(v.request(r), e.status, domain))
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
		_, _ = w.Write(out.Body) // who does not read it sends again
	}
}
