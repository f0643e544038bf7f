package ingest

import (
	"context"
	"fmt"
	"log/slog"
	"maps"
	"sync"
	"time"

	weir "github.com/weir-analytics/weir"
)

// Ledger stores how many events were refused, left out or flagged, by project, month
// (2006-01 in the project's timezone) and reason. *meta.Store implements it.
type Ledger interface {
	AddOverflow(ctx context.Context, projectID, month, reason string, events int64) error
	Overflow(ctx context.Context, projectID, month string) (map[string]int64, error)
}

// Overflows collects counts and writes them to the ledger every few seconds, so that a
// refused request costs no write. A killed process loses the counts of at most flushEvery;
// the metrics have them too. It is safe for concurrent use.
type Overflows struct {
	ledger Ledger
	log    *slog.Logger

	mu     sync.Mutex
	counts map[overflow]int64 // not yet in the ledger
}

type overflow struct{ project, month, reason string }

// NewOverflows makes an Overflows. Nothing is written to the ledger until Run is called.
func NewOverflows(l Ledger, log *slog.Logger) *Overflows {
	return &Overflows{ledger: l, log: log, counts: map[overflow]int64{}}
}

const (
	flushEvery  = 5 * time.Second
	flushWithin = 5 * time.Second // when the process stops
)

// Run writes to the ledger every few seconds, and once more when ctx is done. It always
// returns nil. A failed write is retried with the next one.
func (o *Overflows) Run(ctx context.Context) error {
	t := time.NewTicker(flushEvery)
	defer t.Stop()
	for {
		select {
		case <-t.C:
			o.flush(ctx)
		case <-ctx.Done():
			last, cancel := context.WithTimeout(context.WithoutCancel(ctx), flushWithin)
			defer cancel()
			o.flush(last)
			return nil
		}
	}
}

func (o *Overflows) add(p *weir.Project, now time.Time, reason string, events int) {
	if o == nil || events == 0 {
		return
	}
	key := overflow{p.ID, monthName(p, now), reason}
	o.mu.Lock()
	o.counts[key] += int64(events)
	o.mu.Unlock()
}

func monthName(p *weir.Project, now time.Time) string { return now.In(p.Location()).Format("2006-01") }

func (o *Overflows) flush(ctx context.Context) {
	o.mu.Lock()
	counts := maps.Clone(o.counts)
	o.mu.Unlock()
	for key, n := range counts {
		if err := o.ledger.AddOverflow(ctx, key.project, key.month, key.reason, n); err != nil {
			o.log.WarnContext(ctx, "storing the counts of refused events failed, retrying in 5s", "error", err)
			return
		}
		o.mu.Lock()
		if o.counts[key] -= n; o.counts[key] == 0 {
			delete(o.counts, key)
		}
		o.mu.Unlock()
	}
}

// waiting returns the count that is not yet in the ledger.
func (o *Overflows) waiting(project, month, reason string) int64 {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.counts[overflow{project, month, reason}]
}

// Usage says how much of its limits a project has used in the current month.
type Usage struct {
	Month string    `json:"month" doc:"in the project's timezone, as 2006-01"`
	From  time.Time `json:"from"`
	To    time.Time `json:"to" doc:"when the next month begins"`

	Used      int64         `json:"used" doc:"events of the month, by their own times"`
	Quota     int64         `json:"quota" doc:"0 is none"`
	Remaining *int64        `json:"remaining" doc:"null without a quota"`
	UsedUp    bool          `json:"used_up" doc:"the quota is used up"`
	Over      weir.Overflow `json:"over" enum:"refuse,sample,flag" doc:"what becomes of more"`
	Sample    int           `json:"sample" doc:"percent of the devices that are kept under the policy sample"`

	Refused     int64 `json:"refused" doc:"events refused since the quota was used up; each time that one was sent counts"`
	SampledOut  int64 `json:"sampled_out" doc:"events dropped"`
	Flagged     int64 `json:"flagged" doc:"events taken and marked"`
	RateLimited int64 `json:"rate_limited" doc:"events refused for their key's rate; each time that one was sent counts"`

	AddressFiltered int64 `json:"address_filtered" doc:"events left out since their address is in the project's address_filters"`
	BotsDropped     int64 `json:"bots_dropped" doc:"events of bots left out, with bot_events drop"`

	LimitKey string    `json:"limit_key" doc:"most events by one write key, such as 1000/s; off for any number"`
	LimitIP  string    `json:"limit_ip" doc:"most requests from one address"`
	AsOf     time.Time `json:"as_of"`
}

// Usages computes the usage of projects.
type Usages struct {
	Counters  Counters
	Overflows *Overflows
	Clock     weir.Clock
	// LimitKey and LimitIP are the server's own rates.
	LimitKey, LimitIP weir.Rate
}

// Usage returns the current usage of a project. It may lack what other nodes refused in
// the last few seconds.
func (u *Usages) Usage(ctx context.Context, p *weir.Project) (*Usage, error) {
	now := u.Clock.Now()
	loc := p.Location()
	from, to := weir.MonthOf(now, loc)
	l, err := p.Limits.Normal()
	if err != nil {
		return nil, err
	}
	a := &Usage{
		Month: monthName(p, now), From: from.In(loc), To: to.In(loc), Quota: l.Quota, Over: l.Over, Sample: l.Sample,
		LimitKey: l.Key.Or(u.LimitKey).Or(weir.RateOff).String(), LimitIP: l.IP.Or(u.LimitIP).Or(weir.RateOff).String(), AsOf: now.In(loc),
	}
	if a.Used, err = used(ctx, u.Counters, p, from, to); err != nil {
		return nil, weir.Wrap(err, weir.EUNAVAILABLE, "the counters cannot be read now")
	}
	if l.Quota > 0 {
		left := max(l.Quota-a.Used, 0)
		a.Remaining, a.UsedUp = &left, left == 0
	}
	// Read the waiting counts before the ledger. If they are written in between, they
	// count twice for a moment; the other order could miss them.
	counts := map[string]*int64{
		ReasonQuota: &a.Refused, ReasonSampled: &a.SampledOut, ReasonFlagged: &a.Flagged, ReasonLimited: &a.RateLimited,
		ReasonAddress: &a.AddressFiltered, ReasonBot: &a.BotsDropped,
	}
	for reason, n := range counts {
		*n = u.Overflows.waiting(p.ID, a.Month, reason)
	}
	stored, err := u.Overflows.ledger.Overflow(ctx, p.ID, a.Month)
	if err != nil {
		return nil, fmt.Errorf("ingest: usage: %w", err)
	}
	for reason, n := range counts {
		*n += stored[reason]
	}
	return a, nil
}
