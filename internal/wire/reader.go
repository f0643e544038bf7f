package wire

import (
	"bytes"
	"fmt"
	"math"
	"unicode/utf8"

	weir "github.com/weir-analytics/weir"
)

// reader reads the values of one item at a time. It notes the item's first
// defect and goes on, so that what follows the item can still be read: wrong
// syntax (fault) ends the body, a defect only costs the item.
//
// The strings of an item gather in one buffer and are copied out of it once,
// so that they share one allocation and none holds on to the body.
type reader struct {
	scanner
	limits Limits
	now    int64 // unix microseconds
	repair bool  // mends properties where Events refuses them; see DESIGN.md

	start          int    // where the item begins
	reason, detail string // the item's first defect; "" while there is none

	text       []byte // the item's strings, one after the other
	properties []byte // its properties, compact
	keys       []span // of properties' open objects, for duplicates
	table      []int32
	seen       []int32 // of again
	indexed    int     // how many keys are in seen
}

// span is a part of one of reader's buffers. An empty one is an absent string.
type span struct{ from, to int }

// next forgets the item before: another begins at pos.
func (r *reader) next() {
	r.start, r.reason, r.detail = r.pos, "", ""
	r.text, r.properties, r.keys = r.text[:0], r.properties[:0], r.keys[:0]
}

// defect notes what is wrong with the item, unless something was before.
func (r *reader) defect(reason, detail string) {
	if r.reason == "" {
		r.reason, r.detail = reason, detail
	}
}

// measure notes an item that is too large. It overrides other defects, and is
// asked while the item is read, so that no more of it is worked on.
func (r *reader) measure() {
	if r.pos-r.start > r.limits.Event && r.reason != ReasonTooLarge {
		r.tooLarge()
	}
}

// afford takes memory for what comes of the body; without it the reader ends at once,
// and Reservation.Err says why.
func (r *reader) afford(n int64) bool {
	if r.limits.Memory.Reserve(n) != nil {
		r.fail("there is no memory for it")
		return false
	}
	return true
}

// scratch is what reading a body of a size may take in buffers that are pooled: texts
// and properties of the largest item, their keys and a table of them. It was measured.
func (r *reader) scratch(size int) int64 { return scratchPart * int64(min(size, r.limits.Event)) }

const scratchPart = 6

// tooLarge notes an item, or a text in it, that is larger than the largest item. Such a
// text is not copied. It is called seldom, and asked for by a comparison that needs no
// call, since it is made for each text.
func (r *reader) tooLarge() {
	r.reason, r.detail = ReasonTooLarge, fmt.Sprintf("at most %d bytes", r.limits.Event)
}

// grown is a slice of events with room for n more, and afford's answer.
func (r *reader) grown(in []weir.Incoming, n int) ([]weir.Incoming, bool) {
	in, err := r.limits.Memory.grow(in, n)
	if err != nil {
		r.fail("there is no memory for it")
	}
	return in, err == nil
}

// event takes memory for the event that was read, beside its weir.Incoming.
func (r *reader) event() bool {
	if r.limits.Memory.event(len(r.text)+len(r.properties)) != nil {
		r.fail("there is no memory for it")
		return false
	}
	return true
}

// rejection is the defect of the item at an index.
func (r *reader) rejection(index int) weir.Rejection {
	return weir.Rejection{Index: index, Reason: r.reason, Detail: r.detail}
}

// wrongType notes that the value at pos is not what the field wants, and steps
// over it.
func (r *reader) wrongType(field, want string) {
	if r.skip() {
		r.defect(ReasonWrongType, field+": want "+want)
	}
}

// null steps over a null, and says whether there was one.
func (r *reader) null() bool { return r.peek() == 'n' && r.literal("null") }

// string reads a string of at most limit bytes; null is "".
func (r *reader) string(field string, limit int, tooLong string) span {
	if r.null() {
		return span{}
	}
	if r.peek() != '"' {
		r.wrongType(field, "a string")
		return span{}
	}
	q, ok := r.str()
	if !ok {
		return span{}
	}
	if len(q.text) > r.limits.Event {
		r.tooLarge()
		return span{}
	}
	if !q.valid() {
		r.defect(ReasonInvalidUTF8, field)
		return span{}
	}
	from := len(r.text)
	if q.escaped {
		var nul bool
		if r.text, nul = unescape(r.text, q.text, false); nul {
			r.defect(ReasonNUL, field)
		}
	} else {
		r.text = append(r.text, q.text...)
	}
	if n := len(r.text) - from; n > limit {
		r.defect(tooLong, fmt.Sprintf("%s: %d bytes, at most %d", field, n, limit))
	}
	return span{from, len(r.text)}
}

// id reads a string, or a number as its own text: 1e3 stays "1e3".
func (r *reader) id(field string) span {
	switch c := r.peek(); {
	case c == '-' || c-'0' <= 9:
		n, ok := r.number()
		if !ok {
			return span{}
		}
		from := len(r.text)
		r.text = append(r.text, n.text...)
		if len(n.text) > r.limits.ID {
			r.defect(ReasonIDTooLong, fmt.Sprintf("%s: %d bytes, at most %d", field, len(n.text), r.limits.ID))
		}
		return span{from, len(r.text)}
	case c == '"' || c == 'n':
		return r.string(field, r.limits.ID, ReasonIDTooLong)
	}
	r.wrongType(field, "a string or a number")
	return span{}
}

// float reads a number; null is 0.
func (r *reader) float(field string) float64 {
	if r.null() {
		return 0
	}
	if c := r.peek(); c != '-' && c-'0' > 9 {
		r.wrongType(field, "a number")
		return 0
	}
	n, ok := r.number()
	if !ok {
		return 0
	}
	f, ok := n.float()
	if !ok {
		r.defect(ReasonNumber, field)
		return 0
	}
	return f
}

// status reads an HTTP status; 0 and null are unknown.
func (r *reader) status(field string) int {
	f := r.float(field)
	if f == 0 {
		if r.reason == ReasonNumber {
			r.reason = ReasonStatus
		}
		return 0
	}
	if f != math.Trunc(f) || f < 100 || f > 599 {
		r.defect(ReasonStatus, field+": want 100 to 599, or 0")
		return 0
	}
	return int(f)
}

// instant reads a time in unix microseconds; null is now.
func (r *reader) instant(field string) int64 {
	var us int64
	var ok bool
	switch c := r.peek(); {
	case c == '"':
		q, good := r.str()
		if !good {
			return 0
		}
		us, ok = parseRFC3339(q.text)
	case c == '-' || c-'0' <= 9:
		n, good := r.number()
		if !good {
			return 0
		}
		us, ok = n.epoch()
	case c == 'n':
		r.null()
		return r.now
	default:
		r.wrongType(field, "a string or a number")
		return 0
	}
	switch {
	case !ok:
		r.defect(ReasonTimeInvalid, field+": want RFC 3339 or a unix time")
	case us < r.limits.Oldest.UnixMicro():
		r.defect(ReasonTimeAncient, "before "+r.limits.Oldest.UTC().Format("2006-01-02"))
	case us > r.now+r.limits.Future.Microseconds():
		r.defect(ReasonTimeFuture, "over "+r.limits.Future.String()+" ahead")
	}
	return us
}

// currency makes a code that was read upper case.
func (r *reader) currency(field string, at span) {
	code := r.text[at.from:at.to]
	if len(code) == 0 || r.reason != "" {
		return
	}
	for i, c := range code {
		code[i] = c &^ 0x20
		if len(code) != 3 || code[i] < 'A' || code[i] > 'Z' || c >= utf8.RuneSelf {
			r.defect(ReasonCurrency, field+": want three letters")
			return
		}
	}
}

// owned is what r.properties holds, in memory of its own; nil for {} and
// nothing.
func (r *reader) owned() []byte {
	if len(r.properties) <= len("{}") {
		return nil
	}
	return bytes.Clone(r.properties)
}
