package wire

import (
	"net/http"
	"net/url"
	"strings"
	"time"

	weir "github.com/weir-analytics/weir"
)

// Protocol is how the SDKs of one vendor speak. It is safe for concurrent use.
type Protocol interface {
	// Vendor is its name in logs and metrics: one lower-case word.
	Vendor() string
	// Routes are the addresses that its SDKs call.
	Routes() []Route
	// Names are what the request may name its project by: by its head, and by a
	// text that is its body, without what it was wrapped in, or begins like it. They
	// are a guess, by which more is read of a body: Decode tells.
	Names(r *Request, text []byte) []string
	// Decode reads a request. Errors are the sender's: EINVALID, ETOOLARGE,
	// EUNAUTHORIZED, EUNSUPPORTED. Nothing that it returns holds on to the body.
	Decode(r *Request) (*Sent, error)
	// Answer is what the sender is told when its events are durable. s is what
	// Decode made of the request; its events have been completed meanwhile.
	Answer(r *Request, s *Sent) Response
	// Refuse is what the sender is told of an error. status is the one that Weir
	// itself would answer; headers such as Retry-After are set by the caller.
	Refuse(r *Request, status int, err *weir.Error) Response
}

// Route is an address as http.ServeMux has it: a method and a path without a
// trailing slash, which is served too.
type Route struct {
	Method, Path string
	NoBody       bool // what is sent there is not read
	// Codings are values of Content-Encoding that are no codings of HTTP and that
	// Decode undoes itself.
	Codings []string
}

// Pattern is the route as one string, "POST /batch".
func (r Route) Pattern() string { return r.Method + " " + r.Path }

// Request is a request as a Protocol reads it.
type Request struct {
	Route     Route // as in Routes
	Path      string
	Host      string // as the sender addresses the server, with a port if there is one
	Secure    bool   // by https, here or at a proxy before
	Query     url.Values
	Header    http.Header
	Body      []byte // decompressed; nil where the route has NoBody
	Coded     bool   // Body was compressed
	IP        string // the sender's, "" when unknown
	UserAgent string
	Now       time.Time
	Limits    Limits
}

// Value is the part of the path that stands where the route has {name}.
func (r *Request) Value(name string) string {
	pattern, path := strings.Split(r.Route.Path, "/"), strings.Split(r.Path, "/")
	for i, part := range pattern {
		if part == "{"+name+"}" && i < len(path) {
			return path[i]
		}
	}
	return ""
}

// maxProjects is how many projects a request may name: each is a delivery of its own.
const maxProjects = 20

// Sent is what one request brought.
type Sent struct {
	// Parts are its events by project: one in nearly all requests, none when it
	// only asks for something or brings what Weir does not keep.
	Parts []Part
	// Unsupported names what was taken and is not kept, such as "replay".
	Unsupported string
	// AnswersUnknown says that Answer tells of parts whose project nobody knows. It
	// is then asked even when that is so of all of them.
	AnswersUnknown bool
	// Copies says that all parts are the same events: a project that is named by
	// several names has them once.
	Copies bool
	// Historical says that the events are long past, as of a migration.
	Historical bool
	// Reply is the Protocol's own, from Decode to Answer.
	Reply any
}

// Part is the events of a request that go to one project.
type Part struct {
	// Project is what the sender names it by: a write key, or a name that a
	// project was given.
	Project  string
	Events   []weir.Incoming
	Rejected []weir.Rejection // after Decode its own, before Answer all
	// Duplicates is how many of Events were known already, before Answer.
	Duplicates int
	// Asks is a visitor whose device Answer wants and of whom the part has no event;
	// nil is none. Device is that, before Answer; "" when nothing tells it.
	Asks   *weir.Source
	Device string
	// Err is why the part was not taken, before Answer, where others were; nil
	// when it was.
	Err error
}

// Response is an answer. ContentType is empty with an empty body.
type Response struct {
	Status      int
	ContentType string
	Header      http.Header // further ones, or nil
	Body        []byte
}
