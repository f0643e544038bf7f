// Package receive takes requests with events. All protocols, Weir's own, OpenTelemetry's
// and those of vendors, go one way:
//
//	admit    the rate of the sender's address; the write key, if the head has it
//	read     the body, within the memory budget
//	decode   (protocol)
//	deliver  to each project that the request names: its key, its rates, then ingest
//	answer   (protocol)
//
// Nothing on the way calls back: a protocol does not know the server, and ingest does not
// know the protocol.
package receive

import (
	"cmp"
	"context"
	"io"
	"strings"

	"github.com/prometheus/client_golang/prometheus"
	weir "github.com/weir-analytics/weir"
	"github.com/weir-analytics/weir/internal/ingest"
	"github.com/weir-analytics/weir/internal/wire"
	"github.com/weir-analytics/weir/internal/wire/body"
)

// Directory finds projects. *meta.Store implements it. Errors: ENOTFOUND. Projects are
// shared and not changed.
type Directory interface {
	ProjectByKey(ctx context.Context, writeKey string) (*weir.Project, error)
	ProjectBySite(ctx context.Context, site string) (*weir.Project, error)
}

// Ingester stores events. *ingest.Ingester implements it.
type Ingester interface {
	// Deliver stores decoded events, which it changes in place. It does not keep the slice: another
	// request gets it when this one has ended. rejected are those of the
	// request that could not be decoded; the reply has them too.
	Deliver(ctx context.Context, p *weir.Project, in []weir.Incoming, rejected []weir.Rejection, remote ingest.Remote) (ingest.Reply, error)
	// Device returns the device that an event of the sender would get. It stores nothing.
	Device(ctx context.Context, p *weir.Project, remote ingest.Remote) (string, error)
	// Refused counts a request that was refused as a whole before Deliver.
	Refused(err error)
}

// Config has the parts of a Receiver.
type Config struct {
	Directory Directory
	Ingest    Ingester

	// Budget bounds the memory of all requests; nil is one of wire.DefaultBudget.
	Budget *wire.Budget
	// MaxBody is the largest body as it is sent, in bytes; 0 is that of
	// wire.DefaultLimits.
	MaxBody int64

	Limiter *ingest.Limiter // nil: no rates
	LimitIP weir.Rate       // requests from one address, for projects without a rate of their own

	Registry prometheus.Registerer // optional
}

// Receiver takes requests. It is safe for concurrent use.
type Receiver struct {
	directory Directory
	ingest    Ingester
	budget    *wire.Budget
	limits    wire.Limits
	rates     rates
	metrics   metrics
}

// New makes a Receiver.
func New(c Config) *Receiver {
	if c.Budget == nil {
		c.Budget = wire.NewBudget(0)
	}
	limits := wire.DefaultLimits()
	limits.Body = cmp.Or(c.MaxBody, limits.Body)
	m := newMetrics(c.Registry)
	registerBudget(c.Registry, c.Budget)
	return &Receiver{
		directory: c.Directory, ingest: c.Ingest, budget: c.Budget, limits: limits, metrics: m,
		rates: rates{limiter: c.Limiter, server: c.LimitIP, refused: m.refused},
	}
}

// Reply is the answer to a request, and the state of the rates that it counts against.
type Reply struct {
	wire.Response
	Address, Key *ingest.Standing // nil without a limit
}

// queryCost is the memory for one parameter of the query string, in bytes, in addition
// to its text.
const queryCost = 160

// Receive takes a request. sent is the body as it arrives; r has everything else, except
// Limits, which Receive sets. With an error nothing was stored, so the sender may send
// everything again. Errors: EUNAUTHORIZED without a known project; EFORBIDDEN if its
// key is not for the page that sends; an *ingest.Refusal over
// a rate or a quota; those of reading the body, of wire.Protocol.Decode and of
// Ingester.Deliver.
func (c *Receiver) Receive(ctx context.Context, p wire.Protocol, r *wire.Request, sent io.Reader) (Reply, error) {
	s := &sender{Receiver: c, protocol: p, request: r, address: c.rates.open(r.IP)}
	if err := s.admit(ctx); err != nil {
		return Reply{}, err
	}
	memory := c.budget.Open(ctx)
	defer memory.Close()
	r.Limits = c.limits
	r.Limits.Memory = memory
	decoded, err := s.decode(ctx, sent)
	if err != nil {
		c.ingest.Refused(err)
		return Reply{}, err
	}
	key, err := s.deliver(ctx, decoded)
	if err != nil {
		return Reply{}, err
	}
	if decoded.Unsupported != "" {
		by := p
		if r.Vendor != nil { // of those that share the address
			by = r.Vendor
		}
		c.metrics.unsupported.WithLabelValues(by.Vendor(), decoded.Unsupported).Inc()
	}
	return Reply{Response: p.Answer(r, decoded), Address: s.address.standing, Key: key}, nil
}

// sender is one request on its way.
type sender struct {
	*Receiver
	protocol wire.Protocol
	request  *wire.Request
	address  addressRate

	project *weir.Project // the one found last; nil before, and if it is unknown
	key     string        // identifies its write key, or its sites, to the limiter; "" without a limiter

	results map[string]error // with wire.PartsRepeat: of earlier parts, by project
}

// admit decides whether the body is read at all.
func (s *sender) admit(ctx context.Context) error {
	route := s.request.Route
	var err error
	switch {
	case route.Project == wire.KeyInHead:
		err = s.find(ctx, firstOf(s.protocol.ProjectNames(s.request, nil)))
	case route.Body == wire.IgnoreBody:
		return nil
	}
	if err := s.address.hold(ctx, s.project, err); err != nil {
		return err
	}
	return route.CheckType(s.request.Header.Get("Content-Type"))
}

func firstOf(names []string) string {
	if len(names) == 0 {
		return ""
	}
	return names[0]
}

// decode reads and decodes the body, and reserves the memory to store the events.
func (s *sender) decode(ctx context.Context, sent io.Reader) (*wire.Decoded, error) {
	r, memory := s.request, s.request.Limits.Memory
	if s.project != nil {
		memory.SetKnown()
	}
	_ = memory.Reserve(queryCost * int64(strings.Count(r.RawQuery, "&"))) // memory keeps the error for Err
	var read *body.Body
	if r.Route.Body == wire.ReadWhole {
		var err error
		if read, err = s.read(ctx, sent); err != nil {
			return nil, err
		}
		r.Body, r.Coded = read.Bytes(), read.Coded()
	}
	decoded, err := s.decodeBody(ctx)
	r.Body, r.Unpacked = nil, nil
	read.Release()
	if memoryErr := memory.Err(); memoryErr != nil {
		return nil, memoryErr // the real cause: a protocol that got no memory may report a malformed body
	}
	if err != nil {
		return nil, err
	}
	return decoded, memory.ReserveStorage()
}

// read reads the body. While it arrives, read looks for the name of a known project, which
// may use more memory.
func (s *sender) read(ctx context.Context, sent io.Reader) (*body.Body, error) {
	r := s.request
	if r.Route.Framing == wire.OneMessage {
		sent = body.Message(sent, r.Limits.Body)
	}
	reading := body.Open(sent, body.WithoutCodings(r.Header.Get("Content-Encoding"), r.Route.Codings), r.Limits)
	if s.project == nil {
		for text := range reading.Beginnings() {
			if s.namesKnownProject(ctx, text) {
				r.Limits.Memory.SetKnown()
				break // the rest is read without a look at it
			}
		}
	}
	return reading.Body()
}

// decodeBody unpacks and decodes a body that is there.
func (s *sender) decodeBody(ctx context.Context) (*wire.Decoded, error) {
	if u, ok := s.protocol.(wire.Unpacker); ok {
		if err := s.unpack(ctx, u); err != nil {
			return nil, err
		}
	}
	return s.protocol.Decode(s.request)
}

// unpack sets Unpacked. Like read, it looks for the name of a known project.
func (s *sender) unpack(ctx context.Context, u wire.Unpacker) error {
	r := s.request
	for text, err := range u.Unpack(r) {
		if err != nil {
			return err
		}
		r.Unpacked = text
		if r.Limits.Memory.UnknownProject() && s.namesKnownProject(ctx, text) {
			r.Limits.Memory.SetKnown()
		}
	}
	return nil
}
