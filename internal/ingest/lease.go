package ingest

import (
	"sync"
	"time"

	weir "github.com/weir-analytics/weir"
	"github.com/weir-analytics/weir/internal/fleet"
)

// lease is a slice of tokens that a node took from a shared bucket and spends locally.
//
// A slice is at most 1 % of the bucket, or one token, or as much as the request needs. So
// all nodes together allow the rate, plus at most 1 % of the bucket for each further node,
// once after a pause. A slice expires after a tenth of the rate's period, and its unused
// tokens are lost; so less than the rate may pass. To keep the loss small, the size of a
// slice follows the demand: twice the last slice if that was used up, otherwise what was
// used of it.
type lease struct {
	mu     sync.Mutex
	bucket string // name of the shared bucket; each rate has its own
	rate   weir.Rate
	unit   unit

	have  int       // events that the slice still allows
	got   int       // size of the slice, in tokens
	until time.Time // when the slice expires

	remaining int       // tokens left in the shared bucket at the last look
	seen      time.Time // time of that look

	// Until dryUntil the shared bucket has fewer than dryNeed tokens: do not ask for so many.
	dryUntil time.Time
	dryNeed  int
}

// unit converts a rate to a token bucket. For high rates a token stands for several
// events: the interval between tokens is a whole number of microseconds.
type unit struct {
	limit  fleet.Limit
	events int // per token
}

// finest is the shortest interval between two tokens, for rates where a token may stand
// for several events. It bounds the rounding error to 0.05 %.
const finest = time.Millisecond

func unitOf(r weir.Rate) unit {
	u := unit{events: 1}
	if time.Duration(r.N)*finest > r.Per {
		u.events = int((time.Duration(r.N)*finest + r.Per - 1) / r.Per)
	}
	u.limit.Burst = max(r.N/u.events, 1)
	u.limit.Every = (r.Per / time.Duration(u.limit.Burst)).Round(time.Microsecond)
	u.limit.Debt = max(min(u.tokens(largest), int(fleet.MaxFill/u.limit.Every)-u.limit.Burst), 0)
	return u
}

// tokens returns how many tokens n events need.
func (u unit) tokens(n int) int { return (n + u.events - 1) / u.events }

// begin sets the rate of the lease, if it changed, and drops an expired slice.
func (l *lease) begin(key string, r weir.Rate, now time.Time) {
	if l.rate != r {
		l.bucket, l.rate, l.unit = key+":"+r.String(), r, unitOf(r)
		l.have, l.got, l.until, l.dryUntil = 0, 0, time.Time{}, time.Time{}
		l.remaining, l.seen = l.unit.limit.Burst, now
	}
	if whole := l.have / l.unit.events; whole > 0 && !now.Before(l.until) {
		l.got = max(l.got-whole, 1) // what was used of the slice
		l.have -= whole * l.unit.events
		l.until = time.Time{}
	}
}

// slice returns the size of the next slice, in tokens.
func (l *lease) slice(now time.Time) int {
	size := max(l.got, 1)
	if now.Before(l.until) { // the last one was used up before it expired
		size *= 2
	}
	return min(size, max(1, l.unit.limit.Burst/100))
}

// fill adds a slice to the rest of the last one.
func (l *lease) fill(tokens int, now time.Time) {
	l.have += tokens * l.unit.events
	l.got = tokens
	l.until = now.Add(l.rate.Per / 10)
	l.dryUntil = time.Time{}
}

// standing returns the state of the limit for the response's headers. It is an estimate,
// because other nodes use the same bucket.
func (l *lease) standing(now time.Time) Standing {
	u := l.unit
	filled := int(max(now.Sub(l.seen), 0) / u.limit.Every)
	left := min(l.remaining+filled, u.limit.Burst)*u.events + l.have
	s := Standing{Rate: l.rate, Remaining: min(left, l.rate.N)}
	if now.Before(l.dryUntil) {
		s.Remaining = min(s.Remaining, (l.dryNeed-1)*u.events)
	}
	s.Reset = time.Duration(float64(l.rate.N-s.Remaining) / float64(l.rate.N) * float64(l.rate.Per))
	return s
}
