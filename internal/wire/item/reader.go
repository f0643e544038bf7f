// Package item makes events of the items of a request. A [Reader] reads the values of one
// item and notes the item's first defect. A [Builder] gathers them into an event, and
// repairs what vendors' SDKs will not send again. A new protocol embeds a Builder.
package item

import (
	"bytes"
	"fmt"

	weir "github.com/weir-analytics/weir"
	"github.com/weir-analytics/weir/internal/wire"
	"github.com/weir-analytics/weir/internal/wire/jsonscan"
)

// MaxPooled bounds each buffer that a pool keeps, in bytes.
const MaxPooled = 1 << 20

// Reader reads the values of one item at a time. It notes the item's first
// defect and goes on, so that what follows the item can still be read: wrong
// syntax (fault) ends the body, a defect only costs the item.
//
// The strings of an item gather in one buffer and are copied out of it once,
// so that they share one allocation and none holds on to the body.
type Reader struct {
	jsonscan.Scanner
	Limits wire.Limits
	Now    int64 // unix microseconds
	repair bool  // mends properties where Events refuses them; see DESIGN.md

	Start          int    // where the item begins
	Reason, Detail string // the item's first defect; "" while there is none

	Text       []byte // the item's strings, one after the other
	Properties []byte // its properties, compact
	Keys       []Span // of properties' open objects, for duplicates
	Table      []int32
	seen       []int32 // of again
	indexed    int     // how many keys are in seen
}

// Span is a part of one of reader's buffers. An empty one is an absent string.
type Span struct{ From, To int }

// NextItem forgets the item before: another begins at pos.
func (r *Reader) NextItem() {
	r.Start, r.Reason, r.Detail = r.Pos, "", ""
	r.Text, r.Properties, r.Keys = r.Text[:0], r.Properties[:0], r.Keys[:0]
}

// Defect notes what is wrong with the item, unless something was before.
func (r *Reader) Defect(reason, detail string) {
	if r.Reason == "" {
		r.Reason, r.Detail = reason, detail
	}
}

// CheckSize notes an item that is too large. It overrides other defects, and is
// asked while the item is read, so that no more of it is worked on.
func (r *Reader) CheckSize() {
	if r.Pos-r.Start > r.Limits.Event && r.Reason != wire.ReasonTooLarge {
		r.TooLarge()
	}
}

// ReserveMemory takes memory for what comes of the body; without it the reader ends at once,
// and Reservation.Err says why.
func (r *Reader) ReserveMemory(n int64) bool {
	if r.Limits.Memory.Reserve(n) != nil {
		r.Fail("there is no memory for it")
		return false
	}
	return true
}

// ScratchSize is what reading a body of a size may take in buffers that are pooled: texts
// and properties of the largest item, their keys and a table of them. It was measured.
func (r *Reader) ScratchSize(size int) int64 { return scratchFactor * int64(min(size, r.Limits.Event)) }

const scratchFactor = 6

// TooLarge notes an item, or a text in it, that is larger than the largest item. Such a
// text is not copied. It is called seldom, and asked for by a comparison that needs no
// call, since it is made for each text.
func (r *Reader) TooLarge() {
	r.Reason, r.Detail = wire.ReasonTooLarge, fmt.Sprintf("at most %d bytes", r.Limits.Event)
}

// Grow is a slice of events with room for n more, and afford's answer.
func (r *Reader) Grow(in []weir.Incoming, n int) ([]weir.Incoming, bool) {
	in, err := r.Limits.Memory.Grow(in, n)
	if err != nil {
		r.Fail("there is no memory for it")
	}
	return in, err == nil
}

// ReserveEvent takes memory for the event that was read, beside its weir.Incoming.
func (r *Reader) ReserveEvent() bool {
	if r.Limits.Memory.Event(len(r.Text)+len(r.Properties)) != nil {
		r.Fail("there is no memory for it")
		return false
	}
	return true
}

// Rejection is the defect of the item at an index.
func (r *Reader) Rejection(index int) weir.Rejection {
	return weir.Rejection{Index: index, Reason: r.Reason, Detail: r.Detail}
}

// Null steps over a null, and says whether there was one.
func (r *Reader) Null() bool { return r.Peek() == 'n' && r.Literal("null") }

// Owned is what r.properties holds, in memory of its own; nil for {} and
// nothing.
func (r *Reader) Owned() []byte {
	if len(r.Properties) <= len("{}") {
		return nil
	}
	return bytes.Clone(r.Properties)
}
