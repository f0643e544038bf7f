package wire

import (
	"context"
	"math/bits"
	"reflect"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	weir "github.com/weir-analytics/weir"
	"golang.org/x/sync/semaphore"
)

// Budget bounds the memory of all requests together, in bytes: bodies while they are read
// and decompressed, decoded events, and the events until they are stored. It is safe for
// concurrent use.
//
// Requests whose project is not known yet share a quarter of it. So three quarters are
// left for senders with a valid key.
type Budget struct {
	size    int64
	wait    time.Duration
	all     *semaphore.Weighted
	unknown *semaphore.Weighted

	held    atomic.Int64
	refused [3]atomic.Int64 // in the order of BudgetReasons
	closed  error           // fails every reservation
}

// DefaultBudget is the default size. The largest documented body, 20 MiB, fits once with
// everything that is decoded from it.
const DefaultBudget = 64 << 20

const (
	strangersPart = 4                // unknown projects get a quarter
	budgetWait    = time.Second      // how long a request waits for others to end
	reserveStep   = int64(64) << 10  // is taken at once, but by those who hold less: as much again
	firstReserve  = int64(4) << 10   // what a small body needs while it comes
	spare         = int64(512) << 10 // is kept when more is given back
)

// Reasons of refusals, as label values of a metric.
const (
	BudgetBusy      = "busy"      // other requests hold too much now
	BudgetStrangers = "strangers" // other requests of unknown projects hold too much now
	BudgetTooLarge  = "too_large" // the request alone needs more than the budget
)

// BudgetReasons lists them.
func BudgetReasons() []string { return []string{BudgetBusy, BudgetStrangers, BudgetTooLarge} }

// NewBudget makes a Budget of so many bytes; 0 is DefaultBudget.
func NewBudget(size int64) *Budget {
	if size <= 0 {
		size = DefaultBudget
	}
	return &Budget{size: size, wait: budgetWait, all: semaphore.NewWeighted(size), unknown: semaphore.NewWeighted(size / strangersPart)}
}

// SetWait sets how long a request waits for memory, by default a second. Call it before
// requests come.
func (b *Budget) SetWait(d time.Duration) { b.wait = d }

// ClosedBudget returns a Budget that fails every reservation with err. A server that
// accepts no events uses it, so that it reads none.
func ClosedBudget(err error) *Budget {
	return &Budget{closed: err, all: semaphore.NewWeighted(0), unknown: semaphore.NewWeighted(0)}
}

// Size is the bound; 0 if the budget is closed.
func (b *Budget) Size() int64 { return b.size }

// Held is what requests hold now.
func (b *Budget) Held() int64 { return b.held.Load() }

// Refused is how many requests were refused for a reason.
func (b *Budget) Refused(reason string) int64 {
	return b.refused[slices.Index(BudgetReasons(), reason)].Load()
}

// Open starts a request. A nil Budget returns a nil Reservation, which bounds nothing.
// The reservation stops waiting when ctx ends.
func (b *Budget) Open(ctx context.Context) *Reservation {
	if b == nil {
		return nil
	}
	return &Reservation{budget: b, ctx: ctx, err: b.closed}
}

// Reservation is the part of a Budget that one request has reserved. It is not safe for
// concurrent use. All methods of a nil one do nothing.
type Reservation struct {
	budget *Budget
	ctx    context.Context //nolint:containedctx // a Reservation lives as long as its request
	known  bool
	held   int64 // acquired from the semaphores
	used   int64 // part of held that is in use
	events int64
	texts  int64            // bytes of the events' texts
	err    error            // the first error of Reserve
	lent   *[]weir.Incoming // of a pool, until Close
}

// SetKnown ends the tighter bound for unknown projects.
func (h *Reservation) SetKnown() {
	if h != nil && !h.known {
		h.known = true
		h.budget.unknown.Release(h.held)
	}
}

// UnknownProject reports whether the project is not known yet.
func (h *Reservation) UnknownProject() bool { return h != nil && !h.known }

// UnknownProjectRatio is how many times as large as what was sent of it the decompressed
// body of a request may be while its project is not known. 256 KiB are always allowed.
const (
	UnknownProjectRatio = 50
	unknownProjectLeast = 256 << 10
)

// DecompressedLimit returns how large, in bytes, the text may be that is decompressed from
// so many sent bytes: limit, or less while the project is not known.
func (h *Reservation) DecompressedLimit(sent, limit int64) int64 {
	if h == nil || h.known {
		return limit
	}
	return min(limit, max(unknownProjectLeast, UnknownProjectRatio*sent))
}

// Reserved returns the bytes that the request has reserved and not released.
func (h *Reservation) Reserved() int64 {
	if h == nil {
		return 0
	}
	return h.used
}

// Err returns the first error of Reserve. It takes precedence over the error of a decoder,
// which may only report that the body ended too early.
func (h *Reservation) Err() error {
	if h == nil {
		return nil
	}
	return h.err
}

// Reserve reserves n bytes. Call it before they are used. After an error it always
// returns that error. Errors: EUNAVAILABLE if other requests hold too much for a second,
// ETOOLARGE if the request needs more than the whole budget.
func (h *Reservation) Reserve(n int64) error {
	if h == nil {
		return nil
	}
	if h.used += n; h.used > h.held && h.err == nil {
		h.err = h.more()
	}
	return h.err
}

func (h *Reservation) more() error {
	b := h.budget
	most, of := b.size, ""
	if !h.known {
		most, of = b.size/strangersPart, " before the project that it names is known"
	}
	if h.used > most {
		return b.refuse(BudgetTooLarge, weir.Errorf(weir.ETOOLARGE, "the request needs over %d bytes of memory%s: send fewer events at once", most, of))
	}
	n := (h.used - h.held + firstReserve - 1) / firstReserve * firstReserve
	n = min(max(n, min(h.held, reserveStep)), most-h.held)
	if !h.known && !h.acquire(b.unknown, n) {
		return b.refuse(BudgetStrangers, errBusy())
	}
	if !h.acquire(b.all, n) {
		if !h.known {
			b.unknown.Release(n)
		}
		return b.refuse(BudgetBusy, errBusy())
	}
	h.held += n
	b.held.Add(n)
	return nil
}

// acquire takes n bytes of a semaphore, and waits for them if there are not so many now. Most
// requests do not wait, and then need no timer.
func (h *Reservation) acquire(of *semaphore.Weighted, n int64) bool {
	if of.TryAcquire(n) {
		return true
	}
	ctx, cancel := context.WithTimeout(h.ctx, h.budget.wait)
	defer cancel()
	return of.Acquire(ctx, n) == nil
}

func errBusy() *weir.Error {
	return weir.Errorf(weir.EUNAVAILABLE, "the server has too many requests under way; send it again later")
}

func (b *Budget) refuse(reason string, err error) error {
	b.refused[slices.Index(BudgetReasons(), reason)].Add(1)
	return err
}

// Release releases n reserved bytes.
func (h *Reservation) Release(n int64) {
	if h == nil {
		return
	}
	h.used -= n
	if over := (h.held - h.used - spare) / reserveStep * reserveStep; over > 0 {
		h.release(over)
	}
}

func (h *Reservation) release(n int64) {
	b := h.budget
	h.held -= n
	b.held.Add(-n)
	b.all.Release(n)
	if !h.known {
		b.unknown.Release(n)
	}
}

// Close releases everything, the events that Grow made room for too: nobody may read them any
// more. A second call does nothing.
func (h *Reservation) Close() {
	if h == nil || h.budget == nil {
		return
	}
	h.used = 0
	h.release(h.held)
	putRoom(h.lent)
	h.lent = nil
}

// Memory of a decoded item in addition to its texts, in bytes.
const (
	eventCost     = 128 // the allocations of its texts, its times, what an answer says of it
	appendCost    = 128 // the ids that it is given, its record without texts
	RejectionCost = 384 // a weir.Rejection in a slice that doubles, its detail, its part of the answer
)

// IncomingSize is the size of a weir.Incoming without its texts, in bytes.
var IncomingSize = int64(reflect.TypeFor[weir.Incoming]().Size())

// Event reserves the memory of an event with so many bytes of text. It does not include
// the weir.Incoming, which is part of a slice (see grow).
func (h *Reservation) Event(texts int) error {
	if h == nil {
		return nil
	}
	h.events++
	h.texts += int64(texts)
	return h.Reserve(eventCost + int64(texts))
}

// Grow reserves and allocates room for n more events or some more. The room is the request's
// until Close. It is zero.
func (h *Reservation) Grow(in []weir.Incoming, n int) ([]weir.Incoming, error) {
	before, size := cap(in), len(in)+n
	if h != nil && h.lent == nil && before == 0 && n > 0 && n <= mostRoom {
		class := bits.Len(uint(n - 1))
		if err := h.Reserve(IncomingSize << class); err != nil {
			return in, err
		}
		h.lent = getRoom(class)
		return *h.lent, nil
	}
	if err := h.Reserve(int64(size) * IncomingSize); err != nil {
		return in, err
	}
	in = append(make([]weir.Incoming, 0, size), in...)
	h.Release(int64(before) * IncomingSize)
	return in, nil
}

// mostRoom bounds the room for events that is kept for later requests: a request of 100 events, as
// SDKs send them, has 64 KB, which would be made and collected each time.
const mostRoom = 128

// rooms has rooms for events that no request uses, by the binary logarithm of their capacity.
var rooms [8]sync.Pool

func getRoom(class int) *[]weir.Incoming {
	if room, ok := rooms[class].Get().(*[]weir.Incoming); ok {
		return room
	}
	room := make([]weir.Incoming, 0, 1<<class)
	return &room
}

// putRoom keeps a room for later requests, without what this one left in it.
func putRoom(room *[]weir.Incoming) {
	if room != nil {
		clear((*room)[:cap(*room)])
		rooms[bits.Len(uint(cap(*room)-1))].Put(room)
	}
}

// ReserveStorage reserves the memory to store the decoded events: their records and
// derived fields. Release the body before.
func (h *Reservation) ReserveStorage() error {
	if h == nil {
		return nil
	}
	return h.Reserve(h.texts + h.events*appendCost)
}
