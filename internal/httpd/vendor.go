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
	"github.com/weir-analytics/weir/internal/wire/body"
	"github.com/weir-analytics/weir/internal/wire/protocols"
)

// vendorRules returns the access rules of the addresses that vendors' SDKs call, with
// and without a trailing slash, and of their CORS preflights.
func vendorRules() []Rule {
	var rules []Rule
	preflights := map[string]bool{}
	for _, p := range protocols.All() {
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
	for _, p := range protocols.All() {
		for _, route := range p.Routes() {
			v := &vendor{server: s, protocol: p, route: route}
			for _, path := range slashed(route.Path) {
				s.mux.refusers[route.Method+" "+path] = v.writeError
				s.mux.HandleFunc(route.Method+" "+path, v.serve)
				if _, unmounted := s.mux.rules["OPTIONS "+path]; unmounted { // not for a second method of the same path
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

// queryCost is the memory for one parameter of the query string, in bytes, in addition
// to its text.
const queryCost = 160

func (v *vendor) serve(w http.ResponseWriter, r *http.Request) {
	s, c := v.server, callOf(r.Context())
	if !v.route.NoBody { // the project is in the body, but a sender over its rate is refused before the body is read
		if err := s.holdToRate(r, c, nil); err != nil {
			s.fail(w, r, err)
			return
		}
	}
	h := s.cfg.Ingest.Reserve(r.Context())
	defer h.Close()
	_ = h.Reserve(queryCost * int64(strings.Count(r.URL.RawQuery, "&"))) // h keeps the error for h.Err
	req := v.request(r)
	if h != nil {
		h.IsKnown = func(text []byte) bool { return v.namesKnownProject(r, req, text) }
		req.Limits.Memory = h
	}
	sent, err := v.decode(w, r, req)
	var standing *ingest.Standing
	if err == nil {
		standing, err = v.deliverParts(r, c, sent)
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

// request converts r to the input of protocols, without the body.
func (v *vendor) request(r *http.Request) *wire.Request {
	c := callOf(r.Context())
	return &wire.Request{
		Route: v.route, Path: r.URL.Path, Host: r.Host, Secure: c.secure, Query: r.URL.Query(), Header: r.Header,
		IP: c.ip, UserAgent: r.UserAgent(), Now: v.server.cfg.Clock.Now(), Limits: wire.DefaultLimits(),
	}
}

// decode reads and decodes the body, and reserves the memory to store the events.
func (v *vendor) decode(w http.ResponseWriter, r *http.Request, req *wire.Request) (sent *wire.Decoded, err error) {
	h := req.Limits.Memory
	if !v.route.NoBody && r.Body != nil {
		h.CheckHead()
		limits := req.Limits
		limits.Body = v.server.cfg.MaxIngestBody
		b, err := body.Read(http.MaxBytesReader(w, r.Body, v.server.cfg.MaxIngestBody),
			body.WithoutCodings(r.Header.Get("Content-Encoding"), v.route.Codings), limits)
		if err != nil {
			return nil, err
		}
		req.Body, req.Coded = b.Bytes(), b.Coded()
		defer func() {
			b.Release()
			req.Body = nil
			if err == nil {
				err = h.ReserveStorage()
			}
		}()
	}
	sent, err = v.protocol.Decode(req)
	if memoryErr := h.Err(); memoryErr != nil {
		return nil, memoryErr // the real cause: a protocol that got no memory may report a malformed body
	}
	return sent, err
}

// namesKnownProject reports whether the part of the request that was read so far names
// a known project. It is only a guess (see Protocol.ProjectNames), so it counts nothing
// in the metrics.
func (v *vendor) namesKnownProject(r *http.Request, req *wire.Request, text []byte) bool {
	names := v.protocol.ProjectNames(req, text)
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

// deliverParts stores the events of each project. It returns the rate limit state of the
// last key. It returns an error only if no part was stored, so that the sender may send
// everything again: the error of the first part. An unknown project is not an error if
// the protocol has an answer for it.
func (v *vendor) deliverParts(r *http.Request, c *call, sent *wire.Decoded) (standing *ingest.Standing, first error) {
	s := v.server
	stored := 0
	copies := map[string]error{} // by project: the result of an earlier part with the same events
	for i := range sent.Parts {
		reply, err := v.deliverPart(r, c, sent, &sent.Parts[i], copies)
		standing = cmp.Or(reply.Standing, standing)
		sent.Parts[i].Err = err
		if weir.ErrorCode(err) == weir.EUNAUTHORIZED {
			s.cfg.Ingest.Refused(err)
			if sent.AnswersForUnknownProject {
				continue
			}
		}
		if err == nil {
			stored++
		} else if first == nil {
			first = err
		}
	}
	if stored > 0 {
		return standing, nil
	}
	return standing, first
}

// deliverPart stores one part. If the parts are copies, a project that is in copies
// already has the events.
func (v *vendor) deliverPart(r *http.Request, c *call, sent *wire.Decoded, part *wire.Part, copies map[string]error) (reply ingest.Reply, err error) {
	s := v.server
	p, err := s.admitSender(r, c, part.Project)
	c.project = p
	if err = s.holdToRate(r, c, err); err != nil {
		return reply, err
	}
	if sent.PartsAreCopies {
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
	if a := part.Visitor; a != nil {
		part.Device, err = s.cfg.Ingest.Device(r.Context(), p, ingest.Remote{IP: cmp.Or(a.IP, c.ip), UserAgent: cmp.Or(a.UserAgent, r.UserAgent())})
	}
	return reply, err
}

// writeError writes an error in the vendor's form. Server.fail has set the headers.
func (v *vendor) writeError(w http.ResponseWriter, r *http.Request, e *Error) {
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
		_, _ = w.Write(out.Body) // a sender that does not get it sends again
	}
}
