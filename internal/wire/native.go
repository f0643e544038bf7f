package wire

import (
	"bytes"
	"fmt"
	"sync"
	"time"

	weir "github.com/weir-analytics/weir"
)

// Position is where a body is wrong, as the Details of Events' error.
type Position struct {
	Line   int `json:"line"`   // from 1
	Offset int `json:"offset"` // bytes from the body's first
}

// Events decodes the body of POST /v1/events: one event object, an array of
// them, {"events":[…]}, or NDJSON with an event per line. now is the time of an
// event that names none, and what the limits on ts count from.
//
// Each item is in in or in rejected, by its index; both are in order. An event
// has its Time, and neither ProjectID nor ReceivedAt; its ID is empty when the
// sender gave none. URL and referrer stand in Source, unread. Nothing returned
// holds on to body: it may be released at once.
//
// Errors: EINVALID, with a Position, for a body that is none of these forms;
// ETOOLARGE for more than Limits.Events items; those of Reservation.Reserve. Then nothing is returned.
func Events(body []byte, now time.Time, l Limits) (in []weir.Incoming, rejected []weir.Rejection, err error) {
	n := natives.Get().(*native)
	defer n.put()
	n.limits, n.now = l, now.UnixMicro()
	scratch := n.scratch(len(body))
	if err := l.Memory.Reserve(scratch); err != nil {
		return nil, nil, err
	}
	defer l.Memory.Release(scratch)

	text := bytes.TrimPrefix(body, []byte("\ufeff"))
	n.document(text)
	if err := l.Memory.Err(); err != nil {
		return nil, nil, err
	}
	if n.fault != "" {
		at, fault := n.pos, n.fault
		if !byLine(text, at) || !n.lines(text) {
			return nil, nil, malformed(body, at+len(body)-len(text), fault)
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

// byLine says whether a text that is wrong at an offset, as one JSON value, may
// be NDJSON: when it is wrong no later than where its second line begins. A
// line that is a value of its own is followed by what may not follow it there;
// one that is broken is wrong before. A pretty-printed value that is cut short
// or has an error inside is wrong after, and so is never taken in part.
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

func malformed(body []byte, offset int, fault string) error {
	at := Position{Line: 1 + bytes.Count(body[:offset], []byte("\n")), Offset: offset}
	err := weir.Errorf(weir.EINVALID, "body is not valid: line %d, byte %d: %s", at.Line, at.Offset, fault)
	err.Details = at
	return err
}

// natives keeps the buffers of decoders between requests.
var natives = sync.Pool{New: func() any { return new(native) }}

// kept bounds each buffer that a pool keeps, in bytes.
const kept = 1 << 20

func (n *native) put() {
	n.in, n.rejected, n.items = nil, nil, 0
	n.reset(nil)
	if cap(n.text) <= kept && cap(n.properties) <= kept && cap(n.key) <= kept &&
		cap(n.keys) <= kept/16 && cap(n.table) <= kept/4 {
		natives.Put(n)
	}
}

// native decodes one request.
type native struct {
	reader
	after    int // bytes of the body after reader's data
	items    int
	in       []weir.Incoming
	rejected []weir.Rejection
	event    nativeEvent
}

// document reads a text that is one JSON value: any form but NDJSON. If it is
// not, fault says so.
func (n *native) document(text []byte) {
	n.reset(text)
	n.after = 0
	n.space()
	switch {
	case n.pos == len(text):
		n.fault = "the body is empty"
	case n.peek() == '[':
		n.array()
	case n.peek() == '{':
		if !n.envelope() && n.fault == "" {
			n.settle()
		}
	default:
		begin := n.pos
		if n.skip() {
			n.failAt(begin, "want an object or an array")
		}
	}
	if n.fault == "" {
		n.space()
		if n.pos < len(text) && n.items <= n.limits.Events {
			n.fail("want nothing after the value")
		}
	}
}

// envelope reads the object at pos as an event, unless it is {"events":[…]}:
// then it reads its items, and says so. The key makes the difference, whatever
// else stands there.
func (n *native) envelope() (envelope bool) {
	n.begun()
	for more := n.begin('}'); more; more = n.more('}') {
		key, ok := n.field()
		switch {
		case !ok:
		case string(key) == "events":
			if envelope {
				return n.fail(`want one "events" only`)
			}
			envelope = true
			if n.peek() != '[' {
				return n.fail(`want an array of "events"`)
			}
			n.array()
			if n.items > n.limits.Events {
				return true
			}
		case envelope:
			n.skip()
		default:
			n.entry(eventKey(key))
		}
	}
	n.finish()
	return envelope
}

// array reads items up to the closing bracket, or to the one too many.
func (n *native) array() {
	for more := n.begin(']'); more; more = n.more(']') {
		n.item()
		if n.fault != "" {
			return
		}
		if n.settle(); n.items > n.limits.Events {
			return
		}
	}
}

// item reads the value at pos as an event.
func (n *native) item() {
	n.begun()
	if n.peek() != '{' {
		if n.skip() {
			n.defect(ReasonNotObject, "")
		}
		return
	}
	for more := n.begin('}'); more; more = n.more('}') {
		if key, ok := n.field(); ok {
			n.entry(eventKey(key))
		}
	}
	n.finish()
}

// lines reads NDJSON. It returns false when no line is an object.
func (n *native) lines(text []byte) bool {
	clear(n.in)
	n.items, n.in, n.rejected = 0, n.in[:0], nil
	found := false
	for len(text) > 0 && n.items <= n.limits.Events && n.limits.Memory.Err() == nil {
		line := text
		if end := bytes.IndexByte(text, '\n'); end >= 0 {
			line, text = text[:end], text[end+1:]
		} else {
			text = nil
		}
		n.reset(line)
		n.after = len(text)
		if n.space(); n.pos == len(line) {
			continue
		}
		object := n.peek() == '{'
		n.item()
		end := n.pos
		if n.fault == "" {
			if n.space(); n.pos < len(line) {
				n.fail("want nothing after the value")
			}
		}
		if n.fault != "" {
			n.reason, n.detail = ReasonMalformed, fmt.Sprintf("byte %d of the line: %s", n.pos, n.fault)
		} else {
			n.pos = end
			found = found || object
		}
		n.settle()
	}
	n.fault = ""
	return found
}

// settle makes of the item that was read an event or a rejection.
func (n *native) settle() {
	index := n.items
	if n.items++; n.items > n.limits.Events {
		return
	}
	if n.reason != "" {
		if n.afford(rejectionCost) {
			n.rejected = append(n.rejected, n.rejection(index))
		}
		return
	}
	if len(n.in) == cap(n.in) {
		var ok bool
		if n.in, ok = n.grown(n.in, n.room()); !ok {
			return
		}
	}
	if !n.reader.event() {
		return
	}
	n.in = n.in[:len(n.in)+1]
	n.fill(&n.in[len(n.in)-1])
	n.in[len(n.in)-1].Index = index
}

// room guesses how many more events come, from the size of the one before.
func (n *native) room() int {
	left := (len(n.data) - n.pos + n.after) / (n.pos - n.start + 1)
	return min(left+1, max(len(n.in), 128))
}
