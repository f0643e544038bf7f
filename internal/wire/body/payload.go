package body

import (
	"bytes"
	"encoding/base64"
	"iter"
	"net/url"
	"strings"

	weir "github.com/weir-analytics/weir"
	"github.com/weir-analytics/weir/internal/wire"
	"github.com/weir-analytics/weir/internal/wire/jsonscan"
)

// Expander undoes a compression that this package does not have.
type Expander func(text []byte, l wire.Limits) ([]byte, error)

// Unpack yields the text of a request each time that a packing is undone: what the field
// "data" of a form or of the query holds, without base64 and compression. The last text is
// the JSON. What is not packed it yields as it is. lz64 undoes the compression of that name,
// LZ-string in base64; nil for senders that do not have it.
func Unpack(r *wire.Request, lz64 Expander) iter.Seq2[[]byte, error] {
	return func(yield func([]byte, error) bool) {
		text, coding, err := payload(r)
		if err != nil {
			yield(nil, err)
			return
		}
		u := unpacking{coding: coding, lz64: lz64, decompressed: r.Coded, limits: r.Limits}
		for more := true; more; {
			if text = jsonscan.Trim(text); len(text) == 0 {
				yield(nil, weir.Errorf(weir.EINVALID, "request missing data payload"))
				return
			}
			if !yield(text, nil) {
				return
			}
			if text, more, err = u.undo(text, yield); err != nil {
				yield(nil, err)
				return
			}
		}
	}
}

// Unpacked returns the last text of Unpack.
func Unpacked(r *wire.Request, lz64 Expander) (text []byte, err error) {
	if r.Unpacked != nil {
		return r.Unpacked, nil
	}
	for text, err = range Unpack(r, lz64) {
		if err != nil {
			return nil, err
		}
	}
	return text, nil
}

// payload returns the body, or the field "data" of a form or of the query, and the
// compression that the request names.
func payload(r *wire.Request) (text []byte, coding string, err error) {
	text, coding = r.Body, r.Query().Get("compression")
	if data := r.Query().Get("data"); data != "" && len(bytes.TrimSpace(text)) == 0 {
		text = []byte(data)
	} else if isForm(text) {
		if c := FormValue(bytes.TrimSpace(text), "compression"); c != "" {
			coding = c
		}
		if text, err = FormField(r, "data"); err != nil {
			return nil, "", err
		}
	}
	if coding == "" {
		coding = r.Header.Get("Content-Encoding")
	}
	return text, coding, nil
}

// unpacking undoes the packings of one payload.
type unpacking struct {
	coding       string // that the request names
	lz64         Expander
	decompressed bool // a compression has been undone
	texts        int  // how often base64 has been undone
	limits       wire.Limits
}

// undo undoes one packing. While it decompresses, it yields the text as far as it is there.
// more is false if there is no packing, or if the loop has ended.
func (u *unpacking) undo(text []byte, yield func([]byte, error) bool) (inner []byte, more bool, err error) {
	switch {
	case text[0] == '{' || text[0] == '[':
		return nil, false, nil
	case IsCompressed(text) && !u.decompressed:
		u.decompressed = true
		reading := OpenPacked(text, u.limits)
		for beginning := range reading.Beginnings() {
			if !yield(beginning, nil) {
				return nil, false, nil
			}
		}
		inner, err = reading.Owned()
	case strings.EqualFold(u.coding, "lz64") && u.lz64 != nil && !u.decompressed:
		u.decompressed = true
		inner, err = u.lz64(text, u.limits)
	case isBase64(text) && u.texts < maxBase64:
		u.texts++
		inner, err = unbase64(text, u.limits.Memory)
	case IsCompressed(text) || isBase64(text):
		err = weir.Errorf(weir.EINVALID, "failed to decode request: wrapped more often than base64 over a compression over base64")
	default:
		return nil, false, nil // the reader says what is wrong
	}
	return inner, true, err
}

// maxBase64 bounds how often a payload is base64: over a compression and under it.
// It is compressed once.
const maxBase64 = 2

// Param returns a parameter of the query, or else of the form that the body is. Some SDKs
// send all parameters in the form.
func Param(r *wire.Request, name string) string {
	if v := r.Query().Get(name); v != "" || !isForm(r.Body) {
		return v
	}
	return FormValue(r.Body, name)
}

// FormField returns the first field with a name of the form that the body is, in memory that
// is reserved.
func FormField(r *wire.Request, name string) ([]byte, error) {
	h := r.Limits.Memory
	texts := int64(len(r.Body)) // of the field, as text, decoded and as bytes
	if err := h.Reserve(3 * texts); err != nil {
		return nil, err
	}
	field := []byte(FormValue(bytes.TrimSpace(r.Body), name))
	h.Release(2 * texts)
	return field, nil
}

// FormValue returns the first field of a form with a name. Others are not read: a form may
// have millions.
func FormValue(form []byte, name string) string {
	for len(form) > 0 {
		var field []byte
		field, form, _ = bytes.Cut(form, []byte("&"))
		if key, value, _ := bytes.Cut(field, []byte("=")); string(key) == name {
			text, err := url.QueryUnescape(string(value))
			if err != nil {
				return ""
			}
			return text
		}
	}
	return ""
}

// isForm says whether a body is the fields of a form, by its first field: what
// SDKs say of the type is not to be trusted.
func isForm(text []byte) bool {
	text = jsonscan.Trim(text)
	head := text[:min(len(text), 64)]
	name, _, ok := bytes.Cut(head, []byte("="))
	switch string(name) {
	case "data", "compression", "ver", "_", "ip", "token", "api_key", "verbose", "test", "img", "callback", "strict":
		return ok
	}
	return false
}

// isBase64 looks at the first bytes of a text. A space stands where a form had a
// plus that was not escaped.
func isBase64(text []byte) bool {
	for _, c := range text[:min(len(text), 128)] {
		switch {
		case c >= 'a' && c <= 'z', c >= 'A' && c <= 'Z', c >= '0' && c <= '9':
		case c == '+', c == '/', c == '=', c == '-', c == '_', c == ' ', c == '\r', c == '\n':
		default:
			return false
		}
	}
	return true
}

// unbase64 decodes base64 in either alphabet, padded or not.
func unbase64(text []byte, h *wire.Reservation) ([]byte, error) {
	if err := h.Reserve(2 * int64(len(text))); err != nil {
		return nil, err
	}
	clean := make([]byte, 0, len(text))
	for _, c := range bytes.TrimRight(text, " \r\n") {
		switch c {
		case ' ', '-':
			c = '+'
		case '_':
			c = '/'
		case '\r', '\n', '=':
			continue
		}
		clean = append(clean, c)
	}
	out := make([]byte, base64.RawStdEncoding.DecodedLen(len(clean)))
	n, err := base64.RawStdEncoding.Decode(out, clean)
	h.Release(int64(cap(clean)))
	if err != nil {
		return nil, weir.Wrap(err, weir.EINVALID, "failed to decode request: invalid base64 data")
	}
	return out[:n], nil
}
