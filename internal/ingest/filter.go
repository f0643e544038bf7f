package ingest

import (
	"cmp"
	"time"

	weir "github.com/weir-analytics/weir"
)

// filterAddresses takes out the events of addresses that the project refuses, before they count
// for anything. The address of an event is the one that it names, else that of the request. An
// old log is not sent by its visitors: there only the event's own address counts.
func filterAddresses(p *weir.Project, in []weir.Incoming, r Remote) (kept []weir.Incoming, out []weir.Rejection) {
	if len(p.AddressFilters) == 0 {
		return in, nil
	}
	sender := r.IP
	if r.Historical {
		sender = ""
	}
	last, match := "", false // most events of a request have the same address
	return leaveOut(in, weir.Rejection{Reason: ReasonAddress}, func(x *weir.Incoming) bool {
		if ip := cmp.Or(x.Source.IP, sender); ip != last {
			a, ok := weir.ParseAddress(ip)
			last, match = ip, ok && p.AddressFilters.Match(a)
		}
		return match
	})
}

// dropBots takes out the events of bots, if the project refuses them. The events are enriched.
func dropBots(p *weir.Project, in []weir.Incoming) (kept []weir.Incoming, out []weir.Rejection) {
	if !p.BotRules.Drop {
		return in, nil
	}
	return leaveOut(in, weir.Rejection{Reason: ReasonBot}, func(x *weir.Incoming) bool { return x.Event.Bot })
}

// leaveOut takes out the events for which is returns true, with a rejection like why for each. It
// moves the others to the front of in.
func leaveOut(in []weir.Incoming, why weir.Rejection, is func(*weir.Incoming) bool) (kept []weir.Incoming, out []weir.Rejection) {
	kept = in[:0]
	for i := range in {
		if is(&in[i]) {
			why.Index = in[i].Index
			out = append(out, why)
			continue
		}
		if len(kept) == i {
			kept = in[:i+1]
		} else {
			kept = append(kept, in[i])
		}
	}
	return kept, out
}

// leftOut counts events that were left out for a reason.
func (g *Ingester) leftOut(p *weir.Project, out []weir.Rejection, reason string, now time.Time) {
	if len(out) > 0 {
		g.metrics.rejected.WithLabelValues(reason).Add(float64(len(out)))
		g.Overflows.add(p, now, reason, len(out))
	}
}
