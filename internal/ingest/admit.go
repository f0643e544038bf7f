package ingest

import (
	"context"
	"fmt"
	"time"

	weir "github.com/weir-analytics/weir"
)

// Refusal is the error of a request that is refused as a whole for now. None of its
// events was stored.
type Refusal struct {
	Err      *weir.Error   // ERATELIMITED or EQUOTA
	After    time.Duration // when to send it again
	Standing *Standing     // with ERATELIMITED
	reason   string        // for the metric
}

func (r *Refusal) Error() string { return r.Err.Error() }

// Unwrap returns the domain error.
func (r *Refusal) Unwrap() error { return r.Err }

// Limited returns the refusal of a sender that is over its rate.
func Limited(s Standing, wait time.Duration) *Refusal {
	what := map[string]string{PolicyKey: "events by this write key", PolicyIP: "requests from this address"}[s.Policy]
	return &Refusal{
		Err:   weir.Errorf(weir.ERATELIMITED, "more than %s %s: send it again later", s.Rate, what),
		After: wait, Standing: &s, reason: ReasonLimited,
	}
}

// admission is the result of checking a request against the limits.
type admission struct {
	key      string // key whose tokens were spent, "" for none
	n        int
	refused  int // events of a month that is used up, when they are refused
	standing *Standing
	month    *monthUsage // of a project with a quota
	over     bool        // it is used up
}

// admit applies the limits of the project to a request. Error: a Refusal, if no event may be
// stored now. If only some events are of a month whose quota is used up, only those are
// refused, later by overflowed.
func (g *Ingester) admit(ctx context.Context, p *weir.Project, in []weir.Incoming, r Remote, now time.Time) (a admission, err error) {
	l := p.Limits
	if l.Quota > 0 && g.Quotas != nil {
		a.month, a.over = g.Quotas.over(ctx, p, now)
		if a.over && (l.Over == weir.OverRefuse || l.Over == "") {
			a.refused = int(a.month.count(in))
		}
		if a.refused == len(in) {
			return a, g.refuse(p, now, len(in), &Refusal{
				Err:    weir.Errorf(weir.EQUOTA, "the project's %d events of this month are used up", l.Quota),
				After:  time.UnixMicro(a.month.to.Load()).Sub(now),
				reason: ReasonQuota,
			})
		}
	}
	if limit := l.Key.Or(g.LimitKey); limit.Limited() && g.Limiter != nil && r.Key != "" {
		n := len(in) - a.refused
		s, wait := g.Limiter.Take(ctx, "key:"+r.Key, limit, n)
		s.Policy = PolicyKey
		if wait > 0 {
			return a, g.refuse(p, now, len(in), Limited(s, wait))
		}
		a.key, a.n, a.standing = "key:"+r.Key, n, &s
	}
	return a, nil
}

// refuse counts the events of a refusal and returns it as the error.
func (g *Ingester) refuse(p *weir.Project, now time.Time, events int, r *Refusal) error {
	g.metrics.rejected.WithLabelValues(r.reason).Add(float64(events))
	g.Overflows.add(p, now, r.reason, events)
	return r
}

// giveBack returns the tokens of n events that count for no rate.
func (g *Ingester) giveBack(a *admission, n int) {
	if n = min(n, a.n); n > 0 && a.key != "" {
		g.Limiter.Return(a.key, n)
		a.n -= n
	}
}

// overflowed applies the quota's policy to events of a month whose quota is used up. It
// returns the events to store, some of them marked, and the rejections of the others.
func (g *Ingester) overflowed(p *weir.Project, in []weir.Incoming, a *admission) (kept []weir.Incoming, out []weir.Rejection, flagged int) {
	l := p.Limits
	marks := l.Over == weir.OverFlag || l.Over == weir.OverSample
	if !a.over || !marks && a.refused == 0 {
		return in, nil, 0
	}
	kept = in[:0]
	for i := range in {
		x := in[i]
		switch {
		case !a.month.holds(x.Event.Time.UnixMicro()):
		case !marks:
			out = append(out, weir.Rejection{Index: x.Index, Reason: ReasonQuota, Detail: fmt.Sprintf(
				"the project's %d events of its month are used up: send it again after %s", l.Quota, time.UnixMicro(a.month.to.Load()).UTC().Format(time.RFC3339))})
			continue
		case l.Over == weir.OverFlag:
			x.Event.Properties = marked(x.Event.Properties, PropertyOver, "true")
			flagged++
		case l.Over == weir.OverSample && !sampled(&x.Event, l.Sample):
			out = append(out, weir.Rejection{Index: x.Index, Reason: ReasonSampled})
			continue
		case l.Over == weir.OverSample:
			x.Event.Properties = marked(x.Event.Properties, PropertySample, share(l.Sample))
		}
		kept = append(kept, x)
	}
	return kept, out, flagged
}

// accepted counts the stored events of a request for the quota, and the others for the
// metrics.
func (g *Ingester) accepted(p *weir.Project, kept []weir.Incoming, duplicates int, out []weir.Rejection, flagged int, a *admission, now time.Time) {
	if a.month != nil {
		a.month.added.Add(max(a.month.count(kept)-int64(duplicates), 0))
	}
	if a.over {
		for _, reason := range []string{ReasonSampled, ReasonQuota} {
			n := 0
			for _, j := range out {
				if j.Reason == reason {
					n++
				}
			}
			g.metrics.rejected.WithLabelValues(reason).Add(float64(n))
			g.Overflows.add(p, now, reason, n)
		}
		g.metrics.flagged.Add(float64(flagged))
		g.Overflows.add(p, now, ReasonFlagged, flagged)
	}
}

// count returns how many events belong to the month, by their own times, as in the
// counters.
func (t *monthUsage) count(in []weir.Incoming) (n int64) {
	for i := range in {
		if t.holds(in[i].Event.Time.UnixMicro()) {
			n++
		}
	}
	return n
}
