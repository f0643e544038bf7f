package native

import (
	"fmt"
	"math"
	"unicode/utf8"

	weir "github.com/weir-analytics/weir"
	"github.com/weir-analytics/weir/internal/wire"
	"github.com/weir-analytics/weir/internal/wire/item"
	"github.com/weir-analytics/weir/internal/wire/jsonscan"
)

// country makes a code that was read upper case.
func (n *decoder) country(field string, at item.Span) {
	code := n.Text[at.From:at.To]
	if len(code) == 0 || n.Reason != "" {
		return
	}
	for i, c := range code {
		code[i] = c &^ 0x20
		if len(code) != 2 || code[i] < 'A' || code[i] > 'Z' || c >= utf8.RuneSelf {
			n.Defect(wire.ReasonWrongType, field+": want two letters")
			return
		}
	}
}

// deviceType looks at a value that was read: it is one of the four, or none.
func (n *decoder) deviceType(field string, at item.Span) {
	switch string(n.Text[at.From:at.To]) {
	case "", weir.DevicePhone, weir.DeviceTablet, weir.DeviceDesktop, weir.DeviceTV:
	default:
		n.Defect(wire.ReasonWrongType, field+": want phone, tablet, desktop or tv")
	}
}

// flag reads a boolean; null is false.
func (n *decoder) flag(field string) bool {
	switch n.Peek() {
	case 't':
		return n.Literal("true")
	case 'f', 'n':
		_ = n.Null() || n.Literal("false")
	default:
		n.wrongType(field, "true or false")
	}
	return false
}

// object reads properties, or null, into r.properties: compact, in the order
// sent, numbers by their own digits, strings with no escape that JSON does not
// demand. Nothing passes through a map or a double.
func (n *decoder) object(field string) {
	if n.Null() {
		return
	}
	if n.Peek() != '{' {
		n.wrongType(field, "an object")
		return
	}
	n.Compact(field, 1)
}

// wrongType notes that the value at pos is not what the field wants, and steps
// over it.
func (n *decoder) wrongType(field, want string) {
	if n.Skip() {
		n.Defect(wire.ReasonWrongType, field+": want "+want)
	}
}

// string reads a string of at most limit bytes; null is "".
func (n *decoder) string(field string, limit int, tooLong string) item.Span {
	if n.Null() {
		return item.Span{}
	}
	if n.Peek() != '"' {
		n.wrongType(field, "a string")
		return item.Span{}
	}
	q, ok := n.Quoted()
	if !ok {
		return item.Span{}
	}
	if len(q.Text) > n.Limits.Event {
		n.TooLarge()
		return item.Span{}
	}
	if !q.Valid() {
		n.Defect(wire.ReasonInvalidUTF8, field)
		return item.Span{}
	}
	from := len(n.Text)
	if q.Escaped {
		var nul bool
		if n.Text, nul = jsonscan.Unescape(n.Text, q.Text, false); nul {
			n.Defect(wire.ReasonNUL, field)
		}
	} else {
		n.Text = append(n.Text, q.Text...)
	}
	if num := len(n.Text) - from; num > limit {
		n.Defect(tooLong, fmt.Sprintf("%s: %d bytes, at most %d", field, num, limit))
	}
	return item.Span{From: from, To: len(n.Text)}
}

// id reads a string, or a number as its own text: 1e3 stays "1e3".
func (n *decoder) id(field string) item.Span {
	switch c := n.Peek(); {
	case c == '-' || c-'0' <= 9:
		num, ok := n.Number()
		if !ok {
			return item.Span{}
		}
		from := len(n.Text)
		n.Text = append(n.Text, num.Text...)
		if len(num.Text) > n.Limits.ID {
			n.Defect(wire.ReasonIDTooLong, fmt.Sprintf("%s: %d bytes, at most %d", field, len(num.Text), n.Limits.ID))
		}
		return item.Span{From: from, To: len(n.Text)}
	case c == '"' || c == 'n':
		return n.string(field, n.Limits.ID, wire.ReasonIDTooLong)
	}
	n.wrongType(field, "a string or a number")
	return item.Span{}
}

// float reads a number; null is 0.
func (n *decoder) float(field string) float64 {
	if n.Null() {
		return 0
	}
	if c := n.Peek(); c != '-' && c-'0' > 9 {
		n.wrongType(field, "a number")
		return 0
	}
	num, ok := n.Number()
	if !ok {
		return 0
	}
	f, ok := num.Float()
	if !ok {
		n.Defect(wire.ReasonNumber, field)
		return 0
	}
	return f
}

// status reads an HTTP status; 0 and null are unknown.
func (n *decoder) status(field string) int {
	f := n.float(field)
	if f == 0 {
		if n.Reason == wire.ReasonNumber {
			n.Reason = wire.ReasonStatus
		}
		return 0
	}
	if f != math.Trunc(f) || f < 100 || f > 599 {
		n.Defect(wire.ReasonStatus, field+": want 100 to 599, or 0")
		return 0
	}
	return int(f)
}

// instant reads a time in unix microseconds; null is now.
func (n *decoder) instant(field string) int64 {
	var us int64
	var ok bool
	switch c := n.Peek(); {
	case c == '"':
		q, good := n.Quoted()
		if !good {
			return 0
		}
		us, ok = item.ParseRFC3339(q.Text)
	case c == '-' || c-'0' <= 9:
		num, good := n.Number()
		if !good {
			return 0
		}
		us, ok = item.Epoch(num)
	case c == 'n':
		n.Null()
		return n.Now
	default:
		n.wrongType(field, "a string or a number")
		return 0
	}
	switch {
	case !ok:
		n.Defect(wire.ReasonTimeInvalid, field+": want RFC 3339 or a unix time")
	case us < n.Limits.Oldest.UnixMicro():
		n.Defect(wire.ReasonTimeAncient, "before "+n.Limits.Oldest.UTC().Format("2006-01-02"))
	case us > n.Now+n.Limits.Future.Microseconds():
		n.Defect(wire.ReasonTimeFuture, "over "+n.Limits.Future.String()+" ahead")
	}
	return us
}

// currency makes a code that was read upper case.
func (n *decoder) currency(field string, at item.Span) {
	code := n.Text[at.From:at.To]
	if len(code) == 0 || n.Reason != "" {
		return
	}
	for i, c := range code {
		code[i] = c &^ 0x20
		if len(code) != 3 || code[i] < 'A' || code[i] > 'Z' || c >= utf8.RuneSelf {
			n.Defect(wire.ReasonCurrency, field+": want three letters")
			return
		}
	}
}
