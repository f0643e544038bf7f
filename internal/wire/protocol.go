package wire

import (
	"net/http"
	"net/url"
	"strings"
	"time"

	weir "github.com/weir-analytics/weir"
)

// Protocol is the wire protocol of one vendor's SDKs. It is safe for concurrent use.
//
// For each request the server calls Decode, delivers the events, and calls Answer. If
// something fails, it calls Refuse instead of Answer.
type Protocol interface {
	// Vendor returns the name for logs and metrics: one lower-case word.
	Vendor() string
	// Routes returns the addresses that the SDKs call.
	Routes() []Route
	// ProjectNames returns the names (keys, sites) that the request may give its
	// project. It looks at the headers and at text: the decompressed body, or its
	// beginning while the rest still arrives. The result is a guess. The server uses it
	// to let a sender with a known project use more memory; the answer comes from Decode.
	ProjectNames(r *Request, text []byte) []string
	// Decode turns a request into events. Errors, all the sender's fault: EINVALID,
	// ETOOLARGE, EUNAUTHORIZED, EUNSUPPORTED. The result does not reference the body.
	Decode(r *Request) (*Decoded, error)
	// Answer returns the reply after the events are durable. s is the result of Decode,
	// with the fields that the server fills in (see Part).
	Answer(r *Request, s *Decoded) Response
	// Refuse returns the reply to an error, in the vendor's form. status is the one of
	// Weir's own API. The caller sets headers such as Retry-After.
	Refuse(r *Request, status int, err *weir.Error) Response
}

// Route is a method and a path pattern of http.ServeMux. The path has no trailing slash;
// the server also accepts it with one.
type Route struct {
	Method, Path string
	NoBody       bool // the server does not read a body
	// Codings are values of Content-Encoding that HTTP does not define. Decode decodes
	// them itself.
	Codings []string
}

// Pattern returns the route as one string, such as "POST /batch".
func (r Route) Pattern() string { return r.Method + " " + r.Path }

// Request is the input of a Protocol.
type Request struct {
	Route     Route // the matching one of Routes
	Path      string
	Host      string // the server's name in the request, with the port if it has one
	Secure    bool   // the sender used https, to this server or to a proxy in front of it
	Query     url.Values
	Header    http.Header
	Body      []byte // decompressed; nil if the route has NoBody
	Coded     bool   // Body was compressed
	IP        string // the sender's, "" when unknown
	UserAgent string
	Now       time.Time
	Limits    Limits
}

// Value returns the part of the path that matches {name} in the route.
func (r *Request) Value(name string) string {
	pattern, path := strings.Split(r.Route.Path, "/"), strings.Split(r.Path, "/")
	for i, part := range pattern {
		if part == "{"+name+"}" && i < len(path) {
			return path[i]
		}
	}
	return ""
}

// MaxProjects bounds the projects of one request. Each needs a delivery of its own.
const MaxProjects = 20

// Decoded is the result of Decode.
type Decoded struct {
	// Parts are the events by project. Nearly all requests have one part. A request
	// that only asks for something, or only sends what Weir does not store, has none.
	Parts []Part
	// Unsupported names data that Weir accepts but does not store, such as "replay".
	Unsupported string
	// AnswersForUnknownProject: the vendor has a normal reply for an unknown project. So
	// the server calls Answer, not Refuse, even if no part has a known project. The part
	// has Err.
	AnswersForUnknownProject bool
	// PartsAreCopies: every part contains the same events, for several projects. If two
	// names mean one project, that project gets the events once.
	PartsAreCopies bool
	// Historical: the events are old, as in a migration.
	Historical bool
	// State passes anything from Decode to Answer.
	State any
}

// Part contains the events of a request for one project.
type Part struct {
	// Project is the sender's name for it: a write key or a site.
	Project string
	Events  []weir.Incoming
	// Rejected: Decode sets its own rejections, the server adds those of ingest.
	Rejected []weir.Rejection
	// Visitor, if not nil, asks the server for the device id of this visitor. It is for
	// requests that need the id in the answer but contain no event of the visitor.
	Visitor *weir.Source

	// The server sets these before Answer.

	Duplicates int    // how many of Events were stored before
	Device     string // of Visitor; "" if it cannot be derived
	Err        error  // why this part was not stored, while others were; nil if it was
}

// Response is an HTTP reply. ContentType is empty if Body is.
type Response struct {
	Status      int
	ContentType string
	Header      http.Header // more headers, or nil
	Body        []byte
}
