// Package native decodes Weir's own events: the body of POST /v1/events.
package native

import (
	"bytes"
	"fmt"
	"sync"
	"time"

	weir "github.com/weir-analytics/weir"
	"github.com/weir-analytics/weir/internal/wire"
	"github.com/weir-analytics/weir/internal/wire/item"
)

// Decode decodes the body of POST /v1/events: one event object, an array of
// them, {"events":[…]}, or NDJSON with an event per line. now is the time of an
// event that names none, and what the limits on ts count from.
//
// Each item is in in or in rejected, by its index; both are in order. An event has a Time,
// but no ProjectID and no ReceivedAt. Its ID is empty if the sender gave none. URL and
// referrer stand in Source as they were sent. The result does not reference body.
//
// Errors: EINVALID, with a Position, for a body that is none of these forms;
// ETOOLARGE for more than Limits.Events items; those of Reservation.Reserve. Then nothing is returned.
func Decode(body []byte, now time.Time, l wire.Limits) (in []weir.Incoming, rejected []weir.Rejection, err error) {
	n := decoders.Get().(*decoder)
	defer n.put()
	n.Limits, n.Now = l, now.UnixMicro()
	scratch := n.ScratchSize(len(body))
	if err := l.Memory.Reserve(scratch); err != nil {
		return nil, nil, err
	}
	defer l.Memory.Release(scratch)

	text := bytes.TrimPrefix(body, []byte("\ufeff"))
	fault := n.document(text)
	if err := l.Memory.Err(); err != nil {
		return nil, nil, err
	}
	if fault != "" {
		if at := n.Offset(); !byLine(text, at) || !n.lines(text) {
			return nil, nil, item.Malformed(body, at+len(body)-len(text), fault)
		}
	}
	if err := l.Memory.Err(); err != nil {
		return nil, nil, err
	}
	if n.items > l.Events {
		return nil, nil, weir.Errorf(weir.ETOOLARGE, "over %d events in one request", l.Events)
	}
	return n.in, n.rejected, nil
}

// byLine reports whether a text that is wrong at an offset, as one JSON value, may be
// NDJSON. It may, if it is wrong no later than where its second line begins: NDJSON whose
// first line is valid is wrong there, and NDJSON whose first line is not is wrong earlier. A
// pretty-printed value that is truncated, or that has an error inside, is wrong later. So it
// is never stored in part.
func byLine(text []byte, at int) bool {
	text = trimLeft(text, &at)
	if len(text) == 0 || text[0] == '[' {
		return false
	}
	end := bytes.IndexByte(text, '\n')
	if end < 0 {
		return false
	}
	at -= end
	rest := trimLeft(text[end:], &at)
	return len(rest) > 0 && at <= 0
}

// trimLeft cuts the space that text begins with, and moves an offset along.
func trimLeft(text []byte, at *int) []byte {
	trimmed := bytes.TrimLeft(text, " \t\r\n")
	*at -= len(text) - len(trimmed)
	return trimmed
}

// decoders keeps the buffers of decoders between requests.
var decoders = sync.Pool{New: func() any { return new(decoder) }}

func (n *decoder) put() {
	n.in, n.rejected, n.items = nil, nil, 0
	if n.Release() {
		decoders.Put(n)
	}
}

// decoder decodes one request.
type decoder struct {
	item.Reader
	after    int // bytes of the body after the text that is read
	items    int
	in       []weir.Incoming
	rejected []weir.Rejection
	event    event
}

// document reads a text that is one JSON value: any form but NDJSON. It returns what is
// wrong with the text at the cursor, or "".
func (n *decoder) document(text []byte) (fault string) {
	n.Reset(text)
	n.after = 0
	n.Space()
	switch {
	case len(n.Rest()) == 0:
		return "the body is empty"
	case n.Peek() == '[':
		n.array()
	case n.Peek() == '{':
		if !n.envelope() && !n.Failed() {
			n.finishItem()
		}
	default:
		begin := n.Mark()
		if n.Skip() {
			n.Seek(begin)
			n.Fail("want an object or an array")
		}
	}
	if n.items <= n.Limits.Events {
		n.End()
	}
	return n.Fault()
}

// envelope reads the object at the cursor as an event. If it has the key "events", it reads
// the items of that array instead, and returns true.
func (n *decoder) envelope() (envelope bool) {
	n.startItem()
	for more := n.Begin('}'); more; more = n.More('}') {
		key, ok := n.Key()
		switch {
		case !ok:
		case string(key) == "events":
			if envelope {
				return n.Fail(`want one "events" only`)
			}
			envelope = true
			if n.Peek() != '[' {
				return n.Fail(`want an array of "events"`)
			}
			n.array()
			if n.items > n.Limits.Events {
				return true
			}
		case envelope:
			n.Skip()
		default:
			n.entry(eventKey(key))
		}
	}
	n.finish()
	return envelope
}

// array reads items up to the closing bracket, or until there are too many.
func (n *decoder) array() {
	for more := n.Begin(']'); more; more = n.More(']') {
		n.item()
		if n.Failed() {
			return
		}
		if n.finishItem(); n.items > n.Limits.Events {
			return
		}
	}
}

// item reads the value at the cursor as an event.
func (n *decoder) item() {
	n.startItem()
	if n.Peek() != '{' {
		if n.Skip() {
			n.Defect(wire.ReasonNotObject, "")
		}
		return
	}
	for more := n.Begin('}'); more; more = n.More('}') {
		if key, ok := n.Key(); ok {
			n.entry(eventKey(key))
		}
	}
	n.finish()
}

// lines reads NDJSON. It returns false when no line is an object.
func (n *decoder) lines(text []byte) bool {
	clear(n.in)
	n.items, n.in, n.rejected = 0, n.in[:0], nil
	found := false
	for len(text) > 0 && n.items <= n.Limits.Events && n.Limits.Memory.Err() == nil {
		line := text
		if end := bytes.IndexByte(text, '\n'); end >= 0 {
			line, text = text[:end], text[end+1:]
		} else {
			text = nil
		}
		n.Reset(line)
		n.after = len(text)
		if n.Space(); len(n.Rest()) == 0 {
			continue
		}
		object := n.Peek() == '{'
		n.item()
		end := n.Mark()
		if n.End() {
			n.Seek(end)
			found = found || object
		} else {
			n.SetDefect(wire.ReasonMalformed, fmt.Sprintf("byte %d of the line: %s", n.Offset(), n.Fault()))
		}
		n.finishItem()
	}
	return found
}

// finishItem adds an event or a rejection for the item that was read.
func (n *decoder) finishItem() {
	index := n.items
	if n.items++; n.items > n.Limits.Events {
		return
	}
	if n.HasDefect() {
		if n.ReserveMemory(wire.RejectionCost) {
			n.rejected = append(n.rejected, n.Rejection(index))
		}
		return
	}
	if len(n.in) == cap(n.in) {
		var ok bool
		if n.in, ok = n.Grow(n.in, n.remaining()); !ok {
			return
		}
	}
	if !n.ReserveEvent() {
		return
	}
	n.in = n.in[:len(n.in)+1]
	n.fill(&n.in[len(n.in)-1])
	n.in[len(n.in)-1].Index = index
}

// remaining estimates how many more events will come, from the size of the last one.
func (n *decoder) remaining() int {
	left := (len(n.Rest()) + n.after) / (n.Distance(n.ItemMark()) + 1)
	return min(left+1, max(len(n.in), 128))
}
