package ingest

import (
	"sync"
	"time"

	weir "github.com/weir-analytics/weir"
	"github.com/weir-analytics/weir/internal/fleet"
)

// lease is the slice of a bucket that a node took and has not given out yet.
//
// A slice is 1 % of the bucket at most, or one token, or what a request needs. So a
// rate lets through what one bucket would, and at most 1 % of the bucket's size for
// each node more, once after a pause. What a node does not give out within a tenth of
// the rate's time is lost, which lets through less; to keep that little, a slice is
// as large as what was lately given out in such a time: twice the last one when
// that was used up, what was used of it when it ran out.
type lease struct {
	mu     sync.Mutex
	bucket string // its name: another rate is another bucket
	rate   weir.Rate
	unit   unit

	have  int       // of the slice, what may still come
	got   int       // its size, in tokens
	until time.Time // when it runs out

	remaining int       // tokens left in the bucket when that was last asked,
	seen      time.Time // at this time

	// Until dryUntil nothing that needs dryNeed tokens or more is worth asking for.
	dryUntil time.Time
	dryNeed  int
}

// unit is a rate as a bucket: a token stands for several where one each would come
// too fast for a count of microseconds.
type unit struct {
	limit  fleet.Limit
	events int // a token's worth
}

// finest is the least time between two tokens, of rates that get more than one of a
// thing in it. It bounds the error of rounding to whole microseconds: 0.05 %.
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

// tokens is how many tokens are worth n.
func (u unit) tokens(n int) int { return (n + u.events - 1) / u.events }

// begin makes the lease one of the rate, and forgets a slice that has run out.
func (l *lease) begin(key string, r weir.Rate, now time.Time) {
	if l.rate != r {
		l.bucket, l.rate, l.unit = key+":"+r.String(), r, unitOf(r)
		l.have, l.got, l.until, l.dryUntil = 0, 0, time.Time{}, time.Time{}
		l.remaining, l.seen = l.unit.limit.Burst, now
	}
	if whole := l.have / l.unit.events; whole > 0 && !now.Before(l.until) {
		l.got = max(l.got-whole, 1) // what was used of it
		l.have -= whole * l.unit.events
		l.until = time.Time{}
	}
}

// slice is how many tokens are worth taking at once.
func (l *lease) slice(now time.Time) int {
	size := max(l.got, 1)
	if now.Before(l.until) { // used up before it ran out
		size *= 2
	}
	return min(size, max(1, l.unit.limit.Burst/100))
}

// fill adds a slice to what is left of the last one.
func (l *lease) fill(tokens int, now time.Time) {
	l.have += tokens * l.unit.events
	l.got = tokens
	l.until = now.Add(l.rate.Per / 10)
	l.dryUntil = time.Time{}
}

// standing is what the sender may be told. Other nodes take of the same bucket, so
// it is an estimate.
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
