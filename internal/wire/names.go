package wire

import (
	"bytes"
	"net/http"
	"strconv"
	"strings"
)

// maxHeader is the most bytes of a header that become a part of every event of a request.
const maxHeader = 200

// Header is the first of the headers that has a value, as it can be stored.
func Header(h http.Header, names ...string) string {
	for _, name := range names {
		if v := strings.TrimSpace(h.Get(name)); v != "" {
			return strings.ToValidUTF8(v[:min(len(v), maxHeader)], "")
		}
	}
	return ""
}

// ProjectNames runs before the whole body has arrived. So it does not parse JSON: it
// searches the bytes for one of the keys, at any place, and returns the text behind it. A
// sender gains nothing by a wrong name: it must know a valid name, and could have sent
// that as its project.

// mostNames bounds the names per request; longestName bounds their length in bytes (no
// project has a longer name).
const (
	mostNames   = 4
	LongestName = 512
)

// NamesIn returns the first texts and numbers that follow one of the keys.
func NamesIn(text []byte, keys ...string) (names []string) {
	for _, key := range keys {
		quoted := []byte(`"` + key + `"`)
		for rest := text; len(names) < mostNames; {
			_, after, ok := bytes.Cut(rest, quoted)
			if !ok {
				break
			}
			rest = after
			value, ok := bytes.CutPrefix(bytes.TrimLeft(after[:min(len(after), 2*LongestName)], " \t\r\n"), []byte(":"))
			if !ok {
				continue
			}
			value = bytes.TrimLeft(value, " \t\r\n")
			end := `",}`
			if value, ok = bytes.CutPrefix(value, []byte(`"`)); ok {
				end = `"`
			}
			if n := bytes.IndexAny(value, end); n > 0 && n <= LongestName {
				names = append(names, string(value[:n]))
			}
		}
	}
	return names
}

// BearerOf returns the token of an Authorization header, "" for a scheme other than Bearer.
func BearerOf(authorization string) string {
	scheme, token, _ := strings.Cut(authorization, " ")
	if !strings.EqualFold(scheme, "Bearer") {
		return ""
	}
	return strings.TrimSpace(token)
}

// HeadKey returns the write key of a sender that knows Weir. The query string is for
// beacons of browsers, which cannot set a header.
func HeadKey(r *Request) string {
	if key := BearerOf(r.Header.Get("Authorization")); key != "" {
		return key
	}
	if key := r.Header.Get("X-Weir-Key"); key != "" {
		return key
	}
	return r.Query().Get("key")
}

// IsHistorical reports whether a sender that knows Weir says that it imports a log.
func IsHistorical(r *Request) bool {
	v := r.Header.Get("X-Weir-Historical")
	if v == "" {
		v = r.Query().Get("historical")
	}
	on, err := strconv.ParseBool(v)
	return err == nil && on
}

// IsVisitor says whether a user agent is that of a browser or an app, rather than of
// a server's HTTP client. OpenPanel tells them apart by it too: its SDKs have the same
// name on both sides, and middleware passes the visitor's user agent on.
func IsVisitor(userAgent string) bool {
	for _, mark := range [...]string{"Mozilla/", "Dalvik/", "CFNetwork/"} {
		if strings.Contains(userAgent, mark) {
			return true
		}
	}
	_, comment, _ := strings.Cut(userAgent, "(")
	for _, system := range [...]string{"iPhone", "iPad", "iPod", "iOS", "Android", "Windows", "Macintosh", "Mac OS", "macOS", "Linux"} {
		if strings.Contains(comment, system) {
			return true
		}
	}
	return false
}
