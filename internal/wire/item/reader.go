// Package item makes events of the items of a request. A [Reader] reads the values of one
// item and notes the item's first defect. A [Builder] gathers them into an event, and
// repairs what vendors' SDKs will not send again. A new protocol embeds a Builder.
package item

import (
	"bytes"
	"fmt"
	"unicode/utf8"

	weir "github.com/weir-analytics/weir"
	"github.com/weir-analytics/weir/internal/wire"
	"github.com/weir-analytics/weir/internal/wire/jsonscan"
)

// Reader reads the values of one item after another. A defect rejects one item: it is
// noted, and the rest of the item is still read, so that the next one can be. A fault, which
// is wrong syntax, rejects the whole body.
//
// The texts of an item are gathered in one buffer and copied out of it once. So they share
// one allocation, and none keeps the body in memory.
type Reader struct {
	jsonscan.Scanner
	Limits wire.Limits
	Now    int64 // unix microseconds
	repair bool  // repairs properties that would be a defect; see DESIGN.md of package wire

	start          jsonscan.Mark // of the item
	reason, detail string        // the item's first defect; "" while there is none

	text       []byte  // the item's texts, one after the other
	properties []byte  // its properties, as compact JSON
	keys       []Span  // of properties: the keys of the objects that are being written
	table      []int32 // a hash table for duplicate
	seen       []int32 // a hash table for repeated
	indexed    int     // how many keys are in seen
}

// Span is the place of a text of an item. The zero Span is no text.
type Span struct{ from, to int }

// Empty reports whether there is no text, or one of no bytes.
func (s Span) Empty() bool { return s.from == s.to }

// Len returns the length of the text in bytes.
func (s Span) Len() int { return s.to - s.from }

// Cut returns the text between two positions in it.
func (s Span) Cut(from, to int) Span { return Span{s.from + from, s.from + to} }

// NextItem begins an item, whose first byte is at the cursor.
func (r *Reader) NextItem() {
	r.start, r.reason, r.detail = r.Mark(), "", ""
	r.text, r.properties, r.keys = r.text[:0], r.properties[:0], r.keys[:0]
}

// ItemMark returns the place where the item begins.
func (r *Reader) ItemMark() jsonscan.Mark { return r.start }

// ItemSize returns how many bytes the item's texts and properties have.
func (r *Reader) ItemSize() int { return len(r.text) + len(r.properties) }

// Defect notes what is wrong with the item, unless it has a defect already.
func (r *Reader) Defect(reason, detail string) {
	if r.reason == "" {
		r.reason, r.detail = reason, detail
	}
}

// SetDefect notes what is wrong with the item, also if it has a defect already.
func (r *Reader) SetDefect(reason, detail string) { r.reason, r.detail = reason, detail }

// Reason returns the reason of the item's defect, or "".
func (r *Reader) Reason() string { return r.reason }

// HasDefect reports whether the item has a defect.
func (r *Reader) HasDefect() bool { return r.reason != "" }

// Rejection returns the defect of the item as a rejection.
func (r *Reader) Rejection(index int) weir.Rejection {
	return weir.Rejection{Index: index, Reason: r.reason, Detail: r.detail}
}

// CheckSize notes that the item is too large, as far as it was read. This defect replaces
// others. Call it while the item is read, so that no more of a large item is worked on.
func (r *Reader) CheckSize() {
	if r.Distance(r.start) > r.Limits.Event && r.reason != wire.ReasonTooLarge {
		r.tooLarge()
	}
}

// tooLarge notes that the item, or a text in it, is larger than an item may be. Such a text
// is not copied. The comparison stands at the caller, because it is made for each text.
func (r *Reader) tooLarge() {
	r.reason, r.detail = wire.ReasonTooLarge, fmt.Sprintf("at most %d bytes", r.Limits.Event)
}

// TextTooLarge notes that the item is too large, and returns true, if one of its strings is
// larger than an item may be.
func (r *Reader) TextTooLarge(q jsonscan.Quoted) bool {
	if len(q.Text) > r.Limits.Event {
		r.tooLarge()
		return true
	}
	return false
}

// ReserveMemory reserves n bytes for what is made of the body. If it cannot, reading ends,
// and Limits.Memory.Err has the error.
func (r *Reader) ReserveMemory(n int64) bool { return r.reserved(r.Limits.Memory.Reserve(n)) }

// ReserveEvent reserves memory for the event that was read, without its weir.Incoming.
func (r *Reader) ReserveEvent() bool { return r.reserved(r.Limits.Memory.Event(r.ItemSize())) }

// Grow returns the events with room for n more.
func (r *Reader) Grow(events []weir.Incoming, n int) ([]weir.Incoming, bool) {
	events, err := r.Limits.Memory.Grow(events, n)
	return events, r.reserved(err)
}

func (r *Reader) reserved(err error) bool {
	if err != nil {
		r.Fail("there is no memory for it")
	}
	return err == nil
}

// scratchFactor is how many times the size of the largest item the buffers of a Reader may
// have: its texts and properties, their keys, and a table of these. It was measured.
const scratchFactor = 6

// ScratchSize returns how many bytes the buffers may need for a body of so many bytes.
func (r *Reader) ScratchSize(body int) int64 { return scratchFactor * int64(min(body, r.Limits.Event)) }

// MaxPooled bounds each buffer that a pool of decoders keeps, in bytes.
const MaxPooled = 1 << 20

// Release drops the text that was read. It reports whether a pool may keep the reader: its
// buffers are not too large.
func (r *Reader) Release() (poolable bool) {
	r.Reset(nil)
	return r.BufferSize() <= MaxPooled && cap(r.text) <= MaxPooled && cap(r.properties) <= MaxPooled &&
		cap(r.keys) <= MaxPooled/16 && cap(r.table) <= MaxPooled/4
}

// Null steps over a null, and reports whether there was one.
func (r *Reader) Null() bool { return r.Peek() == 'n' && r.Literal("null") }

// Text returns a text of the item. It is valid until the next text is read.
func (r *Reader) Text(at Span) []byte { return r.text[at.from:at.to] }

// Texts returns a copy of the item's texts. at returns one of them.
func (r *Reader) Texts() Texts { return Texts(r.text) }

// Texts are the texts of an item.
type Texts string

// At returns a text.
func (t Texts) At(at Span) string { return string(t[at.from:at.to]) }

// AddText appends texts to the item's, and returns them as one.
func (r *Reader) AddText(parts ...[]byte) Span {
	from := len(r.text)
	for _, p := range parts {
		r.text = append(r.text, p...)
	}
	return Span{from, len(r.text)}
}

// AddQuoted appends the meaning of a JSON string to the item's texts. nul reports that an
// escape in it is U+0000.
func (r *Reader) AddQuoted(q jsonscan.Quoted) (at Span, nul bool) {
	from := len(r.text)
	if q.Escaped {
		r.text, nul = jsonscan.Unescape(r.text, q.Text, false)
	} else {
		r.text = append(r.text, q.Text...)
	}
	return Span{from, len(r.text)}, nul
}

// ReadText reads the string or number at the cursor into the item's texts. A number keeps
// its digits. What cannot be stored (invalid UTF-8, zero bytes) becomes U+FFFD. Any other
// value is skipped; then the result is empty.
func (r *Reader) ReadText() Span {
	from := len(r.text)
	switch c := r.Peek(); {
	case c == '"':
		q, ok := r.Quoted()
		if !ok {
			return Span{}
		}
		if len(q.Text) > r.Limits.Event {
			r.tooLarge()
			return Span{}
		}
		r.text = appendText(r.text, q)
	case c == '-' || c-'0' <= 9:
		n, ok := r.Number()
		if !ok {
			return Span{}
		}
		r.text = append(r.text, n.Text...)
	default:
		r.Skip()
	}
	return Span{from, len(r.text)}
}

// ReadBrief is ReadText for a text that is not kept with the item. The result is valid until
// the next text is read.
func (r *Reader) ReadBrief() []byte {
	at := r.ReadText()
	text := r.text[at.from:at.to]
	r.text = r.text[:len(r.text)-at.Len()]
	return text
}

// PeekText is ReadText, but the cursor stays.
func (r *Reader) PeekText() Span {
	m := r.Mark()
	at := r.ReadText()
	if !r.Failed() {
		r.Seek(m)
	}
	return at
}

// ReadJSON reads any value into the item's texts, as compact JSON.
func (r *Reader) ReadJSON(field string) Span {
	from, keys := len(r.properties), len(r.keys)
	r.AppendValue(field, 1)
	at := r.AddText(r.properties[from:])
	r.properties, r.keys = r.properties[:from], r.keys[:keys]
	return at
}

// appendText appends the meaning of a JSON string. What cannot be stored (invalid UTF-8,
// zero bytes) becomes U+FFFD.
func appendText(dst []byte, q jsonscan.Quoted) []byte {
	from := len(dst)
	nul := false
	if q.Escaped {
		dst, nul = jsonscan.Unescape(dst, q.Text, false)
	} else {
		dst = append(dst, q.Text...)
	}
	if !q.Valid() || nul {
		return append(dst[:from], Storable(dst[from:])...)
	}
	return dst
}

// Storable returns a text with U+FFFD for what cannot be stored: invalid UTF-8, zero bytes.
func Storable(text []byte) []byte {
	return bytes.ReplaceAll(bytes.ToValidUTF8(text, []byte("\ufffd")), []byte{0}, []byte("\ufffd"))
}

// storable is Storable, without a copy of a text that can be stored.
func storable(text []byte) []byte {
	if utf8.Valid(text) && bytes.IndexByte(text, 0) < 0 {
		return text
	}
	return Storable(text)
}
