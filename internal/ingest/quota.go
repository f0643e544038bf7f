package ingest

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"github.com/hashicorp/golang-lru/v2/simplelru"
	"github.com/prometheus/client_golang/prometheus"
	weir "github.com/weir-analytics/weir"
	"github.com/weir-analytics/weir/internal/hot"
	"github.com/weir-analytics/weir/internal/wire"
	"golang.org/x/time/rate"
)

const (
	// usedFor is how long a project's count is good for, without what other nodes
	// take: it bounds by how much a quota may be exceeded.
	usedFor  = time.Second
	usedWait = 250 * time.Millisecond // for the counters

	maxMonths = 4096 // projects with a quota whose count a node remembers
)

// Properties that mark an event of a month whose quota is used up.
const (
	// PropertySample is the share of the devices that are kept, as a fraction: each
	// marked event stands for 1 / share.
	PropertySample = "weir_sample"
	// PropertyOver is true.
	PropertyOver = "weir_over_quota"
)

// Reasons for which events are not taken as they were sent.
const (
	ReasonLimited = "rate_limited"   // the key's rate; the sender may send them again
	ReasonQuota   = wire.ReasonQuota // as well
	ReasonSampled = wire.ReasonSampled
	ReasonFlagged = "flagged" // taken, and marked
)

// Counters are those of the hot tier, of which the month's count is the sum of the
// days.
type Counters interface {
	Series(ctx context.Context, project string, g hot.Grain, d hot.Dimension, member string, from, to time.Time) ([]hot.Point, error)
}

// Quotas knows how much of their quotas projects have used. The count is that of
// the counters, which is the log's own: it outlives processes and is one for all
// nodes. In between this node adds what it takes itself. So a month holds at most
// its quota, what the other nodes take within a second, and the requests under way.
// It is safe for concurrent use.
type Quotas struct {
	counters Counters
	clock    weir.Clock
	log      *slog.Logger

	mu       sync.Mutex
	projects *simplelru.LRU[string, *monthUsage]

	failed   rate.Sometimes
	failures prometheus.Counter
}

// tally is a project's month.
type monthUsage struct {
	mu       sync.Mutex // held while the counters are read
	from, to atomic.Int64
	used     atomic.Int64 // by the counters, at
	at       atomic.Int64 // µs since 1970; 0 is never
	added    atomic.Int64 // by this node, since
}

// NewQuotas makes a Quotas; registry is optional.
func NewQuotas(c Counters, clock weir.Clock, log *slog.Logger, registry prometheus.Registerer) *Quotas {
	q := &Quotas{
		counters: c, clock: clock, log: log, failed: rate.Sometimes{First: 1, Interval: time.Minute},
		failures: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "weir_quota_failures_total", Help: "Failed readings of how much of a quota is used; events were taken by what was known before.",
		}),
	}
	if q.log == nil {
		q.log = slog.Default()
	}
	// The constructor's only error is a size below 1.
	q.projects, _ = simplelru.NewLRU[string, *monthUsage](maxMonths, nil)
	if registry != nil {
		registry.MustRegister(q.failures)
	}
	return q
}

// over says whether a project has used its quota up, and the month that now is in.
// The project has a quota.
func (q *Quotas) over(ctx context.Context, p *weir.Project, now time.Time) (t *monthUsage, over bool) {
	q.mu.Lock()
	t, ok := q.projects.Get(p.ID)
	if !ok {
		t = &monthUsage{}
		q.projects.Add(p.ID, t)
	}
	q.mu.Unlock()
	us := now.UnixMicro()
	since := us - t.at.Load()
	switch {
	case !t.holds(us): // the first of all, or of a month: all wait
		t.mu.Lock()
		if !t.holds(us) {
			q.read(ctx, p, t, now)
		}
		t.mu.Unlock()
	case max(since, -since) >= usedFor.Microseconds() && t.mu.TryLock(): // the others go by what is known
		q.read(ctx, p, t, now)
		t.mu.Unlock()
	}
	return t, t.used.Load()+t.added.Load() >= p.Limits.Quota
}

// holds says whether the count is of the month of a time.
func (t *monthUsage) holds(us int64) bool { return t.from.Load() <= us && us < t.to.Load() }

// read counts anew. t.mu is held.
func (q *Quotas) read(ctx context.Context, p *weir.Project, t *monthUsage, now time.Time) {
	from, to := weir.MonthOf(now, p.Location())
	before := t.added.Load()
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), usedWait)
	defer cancel()
	used, err := used(ctx, q.counters, p, from, to)
	if err != nil {
		q.failures.Inc()
		q.failed.Do(func() {
			q.log.WarnContext(ctx, "it cannot be told how much of a quota is used; events are taken by what was known", "project", p.ID, "error", err)
		})
		used = t.used.Load()
		if t.from.Load() == from.UnixMicro() {
			before = 0 // what was added still counts
		} else {
			used = 0
		}
	}
	t.used.Store(used)
	t.added.Add(-before)
	t.at.Store(now.UnixMicro())
	t.to.Store(to.UnixMicro())
	t.from.Store(from.UnixMicro())
}

func used(ctx context.Context, c Counters, p *weir.Project, from, to time.Time) (n int64, err error) {
	points, err := c.Series(ctx, p.ID, hot.Day, hot.Total, "", from, to)
	if err != nil {
		return 0, fmt.Errorf("ingest: count the month: %w", err)
	}
	for _, pt := range points {
		n += pt.Count
	}
	return n, nil
}

// sampled says whether a device is of those that are kept, of percent in a hundred.
// It is one answer for a device, always, so that its visits stay whole. Events of no
// device go by their profile, or by their own id.
func sampled(e *weir.Event, percent int) bool {
	who := e.DeviceID
	if who == "" {
		who = e.ProfileID
	}
	if who == "" {
		who = e.ID
	}
	// Apart from the hash by which devices are counted and sharded: a part of those
	// would look like another number of devices.
	return hot.Hash("sample\x00"+e.ProjectID, who)%100 < uint64(percent)
}

// marked adds a property of Weir's own to the sender's.
func marked(properties json.RawMessage, name, value string) json.RawMessage {
	if len(properties) <= 2 {
		return fmt.Appendf(nil, `{%q:%s}`, name, value)
	}
	var has map[string]json.RawMessage
	if json.Unmarshal(properties, &has) == nil && has[name] != nil {
		has[name] = json.RawMessage(value)
		if b, err := json.Marshal(has); err == nil {
			return b
		}
	}
	return fmt.Appendf(nil, `{%q:%s,%s`, name, value, properties[1:])
}

// share is a percentage as the property has it.
func share(percent int) string { return strconv.FormatFloat(float64(percent)/100, 'f', -1, 64) }
