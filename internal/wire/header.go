package wire

import (
	"net/http"
	"strings"
)

// maxHeader is the most bytes of a header that become a part of every event of a request.
const maxHeader = 200

// header is the first of the headers that has a value, as it can be stored.
func header(h http.Header, names ...string) string {
	for _, name := range names {
		if v := strings.TrimSpace(h.Get(name)); v != "" {
			return strings.ToValidUTF8(v[:min(len(v), maxHeader)], "")
		}
	}
	return ""
}
