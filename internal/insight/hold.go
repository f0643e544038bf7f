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
	// answerBytes is the most memory of an answer that is no trend.
	answerBytes = 2 << 20
	// pageBytes is about the most memory of a page of events. Further events are on the next
	// page.
	pageBytes = 4 << 20
	// eventBytes is the memory of the largest event.
	eventBytes = 128 << 10
)

// held bounds the memory of the answers that are being computed.
type held struct {
	all  int64
	sem  *semaphore.Weighted
	used atomic.Int64
}

// hold waits until there is memory for an answer of n bytes. release gives it back. Errors:
// ETOOLARGE if there can never be so much, and those of within.
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

// Held returns the bytes that the answers in computation may take now.
func (e *Engine) Held() int64 { return e.held.used.Load() }

// errTooLong ends a question that takes longer than Options.MaxTime.
var errTooLong = weir.Wrap(errors.New("question timed out"), weir.EUNAVAILABLE, "the question takes too long: ask for a shorter range or a longer interval")

// within limits the time of a whole question, with its waiting.
func (e *Engine) within(ctx context.Context) (context.Context, context.CancelFunc) {
	return context.WithDeadlineCause(ctx, time.Now().Add(e.o.MaxTime), errTooLong)
}
