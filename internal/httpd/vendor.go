package httpd

import (
	"cmp"
	"errors"
	"maps"
	"net/http"

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

func (v *vendor) serve(w http.ResponseWriter, r *http.Request) {
	s := v.server
	req, release, err := v.read(w, r)
	if err != nil {
		s.cfg.Ingest.Refused(err)
		s.fail(w, r, err)
		return
	}
	sent, err := v.protocol.Decode(req)
	release()
	req.Body = nil
	if err == nil {
		err = v.deliver(r, sent)
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

// read reads the body, which belongs to the caller until release.
func (v *vendor) read(w http.ResponseWriter, r *http.Request) (req *wire.Request, release func(), err error) {
	req = v.request(r)
	if v.route.NoBody || r.Body == nil {
		return req, func() {}, nil
	}
	limits := req.Limits
	limits.Body = v.server.cfg.MaxIngestBody
	b, err := wire.ReadBody(http.MaxBytesReader(w, r.Body, v.server.cfg.MaxIngestBody),
		wire.WithoutCodings(r.Header.Get("Content-Encoding"), v.route.Codings), limits)
	if err != nil {
		return nil, nil, err
	}
	req.Body = b.Bytes()
	return req, b.Release, nil
}

// deliver takes the events of each project. Error: that of the first part that was
// not taken, when none was: then the sender may send all again. A project that nobody
// knows is no error where the protocol has an answer for it.
func (v *vendor) deliver(r *http.Request, sent *wire.Sent) error {
	s, c := v.server, callOf(r.Context())
	taken := 0
	var first error
	for i := range sent.Parts {
		err := v.part(r, c, sent, &sent.Parts[i])
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
		return nil
	}
	return first
}

func (v *vendor) part(r *http.Request, c *call, sent *wire.Sent, part *wire.Part) error {
	s := v.server
	p, err := s.admitSender(r, c, part.Project)
	c.project = p
	if err = s.holdToRate(r, c, err); err != nil {
		return err
	}
	reply, err := s.cfg.Ingest.Deliver(r.Context(), p, part.Events, part.Rejected,
		ingest.Remote{IP: c.ip, UserAgent: r.UserAgent(), Key: c.key, Historical: sent.Historical})
	if err != nil {
		return err
	}
	part.Rejected, part.Duplicates = reply.Rejected, reply.Duplicates
	if a := part.Asks; a != nil {
		part.Device, err = s.cfg.Ingest.Device(r.Context(), p, ingest.Remote{IP: cmp.Or(a.IP, c.ip), UserAgent: cmp.Or(a.UserAgent, r.UserAgent())})
	}
	return err
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
