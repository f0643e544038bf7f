// Package ingest takes decoded events: it completes them, applies the limits of their
// project, and appends them to the hot tier. When it returns success, the events are
// durable and counted.
package ingest

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/google/uuid"
	"github.com/prometheus/client_golang/prometheus"
	weir "github.com/weir-analytics/weir"
	"github.com/weir-analytics/weir/internal/enrich"
	"github.com/weir-analytics/weir/internal/hot"
	"github.com/weir-analytics/weir/internal/wire"
)

// Log is the part of the hot tier that ingest needs.
type Log interface {
	Append(ctx context.Context, items []hot.Item) (duplicates []int, err error)
	Seen(ctx context.Context, project string, asked []hot.SeenQuery, now time.Time) ([]hot.SeenResult, error)
}

// Feed receives accepted events for live streams.
type Feed interface {
	// Watched reports whether anybody watches the project.
	Watched(project string) bool
	// Received must not keep or change the events.
	Received(project string, events []*weir.Event)
}

// Remote is the sender of a request.
type Remote struct {
	IP        string // "" when unknown
	UserAgent string
	Key       string // identifies the write key for the rate limit; not the secret itself. "" is not limited
	// Historical: the events come from an old log. Devices are derived with the
	// project's import salt, not with the salt of the day.
	Historical bool
	// Page: the request comes from a page in a browser (it has an Origin). So its address
	// and user agent are the visitor's, even if the event names a profile.
	Page bool
}

// Reply says what happened to a request's events.
type Reply struct {
	Accepted   int
	Duplicates int // events that were stored before; they are not stored again
	Rejected   []weir.Rejection

	Standing *Standing // state of the key's rate limit; nil without a limit
}

// Config has the parts of an Ingester.
type Config struct {
	Log    Log
	Salts  Salts
	Enrich *enrich.Enricher
	Feed   Feed // optional
	Clock  weir.Clock

	Registry prometheus.Registerer // optional

	Limiter   *Limiter   // nil: no rates
	LimitKey  weir.Rate  // for projects without a rate of their own
	Quotas    *Quotas    // nil: no quotas
	Overflows *Overflows // optional
	Brake     Brake      // optional
}

// Brake refuses events while too many wait for the drain.
type Brake interface{ Allow(events int) bool }

// Ingester receives events. It is safe for concurrent use.
type Ingester struct {
	Config
	devices devices
	metrics metrics
}

// New makes an Ingester.
func New(c Config) *Ingester {
	return &Ingester{Config: c, devices: devices{salts: c.Salts, sessions: newSessionDevices(), log: c.Log}, metrics: newMetrics(c.Registry)}
}

// Deliver calls Accept, counts the events that were rejected during decoding, and adds
// them to the reply, sorted by index. Errors: those of Accept.
func (g *Ingester) Deliver(ctx context.Context, p *weir.Project, in []weir.Incoming, rejected []weir.Rejection, r Remote) (Reply, error) {
	reply, err := g.Accept(ctx, p, in, r)
	if err != nil {
		g.metrics.refused(err)
		return Reply{}, err
	}
	for _, j := range rejected {
		g.metrics.rejected.WithLabelValues(j.Reason).Inc()
	}
	if len(reply.Rejected) > 0 {
		rejected = append(rejected, reply.Rejected...)
		slices.SortFunc(rejected, func(a, b weir.Rejection) int { return cmp.Compare(a.Index, b.Index) })
	}
	reply.Rejected = rejected
	return reply, nil
}

// Refused counts a request that was refused as a whole before Deliver, by the code of err.
func (g *Ingester) Refused(err error) { g.metrics.refused(err) }

var itemPool = sync.Pool{New: func() any { return new([]hot.Item) }}

// Accept enriches decoded events, in place, and appends them. Events that a quota drops or the
// project filters are rejections in the reply. Errors: EUNAVAILABLE if the hot tier is unavailable (the
// sender may send the same request again); a Refusal if the project is over its limits.
func (g *Ingester) Accept(ctx context.Context, p *weir.Project, in []weir.Incoming, r Remote) (Reply, error) {
	now := g.Clock.Now()
	in, filtered := filterAddresses(p, in, r)
	if len(in) == 0 {
		g.leftOut(p, filtered, ReasonAddress, now)
		return Reply{Rejected: filtered}, nil
	}
	if g.Brake != nil && !g.Brake.Allow(len(in)) {
		return Reply{}, weir.Errorf(weir.EUNAVAILABLE, "too many events wait to be stored: send the same again after Retry-After")
	}
	admitted, err := g.admit(ctx, p, in, r, now)
	if err != nil {
		return Reply{}, err
	}
	reply, err := g.accept(ctx, p, in, r, &admitted, now)
	if err != nil {
		g.giveBack(&admitted, admitted.n) // the sender will send them again
		return Reply{}, err
	}
	g.leftOut(p, filtered, ReasonAddress, now)
	reply.Rejected = append(reply.Rejected, filtered...)
	reply.Standing = admitted.standing
	return reply, nil
}

func (g *Ingester) accept(ctx context.Context, p *weir.Project, in []weir.Incoming, r Remote, admitted *admission, now time.Time) (Reply, error) {
	r.IP = weir.Address(r.IP)
	for i := range in {
		g.complete(p, &in[i], r, now)
	}
	in, bots := dropBots(p, in)
	g.giveBack(admitted, len(bots))
	if err := g.devices.setDevices(ctx, p.ID, in, r, now); err != nil {
		return Reply{}, unavailable(err)
	}
	if err := identify(in); err != nil {
		return Reply{}, err
	}
	kept, out, flagged := g.overflowed(p, in, admitted)
	kept, large := tooLarge(kept)
	duplicates, err := g.append(ctx, p, kept)
	if err != nil {
		return Reply{}, err
	}
	g.leftOut(p, bots, ReasonBot, now)
	g.accepted(p, kept, len(duplicates), out, flagged, admitted, now)
	g.metrics.rejected.WithLabelValues(wire.ReasonTooLarge).Add(float64(len(large)))
	g.tell(p.ID, kept, duplicates)
	return Reply{Accepted: len(kept) - len(duplicates), Duplicates: len(duplicates), Rejected: slices.Concat(large, out, bots)}, nil
}

var rejectedLarge = weir.Rejection{Reason: wire.ReasonTooLarge, Detail: fmt.Sprintf("at most %d bytes as it is stored", hot.MaxRecord)}

// tooLarge removes events that are larger than the largest record of the log. A decoder
// bounds the size that was sent, but an event may grow: broken text is repaired, and
// fields of the whole request are copied into each event.
func tooLarge(in []weir.Incoming) (kept []weir.Incoming, large []weir.Rejection) {
	return leaveOut(in, rejectedLarge, func(x *weir.Incoming) bool { return hot.RecordSize(&x.Event) > hot.MaxRecord })
}

// identify assigns ids to events without one. Call it after derive, which looks up the
// ids that senders chose.
func identify(in []weir.Incoming) error {
	for i := range in {
		if in[i].Event.ID != "" {
			continue
		}
		id, err := uuid.NewV7()
		if err != nil {
			return fmt.Errorf("ingest: make an id: %w", err)
		}
		in[i].Event.ID = id.String()
	}
	return nil
}

// complete fills in missing fields, except device and id. r.IP has the form of weir.Address.
func (g *Ingester) complete(p *weir.Project, x *weir.Incoming, r Remote, now time.Time) {
	s := &x.Source
	s.IP = weir.Address(s.IP)
	switch {
	case s.Reported:
	case s.Client:
		s.IP, s.UserAgent = cmp.Or(s.IP, r.IP), cmp.Or(s.UserAgent, r.UserAgent)
	case r.Historical:
		// The sender of a log is not the visitor. A call without a visitor is reported by
		// a server.
		s.Reported = s.IP == "" && s.UserAgent == "" && x.Event.Call != nil
	case s.IP == "" && s.UserAgent == "":
		s.IP, s.UserAgent, s.Remote = r.IP, r.UserAgent, true
	}
	g.Enrich.Apply(x, p)
	e := &x.Event
	e.ProjectID, e.ReceivedAt = p.ID, now
	g.dropIllegalIDs(e)
	if p.StoreIP && x.Source.IP != "" {
		e.Properties = withIP(e.Properties, x.Source.IP)
	}
}

// append makes the events durable.
func (g *Ingester) append(ctx context.Context, p *weir.Project, in []weir.Incoming) (duplicates []int, err error) {
	if len(in) == 0 {
		return nil, nil
	}
	loc := p.Location()
	pooled := itemPool.Get().(*[]hot.Item)
	items := (*pooled)[:0]
	defer func() {
		clear(items)
		*pooled = items[:0]
		itemPool.Put(pooled)
	}()
	for i := range in {
		items = append(items, hot.Item{Event: &in[i].Event, Location: loc})
	}
	began := time.Now()
	if duplicates, err = g.Log.Append(ctx, items); err != nil {
		return nil, unavailable(err)
	}
	g.metrics.appended(len(items)-len(duplicates), len(duplicates), time.Since(began))
	return duplicates, nil
}

// tell sends the accepted events to live streams.
func (g *Ingester) tell(project string, in []weir.Incoming, duplicates []int) {
	if g.Feed == nil || !g.Feed.Watched(project) {
		return
	}
	events := make([]*weir.Event, 0, len(in)-len(duplicates))
	for i := range in {
		if len(duplicates) > 0 && duplicates[0] == i {
			duplicates = duplicates[1:]
			continue
		}
		events = append(events, &in[i].Event)
	}
	g.Feed.Received(project, events)
}

// unavailable wraps an error so that the client retries. Nothing of the request is
// acknowledged.
func unavailable(err error) error {
	switch {
	case errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded):
		return weir.Wrap(err, weir.EUNAVAILABLE, "the request was cancelled before its events were stored")
	case errors.Is(err, hot.ErrFull):
		return weir.Wrap(err, weir.EUNAVAILABLE, "the server has no room for more events now; send them again later")
	default:
		return weir.Wrap(err, weir.EUNAVAILABLE, "the events could not be stored now; send them again later")
	}
}
