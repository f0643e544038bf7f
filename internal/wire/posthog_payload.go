package wire

import (
	"bytes"
	"encoding/base64"
	"net/url"
	"strings"

	weir "github.com/weir-analytics/weir"
)

// posthogCodings are the values of Content-Encoding that SDKs of PostHog may send
// and that are no codings of HTTP.
var posthogCodings = []string{"gzip-js", "lz64", "base64"}

// maxWrappings bounds how often a payload is wrapped: base64 over gzip over base64.
const maxWrappings = 4

// posthogText is the JSON of a request: its body, or what the field "data" of a
// form or of the query holds, without base64, LZ-string and compression.
func posthogText(r *Request) ([]byte, error) {
	text, coding := r.Body, r.Query.Get("compression")
	if data := r.Query.Get("data"); data != "" && len(bytes.TrimSpace(text)) == 0 {
		text = []byte(data)
	} else if isForm(r, text) {
		form, err := url.ParseQuery(string(bytes.TrimSpace(text)))
		if err != nil && len(form) == 0 {
			return nil, weir.Wrap(err, weir.EINVALID, "failed to decode request: invalid form data")
		}
		text = []byte(form.Get("data"))
		if c := form.Get("compression"); c != "" {
			coding = c
		}
	}
	if coding == "" {
		coding = r.Header.Get("Content-Encoding")
	}
	if text = unspaced(text); len(text) == 0 {
		return nil, weir.Errorf(weir.EINVALID, "request missing data payload")
	}
	for range maxWrappings {
		switch {
		case text[0] == '{' || text[0] == '[':
			return text, nil
		case compressed(text):
			b, err := ReadBody(bytes.NewReader(text), "", r.Limits)
			if err != nil {
				return nil, err
			}
			text = bytes.Clone(b.Bytes())
			b.Release()
		case strings.EqualFold(coding, "lz64"):
			coding = ""
			out, err := lzBase64(text, r.Limits.Body)
			if err != nil {
				return nil, err
			}
			text = out
		case isBase64(text):
			out, err := unbase64(text)
			if err != nil {
				return nil, weir.Wrap(err, weir.EINVALID, "failed to decode request: invalid base64 data")
			}
			text = out
		default:
			return text, nil // the reader says what is wrong
		}
		if text = unspaced(text); len(text) == 0 {
			return nil, weir.Errorf(weir.EINVALID, "request missing data payload")
		}
	}
	return nil, weir.Errorf(weir.EINVALID, "failed to decode request: wrapped more than %d times", maxWrappings)
}

func unspaced(text []byte) []byte {
	return bytes.TrimLeft(bytes.TrimPrefix(bytes.TrimLeft(text, " \t\r\n"), []byte("\ufeff")), " \t\r\n")
}

// isForm says whether a body is the fields of a form, by its first field: what
// SDKs say of the type is not to be trusted.
func isForm(r *Request, body []byte) bool {
	body = unspaced(body)
	head := body[:min(len(body), 64)]
	name, _, ok := bytes.Cut(head, []byte("="))
	switch string(name) {
	case "data", "compression", "ver", "_", "ip", "token", "api_key", "verbose", "test":
		return ok
	}
	return false
}

// compressed says whether data begins as gzip or zstd does.
func compressed(data []byte) bool {
	return bytes.HasPrefix(data, []byte{0x1f, 0x8b, 8}) || bytes.HasPrefix(data, []byte{0x28, 0xb5, 0x2f, 0xfd})
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
func unbase64(text []byte) ([]byte, error) {
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
	return out[:n], err
}
