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

// growthBytes is how much more memory an answer takes at once whose need is not known before.
const growthBytes = 1 << 20

// growing is the memory of such an answer, beside that of its plan.
type growing struct {
	e          *Engine
	held, used int64
}

// use takes n bytes more. It does not wait: two answers that wait for what the other holds would
// wait for ever. Errors: ETOOLARGE beyond half of all memory, EUNAVAILABLE if other answers have it.
func (g *growing) use(n int) error {
	for g.used += int64(n); g.used > g.held; g.held += growthBytes {
		h := &g.e.held
		if most := h.all / 2; g.held+growthBytes > most {
			return weir.Errorf(weir.ETOOLARGE, "the question holds more values than the %d MiB that one answer may take: ask for a shorter range, a filter, or no breakdown", most>>20)
		}
		if !h.sem.TryAcquire(growthBytes) {
			return weir.Errorf(weir.EUNAVAILABLE, "other questions take the memory for answers now: ask again later, or for a shorter range")
		}
		h.used.Add(growthBytes)
	}
	return nil
}

// release gives all of it back.
func (g *growing) release() {
	g.e.held.used.Add(-g.held)
	g.e.held.sem.Release(g.held)
	g.held, g.used = 0, 0
}

// Held returns the bytes that the answers in computation may take now.
func (e *Engine) Held() int64 { return e.held.used.Load() }

// errTooLong ends a question that takes longer than Options.MaxTime.
var errTooLong = weir.Wrap(errors.New("question timed out"), weir.EUNAVAILABLE, "the question takes too long: ask for a shorter range or a longer interval")

// within limits the time of a whole question, with its waiting.
func (e *Engine) within(ctx context.Context) (context.Context, context.CancelFunc) {
	return context.WithDeadlineCause(ctx, time.Now().Add(e.o.MaxTime), errTooLong)
}
