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
	// usedFor is how long a project's count is used before it is read again. It lacks what
	// other nodes accept meanwhile, so usedFor bounds by how much a quota may be exceeded.
	usedFor  = time.Second
	usedWait = 250 * time.Millisecond // for the counters

	maxMonths = 4096 // projects with a quota whose count a node caches
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
	ReasonAddress = wire.ReasonAddress
	ReasonBot     = wire.ReasonBot
	ReasonFlagged = "flagged" // taken, and marked
)

// Counters are those of the hot tier. The count of a month is the sum of its days.
type Counters interface {
	Series(ctx context.Context, project string, g hot.Grain, d hot.Dimension, member string, from, to time.Time) ([]hot.Point, error)
}

// Quotas returns how much of their quotas projects have used. It reads the counters of the
// hot tier, which change with the log, so the count survives processes and is the same on
// all nodes. Between two readings this node adds what it accepts itself. So a month has at
// most its quota, what other nodes accept within a second, and the requests in progress. It
// is safe for concurrent use.
type Quotas struct {
	counters Counters
	clock    weir.Clock
	log      *slog.Logger

	mu       sync.Mutex
	projects *simplelru.LRU[string, *monthUsage]

	failed   rate.Sometimes
	failures prometheus.Counter
}

// monthUsage is the count of a project's month.
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
			Name: "weir_quota_failures_total", Help: "Failed readings of how much of a quota is used; the last count was used.",
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

// over returns the current month of a project with a quota, and whether its quota is used
// up.
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
	case !t.holds(us): // the first request of all, or of a month: the others wait
		t.mu.Lock()
		if !t.holds(us) {
			q.read(ctx, p, t, now)
		}
		t.mu.Unlock()
	case max(since, -since) >= usedFor.Microseconds() && t.mu.TryLock(): // the others use the last count
		q.read(ctx, p, t, now)
		t.mu.Unlock()
	}
	return t, t.used.Load()+t.added.Load() >= p.Limits.Quota
}

// holds reports whether a time is in the month of the count.
func (t *monthUsage) holds(us int64) bool { return t.from.Load() <= us && us < t.to.Load() }

// read reads the count again. t.mu is held.
func (q *Quotas) read(ctx context.Context, p *weir.Project, t *monthUsage, now time.Time) {
	from, to := weir.MonthOf(now, p.Location())
	before := t.added.Load()
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), usedWait)
	defer cancel()
	used, err := used(ctx, q.counters, p, from, to)
	if err != nil {
		q.failures.Inc()
		q.failed.Do(func() {
			q.log.WarnContext(ctx, "reading how much of a quota is used failed; the last known count decides", "project", p.ID, "error", err)
		})
		used = t.used.Load()
		if t.from.Load() == from.UnixMicro() {
			before = 0 // keep what was added
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

// sampled reports whether the events of a device are kept, if percent of the devices are.
// The answer for a device never changes, so its visits stay whole. An event without a
// device counts as its profile, or as its own id.
func sampled(e *weir.Event, percent int) bool {
	who := e.DeviceID
	if who == "" {
		who = e.ProfileID
	}
	if who == "" {
		who = e.ID
	}
	// Another hash than those that count and shard devices. Otherwise the sample would
	// distort the estimated number of devices.
	return hot.Hash("sample\x00"+e.ProjectID, who)%100 < uint64(percent)
}

// marked returns the properties with one of Weir's own added.
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

// share returns a percentage as a fraction, for PropertySample.
func share(percent int) string { return strconv.FormatFloat(float64(percent)/100, 'f', -1, 64) }
