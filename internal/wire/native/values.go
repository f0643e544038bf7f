package native

import (
	"fmt"
	"math"
	"unicode/utf8"

	weir "github.com/weir-analytics/weir"
	"github.com/weir-analytics/weir/internal/wire"
	"github.com/weir-analytics/weir/internal/wire/item"
)

// country makes the code of a country upper case, and checks it.
func (n *decoder) country(field string, at item.Span) {
	code := n.Text(at)
	if len(code) == 0 || n.HasDefect() {
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

// deviceType checks that a value is one of the four types, or empty.
func (n *decoder) deviceType(field string, at item.Span) {
	switch string(n.Text(at)) {
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

// object reads properties, or null.
func (n *decoder) object(field string) {
	if n.Null() {
		return
	}
	if n.Peek() != '{' {
		n.wrongType(field, "an object")
		return
	}
	n.AppendValue(field, 1)
}

// wrongType notes that the value at the cursor has the wrong type, and skips it.
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
	if n.TextTooLarge(q) {
		return item.Span{}
	}
	if !q.Valid() {
		n.Defect(wire.ReasonInvalidUTF8, field)
		return item.Span{}
	}
	at, nul := n.AddQuoted(q)
	if nul {
		n.Defect(wire.ReasonNUL, field)
	}
	if at.Len() > limit {
		n.Defect(tooLong, fmt.Sprintf("%s: %d bytes, at most %d", field, at.Len(), limit))
	}
	return at
}

// id reads a string, or a number as its own text: 1e3 stays "1e3".
func (n *decoder) id(field string) item.Span {
	switch c := n.Peek(); {
	case c == '-' || c-'0' <= 9:
		num, ok := n.Number()
		if !ok {
			return item.Span{}
		}
		if len(num.Text) > n.Limits.ID {
			n.Defect(wire.ReasonIDTooLong, fmt.Sprintf("%s: %d bytes, at most %d", field, len(num.Text), n.Limits.ID))
		}
		return n.AddText(num.Text)
	case c == '"' || c == 'n':
		return n.string(field, n.Limits.ID, wire.ReasonIDTooLong)
	}
	n.wrongType(field, "a string or a number")
	return item.Span{}
}

// number reads a number; null is unknown.
func (n *decoder) number(field string) weir.Number {
	if n.Null() {
		return weir.Number{}
	}
	return weir.Known(n.float(field))
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

// size reads a number of bytes; null is unknown.
func (n *decoder) size(field string) weir.Number {
	size := n.number(field)
	if size.Known && (size.Value < 0 || size.Value > weir.MaxBytes || size.Value != math.Trunc(size.Value)) {
		n.Defect(wire.ReasonNumber, field+": want a whole number, 0 or more")
	}
	return size
}

// status reads an HTTP status; 0 and null are unknown.
func (n *decoder) status(field string) int {
	f := n.float(field)
	if f == 0 {
		if n.Reason() == wire.ReasonNumber {
			n.SetDefect(wire.ReasonStatus, field)
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

// currency makes the code of a currency upper case, and checks it.
func (n *decoder) currency(field string, at item.Span) {
	code := n.Text(at)
	if len(code) == 0 || n.HasDefect() {
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
