package wire

import (
	"encoding/base64"
	"net/http"
	"strconv"
	"strings"

	weir "github.com/weir-analytics/weir"
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

// BearerOf returns the token of an Authorization header, "" for a scheme other than Bearer.
func BearerOf(authorization string) string {
	scheme, token, _ := strings.Cut(authorization, " ")
	if !strings.EqualFold(scheme, "Bearer") {
		return ""
	}
	return strings.TrimSpace(token)
}

// BasicUser returns the user of an Authorization: Basic header, also of one whose colon is
// missing. It returns "" without one.
func BasicUser(h http.Header) string {
	scheme, text, ok := strings.Cut(h.Get("Authorization"), " ")
	if !ok || !strings.EqualFold(scheme, "Basic") {
		return ""
	}
	plain, err := base64.StdEncoding.DecodeString(strings.TrimSpace(text))
	if err != nil {
		return ""
	}
	user, _, _ := strings.Cut(string(plain), ":")
	return user
}

// HeadKey returns the write key of a request of Weir's own protocol or of OpenTelemetry: the
// first of the headers that it may be in, or the query string, for beacons of browsers, which
// cannot set a header. An SDK of a vendor sends it elsewhere: see ProjectNames of its
// protocol.
func HeadKey(r *Request) string {
	if key := BearerOf(r.Header.Get("Authorization")); key != "" {
		return key
	}
	if key := r.Header.Get("X-Weir-Key"); key != "" {
		return key
	}
	return r.Query().Get("key")
}

// IsHistorical reports whether the sender says, in Weir's own header, that it imports a log.
func IsHistorical(r *Request) bool {
	v := r.Header.Get("X-Weir-Historical")
	if v == "" {
		v = r.Query().Get("historical")
	}
	if v == "" {
		return false // as most: ParseBool would make an error of it
	}
	on, err := strconv.ParseBool(v)
	return err == nil && on
}

// maxImportID is the most bytes of an import's id.
const maxImportID = 64

// ImportID returns the id of the import that the request is a part of: of Weir's own header, or
// of the query string. "" is none. Error: EINVALID.
func ImportID(r *Request) (string, error) {
	id := r.Header.Get("X-Weir-Import")
	if id == "" {
		id = r.Query().Get("import")
	}
	if len(id) > maxImportID || strings.ContainsFunc(id, notInImportID) {
		return "", weir.Errorf(weir.EINVALID, "the id of an import has up to %d letters, digits, dots, dashes and underscores", maxImportID)
	}
	return id, nil
}

func notInImportID(c rune) bool {
	return (c < 'a' || c > 'z') && (c < 'A' || c > 'Z') && (c < '0' || c > '9') && c != '.' && c != '-' && c != '_'
}

// IsVisitor says whether a user agent is that of a browser or an app, rather than of
// a server's HTTP client. OpenPanel distinguishes them by it too: its SDKs have the same
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
