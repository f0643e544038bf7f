package client

import (
	"context"
	"sync"
	"time"
)

// batch is what is sent in one request: events as JSON, one a line.
type batch struct {
	text []byte
	ends []int     // where each event's line ends
	from time.Time // when its first event came
}

// lines returns those of the events from lo up to hi.
func (b *batch) lines(lo, hi int) []byte {
	begin := 0
	if lo > 0 {
		begin = b.ends[lo-1]
	}
	return b.text[begin:b.ends[hi-1]]
}

// queue holds events until they are delivered or given up. Its memory is that of
// at most `most` batches, the one under way among them.
type queue struct {
	batchEvents, batchBytes, most int

	mu     sync.Mutex
	full   []*batch // closed ones, the oldest first
	open   *batch   // takes events; nil or not empty
	away   *batch   // the one under way
	spare  *batch   // one to be used again
	closed bool

	pushed, settled uint64        // events taken; delivered or given up, in order
	wanted          uint64        // up to this event nothing waits for its interval
	changed         chan struct{} // closed when settled or wanted goes up
	wake            chan struct{} // holds one when there may be something to take
}

func newQueue(batchEvents, batchBytes, bytes int) *queue {
	return &queue{
		batchEvents: batchEvents, batchBytes: batchBytes,
		most:    max(bytes/batchBytes, 2), // one under way, one that is open
		changed: make(chan struct{}),
		wake:    make(chan struct{}, 1),
	}
}

// push takes a line, which it copies. Errors: ErrClosed, ErrTooLarge, ErrFull.
func (q *queue) push(line []byte, now time.Time) error {
	if len(line)+1 > q.batchBytes {
		return ErrTooLarge
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.closed {
		return ErrClosed
	}
	if b := q.open; b != nil && (len(b.ends) == q.batchEvents || len(b.text)+len(line)+1 > q.batchBytes) {
		if q.batches() == q.most {
			return ErrFull
		}
		q.full, q.open = append(q.full, b), nil
		q.signal()
	}
	if q.open == nil {
		if q.batches() == q.most {
			return ErrFull
		}
		if q.open, q.spare = q.spare, nil; q.open == nil {
			q.open = &batch{text: make([]byte, 0, q.batchBytes), ends: make([]int, 0, q.batchEvents)}
		}
		q.open.from = now
		q.signal()
	}
	b := q.open
	b.text = append(append(b.text, line...), '\n')
	b.ends = append(b.ends, len(b.text))
	q.pushed++
	return nil
}

// batches returns how many there are; callers hold mu.
func (q *queue) batches() int {
	n := len(q.full)
	if q.open != nil {
		n++
	}
	if q.away != nil {
		n++
	}
	return n
}

func (q *queue) signal() {
	select {
	case q.wake <- struct{}{}:
	default:
	}
}

// take returns the next batch, which stays in the queue until it is settled: a full
// one, or one whose first event is as old as the interval, or that somebody waits
// for. With none it says how long it is until one is due, 0 for never, and whether
// there will be none any more.
func (q *queue) take(now time.Time, interval time.Duration) (b *batch, wait time.Duration, over bool) {
	q.mu.Lock()
	defer q.mu.Unlock()
	switch {
	case len(q.full) > 0:
		b = q.full[0]
		q.full[0] = nil
		q.full = q.full[1:]
	case q.open == nil:
		return nil, 0, q.closed
	default:
		wait = interval - now.Sub(q.open.from)
		if wait > 0 && !q.closed && q.wanted <= q.settled {
			return nil, wait, false
		}
		b, q.open = q.open, nil
	}
	q.away = b
	return b, 0, false
}

// settle removes the batch that was taken.
func (q *queue) settle() {
	q.mu.Lock()
	defer q.mu.Unlock()
	b := q.away
	q.settled += uint64(len(b.ends))
	b.text, b.ends = b.text[:0], b.ends[:0]
	q.away, q.spare = nil, b
	close(q.changed)
	q.changed = make(chan struct{})
}

// wait has everything that was pushed before sent at once, and waits until it is
// settled.
func (q *queue) wait(ctx context.Context) error {
	q.mu.Lock()
	target := q.pushed
	q.wanted = max(q.wanted, target)
	q.signal()
	for q.settled < target {
		changed := q.changed
		q.mu.Unlock()
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-changed:
		}
		q.mu.Lock()
	}
	q.mu.Unlock()
	return nil
}

// close ends the taking of events.
func (q *queue) close() {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.closed = true
	q.signal()
}

// held returns how much memory is held for events, in bytes.
func (q *queue) held() int {
	q.mu.Lock()
	defer q.mu.Unlock()
	n := q.batches()
	if q.spare != nil {
		n++
	}
	return n * q.batchBytes
}
