package insight

import (
	"context"
	"errors"
	"sync/atomic"
	"time"

	weir "github.com/weir-analytics/weir"
	"golang.org/x/sync/semaphore"
)

const (
	// valueBytes is what a value of a trend takes: its point, its text, and that of the
	// copy that is kept.
	valueBytes = 200
	// answerBytes is what any other answer takes at most.
	answerBytes = 2 << 20
	// pageBytes is the most of a page of events, about; what is over it is on the next.
	pageBytes = 4 << 20
	// eventBytes is what one takes that is as large as may be.
	eventBytes = 128 << 10
)

// held bounds the memory of the answers that are being found out.
type held struct {
	all  int64
	sem  *semaphore.Weighted
	used atomic.Int64
}

// hold waits until there is memory for an answer of n bytes, which release gives back.
// Errors: ETOOLARGE when there never is, and those of within.
func (e *Engine) hold(ctx context.Context, n int64) (release func(), err error) {
	h := &e.held
	if n > h.all {
		return nil, weir.Errorf(weir.ETOOLARGE, "the answer would have too many values: ask for a shorter range, a longer interval, fewer groups or fewer series")
	}
	if err := h.sem.Acquire(ctx, n); err != nil {
		return nil, context.Cause(ctx)
	}
	h.used.Add(n)
	return func() { h.used.Add(-n); h.sem.Release(n) }, nil
}

// Held is what the answers that are being found out may take just now, in bytes.
func (e *Engine) Held() int64 { return e.held.used.Load() }

// errTooLong is why a question ends that takes longer than Options.MaxTime.
var errTooLong = weir.Wrap(errors.New("question timed out"), weir.EUNAVAILABLE, "the question takes too long: ask for a shorter range or a longer interval")

// within limits the time of a whole question, also that of waiting for its turn.
func (e *Engine) within(ctx context.Context) (context.Context, context.CancelFunc) {
	return context.WithDeadlineCause(ctx, time.Now().Add(e.o.MaxTime), errTooLong)
}

// bytes is what the answer takes.
func (t *trendPlan) bytes() int64 {
	lines, points := len(t.series), len(t.now.starts)
	if t.group != nil {
		lines *= t.groups + 1
	}
	if t.before != nil {
		points += len(t.before.starts)
	}
	return int64(lines) * int64(points) * valueBytes
}
