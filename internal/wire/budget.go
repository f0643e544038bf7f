package wire

import (
	"context"
	"reflect"
	"slices"
	"sync/atomic"
	"time"

	weir "github.com/weir-analytics/weir"
	"golang.org/x/sync/semaphore"
)

// Budget bounds the memory that all requests take together, in bytes: bodies while
// they are read and decompressed, what decoding makes of them, and the events until
// they are stored. It is safe for concurrent use.
//
// Requests whose project is not known yet share a quarter of it. So a stranger's
// bodies leave three quarters to senders with a key.
type Budget struct {
	size      int64
	wait      time.Duration
	all       *semaphore.Weighted
	strangers *semaphore.Weighted

	held    atomic.Int64
	refused [3]atomic.Int64 // in the order of BudgetReasons
}

// DefaultBudget is the size of a Budget that was not told otherwise: the largest
// body that is documented, 20 MiB, fits once with all that is made of it.
const DefaultBudget = 64 << 20

const (
	strangersPart = 4                // a quarter
	budgetWait    = time.Second      // how long a request waits for others to end
	portion       = int64(64) << 10  // is taken at once, but by those who hold less: as much again
	firstPortion  = int64(4) << 10   // what a small body needs while it comes
	spare         = int64(512) << 10 // is kept when more is given back
)

// The reasons of refusals, as a metric has them.
const (
	BudgetBusy      = "busy"      // others hold too much for now
	BudgetStrangers = "strangers" // the same, of those whose project is not known
	BudgetTooLarge  = "too_large" // the request takes more than all of it
)

// BudgetReasons lists them.
func BudgetReasons() []string { return []string{BudgetBusy, BudgetStrangers, BudgetTooLarge} }

// NewBudget makes a Budget of so many bytes; 0 is DefaultBudget.
func NewBudget(size int64) *Budget {
	if size <= 0 {
		size = DefaultBudget
	}
	return &Budget{size: size, wait: budgetWait, all: semaphore.NewWeighted(size), strangers: semaphore.NewWeighted(size / strangersPart)}
}

// Size is the bound.
func (b *Budget) Size() int64 { return b.size }

// Held is what requests hold now.
func (b *Budget) Held() int64 { return b.held.Load() }

// Refused is how many requests were refused for a reason.
func (b *Budget) Refused(reason string) int64 {
	return b.refused[slices.Index(BudgetReasons(), reason)].Load()
}

// Open begins a request; of a nil Budget it is a nil Holding, which bounds nothing.
// Its waits end with ctx.
func (b *Budget) Open(ctx context.Context) *Holding {
	if b == nil {
		return nil
	}
	return &Holding{budget: b, ctx: ctx}
}

// Refusing is a Holding of a server that takes no requests: of it, nothing can be
// taken.
func Refusing(err error) *Holding { return &Holding{err: err, known: true} }

// Holding is what one request holds of a Budget. It is not safe for concurrent use;
// all methods of a nil one do nothing.
type Holding struct {
	// Look is asked whether the request's project is known by now: first of the
	// request's head, with nil, then of the text of its body as far as it is read.
	Look func(text []byte) bool

	budget *Budget
	ctx    context.Context //nolint:containedctx // a Holding lives as long as its request
	known  bool
	held   int64 // of the semaphores
	used   int64 // of held
	events int64
	texts  int64 // bytes of the events' texts
	err    error // the first one of Take
}

// Known ends what is bounded more tightly for strangers.
func (h *Holding) Known() {
	if h != nil && !h.known {
		h.known = true
		h.budget.strangers.Release(h.held)
	}
}

// look asks Look, unless the project is known.
func (h *Holding) look(text []byte) {
	if h != nil && !h.known && h.Look != nil && h.Look(text) {
		h.Known()
	}
}

// Head asks Look of the request's head, before its body is read.
func (h *Holding) Head() { h.look(nil) }

// stranger says whether the project is not known yet.
func (h *Holding) stranger() bool { return h != nil && !h.known }

// taken is what the request has taken and not given back.
func (h *Holding) taken() int64 {
	if h == nil {
		return 0
	}
	return h.used
}

// Err is why something could not be taken: the error of the request. Whatever a
// decoder says of a body that it had to leave, this goes before.
func (h *Holding) Err() error {
	if h == nil {
		return nil
	}
	return h.err
}

// Take takes n bytes, before they are used. Errors, which stay: EUNAVAILABLE when
// other requests hold too much for a second, ETOOLARGE when it would be more than
// all that there is.
func (h *Holding) Take(n int64) error {
	if h == nil {
		return nil
	}
	if h.used += n; h.used > h.held && h.err == nil {
		h.err = h.more()
	}
	return h.err
}

func (h *Holding) more() error {
	b := h.budget
	most, of := b.size, ""
	if !h.known {
		most, of = b.size/strangersPart, " before the project that it names is known"
	}
	if h.used > most {
		return b.refuse(BudgetTooLarge, weir.Errorf(weir.ETOOLARGE, "the request takes over %d bytes of memory%s: send fewer events at once", most, of))
	}
	n := (h.used - h.held + firstPortion - 1) / firstPortion * firstPortion
	n = min(max(n, min(h.held, portion)), most-h.held)
	ctx, cancel := context.WithTimeout(h.ctx, b.wait)
	defer cancel()
	if !h.known && b.strangers.Acquire(ctx, n) != nil {
		return b.refuse(BudgetStrangers, errBusy())
	}
	if b.all.Acquire(ctx, n) != nil {
		if !h.known {
			b.strangers.Release(n)
		}
		return b.refuse(BudgetBusy, errBusy())
	}
	h.held += n
	b.held.Add(n)
	return nil
}

func errBusy() *weir.Error {
	return weir.Errorf(weir.EUNAVAILABLE, "the server has too many requests under way; send it again later")
}

func (b *Budget) refuse(reason string, err error) error {
	b.refused[slices.Index(BudgetReasons(), reason)].Add(1)
	return err
}

// Give gives n bytes back that were taken and are used no more.
func (h *Holding) Give(n int64) {
	if h == nil {
		return
	}
	h.used -= n
	if over := (h.held - h.used - spare) / portion * portion; over > 0 {
		h.release(over)
	}
}

func (h *Holding) release(n int64) {
	b := h.budget
	h.held -= n
	b.held.Add(-n)
	b.all.Release(n)
	if !h.known {
		b.strangers.Release(n)
	}
}

// Close gives all back. A second call does nothing.
func (h *Holding) Close() {
	if h != nil && h.budget != nil {
		h.used = 0
		h.release(h.held)
	}
}

// What a decoded item takes beside its texts, in bytes.
const (
	eventCost     = 128 // the allocations of its texts, its times, what an answer says of it
	appendCost    = 128 // the ids that it is given, its record without texts
	rejectionCost = 384 // a weir.Rejection in a slice that doubles, its detail, its part of the answer
)

var incomingSize = int64(reflect.TypeFor[weir.Incoming]().Size())

// event takes an event whose texts have so many bytes; not the weir.Incoming, which
// stands in a slice.
func (h *Holding) event(texts int) error {
	if h == nil {
		return nil
	}
	h.events++
	h.texts += int64(texts)
	return h.Take(eventCost + int64(texts))
}

// grow makes room for n more events.
func (h *Holding) grow(in []weir.Incoming, n int) ([]weir.Incoming, error) {
	before, size := cap(in), len(in)+n
	if err := h.Take(int64(size) * incomingSize); err != nil {
		return in, err
	}
	in = append(make([]weir.Incoming, 0, size), in...)
	h.Give(int64(before) * incomingSize)
	return in, nil
}

// Store takes what it takes to store the events that were decoded: their records, with
// what is made up for them. The body is to be released before.
func (h *Holding) Store() error {
	if h == nil {
		return nil
	}
	return h.Take(h.texts + h.events*appendCost)
}
