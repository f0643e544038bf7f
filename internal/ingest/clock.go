package ingest

import (
	"time"

	weir "github.com/weir-analytics/weir"
	"github.com/weir-analytics/weir/internal/wire"
)

// maxSkew is how far from ours a sender's clock may be without being corrected
// for. A request takes its time, which would go into the correction, and of the
// requests of one sender the later may be the faster: within this the sender's
// times are the truer ones.
const maxSkew = time.Minute

// events decodes a body, all times by our clock. sentAt is when it was sent by the
// sender's, or zero. Errors: those of wire.Events.
func (g *Ingester) events(body []byte, sentAt time.Time) ([]weir.Incoming, []weir.Rejection, error) {
	now, limits := g.Clock.Now(), g.Limits
	skew := now.Sub(sentAt)
	if sentAt.IsZero() || skew.Abs() <= maxSkew {
		return wire.Events(body, now, limits)
	}
	limits.Oldest = limits.Oldest.Add(-skew) // which is about our time
	in, rejected, err := wire.Events(body, sentAt, limits)
	for i := range in {
		e := &in[i].Event
		e.Time = e.Time.Add(skew)
	}
	return in, rejected, err
}
