package ingest

import (
	"time"

	weir "github.com/weir-analytics/weir"
	"github.com/weir-analytics/weir/internal/wire"
	"github.com/weir-analytics/weir/internal/wire/native"
)

// events decodes a body, all times by our clock. sentAt is when it was sent by the
// sender's, or zero. Errors: those of native.Decode.
func (g *Ingester) events(body []byte, sentAt time.Time, limits wire.Limits) ([]weir.Incoming, []weir.Rejection, error) {
	now := g.Clock.Now()
	skew := now.Sub(sentAt)
	if sentAt.IsZero() || skew.Abs() <= wire.MaxSkew {
		return native.Decode(body, now, limits)
	}
	limits.Oldest = limits.Oldest.Add(-skew) // which is about our time
	in, rejected, err := native.Decode(body, sentAt, limits)
	for i := range in {
		e := &in[i].Event
		e.Time = e.Time.Add(skew)
	}
	return in, rejected, err
}
