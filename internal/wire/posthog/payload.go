package posthog

import (
	"bytes"
	"encoding/base64"
	"net/url"
	"strings"

	weir "github.com/weir-analytics/weir"
	"github.com/weir-analytics/weir/internal/wire"
	"github.com/weir-analytics/weir/internal/wire/body"
	"github.com/weir-analytics/weir/internal/wire/jsonscan"
)

// codings are the values of Content-Encoding that SDKs of PostHog may send
// and that are no codings of HTTP.
var codings = []string{"gzip-js", "lz64", "base64"}

// jsonText is the JSON of a request: its body, or what the field "data" of a
// form or of the query holds, without base64, LZ-string and compression.
func jsonText(r *wire.Request) ([]byte, error) {
	text, coding := r.Body, r.Query.Get("compression")
	if data := r.Query.Get("data"); data != "" && len(bytes.TrimSpace(text)) == 0 {
		text = []byte(data)
	} else if isForm(r, text) {
		h := r.Limits.Memory
		texts := int64(len(text)) // of the field, as text, decoded and as bytes
		if err := h.Reserve(3 * texts); err != nil {
			return nil, err
		}
		form := bytes.TrimSpace(text)
		if c := formValue(form, "compression"); c != "" {
			coding = c
		}
		text = []byte(formValue(form, "data"))
		h.Release(2 * texts)
	}
	if coding == "" {
		coding = r.Header.Get("Content-Encoding")
	}
	if text = jsonscan.Trim(text); len(text) == 0 {
		return nil, weir.Errorf(weir.EINVALID, "request missing data payload")
	}
	packed, texts := r.Coded, 0
	for {
		switch {
		case text[0] == '{' || text[0] == '[':
			return text, nil
		case body.IsCompressed(text) && !packed:
			packed = true
			out, err := body.Unpack(text, r.Limits)
			if err != nil {
				return nil, err
			}
			text = out
		case strings.EqualFold(coding, "lz64") && !packed:
			packed = true
			out, err := lzBase64(text, r.Limits)
			if err != nil {
				return nil, err
			}
			text = out
		case isBase64(text) && texts < maxBase64:
			texts++
			out, err := unbase64(text, r.Limits.Memory)
			if err != nil {
				return nil, err
			}
			text = out
		case body.IsCompressed(text) || isBase64(text):
			return nil, weir.Errorf(weir.EINVALID, "failed to decode request: wrapped more often than base64 over a compression over base64")
		default:
			return text, nil // the reader says what is wrong
		}
		if text = jsonscan.Trim(text); len(text) == 0 {
			return nil, weir.Errorf(weir.EINVALID, "request missing data payload")
		}
		r.Limits.Memory.CheckKnown(text)
	}
}

// maxBase64 bounds how often a payload is base64: over a compression and under it.
// It is compressed once.
const maxBase64 = 2

// formValue is the first field of a form with a name. Others are not read: a form may
// have millions.
func formValue(form []byte, name string) string {
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
func isForm(r *wire.Request, body []byte) bool {
	body = jsonscan.Trim(body)
	head := body[:min(len(body), 64)]
	name, _, ok := bytes.Cut(head, []byte("="))
	switch string(name) {
	case "data", "compression", "ver", "_", "ip", "token", "api_key", "verbose", "test":
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
