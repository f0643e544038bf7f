package wire

import (
	"iter"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	weir "github.com/weir-analytics/weir"
)

// Protocol is the wire protocol of one family of senders: Weir's own, OpenTelemetry's, or
// that of a vendor's SDKs. It is safe for concurrent use.
//
// A protocol only translates. For each request the server finds the project, reads the
// body, calls Decode, stores the events, and calls Answer. If something fails, it calls
// Refuse instead of Answer. What a protocol asks of the server is in Route, for every
// request, and in Decoded, for one.
type Protocol interface {
	// Vendor returns the name for logs and metrics: one lower-case word.
	Vendor() string
	// Routes returns the addresses that the senders call.
	Routes() []Route
	// ProjectNames returns the names (keys, sites) that the request may give its
	// project. It looks at the head and at text: the decompressed body, or its
	// beginning while the rest still arrives.
	//
	// With KeyInHead the first one is the write key. Otherwise the result is a guess: the
	// server uses it to let a sender with a known project use more memory, and the answer
	// comes from Decode.
	ProjectNames(r *Request, text []byte) []string
	// Decode turns a request into events. Errors, all the sender's fault: EINVALID,
	// ETOOLARGE, EUNAUTHORIZED, EUNSUPPORTED. The result does not reference the body.
	Decode(r *Request) (*Decoded, error)
	// Answer returns the reply after the events are durable. s is the result of Decode,
	// with the fields that the server fills in (see Part).
	Answer(r *Request, s *Decoded) Response
	// Refuse returns the reply to an error, in the sender's form. status is the one of
	// Weir's own API. The caller sets headers such as Retry-After.
	Refuse(r *Request, status int, err *weir.Error) Response
}

// Unpacker is a Protocol that packs its text, such as base64 over gzip in the field of a
// form.
type Unpacker interface {
	// Unpack yields the text after each packing that it undoes, and while it decompresses
	// also the beginnings of the text. The server looks for the name of a project in each,
	// as it does in the body, and passes the last one to Decode, as Unpacked.
	Unpack(r *Request) iter.Seq2[[]byte, error]
}

// Route is a method and a path pattern of http.ServeMux, and what the server does before
// it calls Decode. The path has no trailing slash; the server also accepts it with one.
type Route struct {
	Method, Path string

	Project ProjectPlace
	Body    BodyUse
	Framing Framing

	// Types are the media types that a body may have. The server refuses others with
	// EUNSUPPORTED before it reads the body. Nil is any.
	Types []string
	// Codings are values of Content-Encoding that HTTP does not define. Decode decodes
	// them itself.
	Codings []string
}

// ProjectPlace says where a request names its project.
type ProjectPlace uint8

const (
	// InRequest is anywhere, a write key or a site. Only Decode can say which. Until
	// ProjectNames finds a known name, the request has the memory of an unknown project.
	InRequest ProjectPlace = iota
	// KeyInHead is a write key in the head of the request, where ProjectNames finds it. A
	// request with no key, or an unknown one, is refused before its body is read. The
	// request has one part.
	KeyInHead
)

// BodyUse says what the server does with the body of a request.
type BodyUse uint8

const (
	// ReadWhole reads the body and decompresses it. The request counts
	// against the rate of its address before that.
	ReadWhole BodyUse = iota
	// IgnoreBody does not read the body. The request counts against the rate of
	// its address only if it has events.
	IgnoreBody
)

// Framing says what is around the text in a body.
type Framing uint8

const (
	// Unframed is nothing: the body is the text.
	Unframed Framing = iota
	// OneMessage is the frame of the one message of a unary gRPC call: see body.Message.
	OneMessage
)

// Pattern returns the route as one string, such as "POST /batch".
func (r Route) Pattern() string { return r.Method + " " + r.Path }

// CheckType returns EUNSUPPORTED if the route does not take bodies of a Content-Type.
func (r Route) CheckType(contentType string) error {
	if r.Types == nil || slices.Contains(r.Types, MediaType(contentType)) {
		return nil
	}
	return weir.Errorf(weir.EUNSUPPORTED, "Content-Type %.60q is not supported: use %s", contentType, strings.Join(r.Types, " or "))
}

// MediaType returns a Content-Type in lower case and without its parameters.
func MediaType(contentType string) string {
	media, _, _ := strings.Cut(contentType, ";")
	return strings.ToLower(strings.TrimSpace(media))
}

// Request is the input of a Protocol.
type Request struct {
	Route     Route // the matching one of Routes
	Path      string
	Host      string // the server's name in the request, with the port if it has one, and the path of its public address
	Secure    bool   // the sender used https, to this server or to a proxy in front of it
	RawQuery  string // see Query
	Header    http.Header
	Body      []byte // decompressed; nil with IgnoreBody
	Coded     bool   // Body was compressed
	Unpacked  []byte // the last text of an Unpacker; nil if the caller has not unpacked the body
	IP        string // the sender's, "" when unknown
	UserAgent string
	Now       time.Time
	Limits    Limits

	// Vendor is the protocol that decoded the request, if several have its address. Decode sets it
	// for Answer and Refuse, which do not have the body any more.
	Vendor Protocol
	// RetryAfter is for Refuse: in how many seconds the sender may try again; 0 if nobody says so.
	RetryAfter int

	query url.Values
}

// Query returns the parameters of the query string.
func (r *Request) Query() url.Values {
	if r.query == nil && r.RawQuery != "" {
		r.query, _ = url.ParseQuery(r.RawQuery) // what is malformed is left out
	}
	return r.query
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
	// From says who sends the events.
	From From
	// Unknown says what the server does if no part has a known project.
	Unknown UnknownProject
	// Parted says how the events of the parts relate.
	Parted Parted
	// State passes anything from Decode to Answer.
	State any
}

// From says who sends events.
type From uint8

const (
	// FromUnknown is a sender that may be the visitor or a server. An event that is a
	// call or names a profile gets no device from the address and user agent of the
	// request: they may be those of a server.
	FromUnknown From = iota
	// FromPage is the visitor's own browser, from a page. The address and the user agent of
	// the request are the visitor's.
	FromPage
	// FromLog is a tool that imports old events. They get devices that do not change from day
	// to day.
	FromLog
)

// FromLogIf returns FromLog for old events, and otherwise FromUnknown.
func FromLogIf(old bool) From {
	if old {
		return FromLog
	}
	return FromUnknown
}

// UnknownProject says what the server does with a request if no part has a known project.
type UnknownProject uint8

const (
	// RefuseUnknown calls Refuse, with EUNAUTHORIZED.
	RefuseUnknown UnknownProject = iota
	// AnswerUnknown calls Answer, because the vendor has a normal reply for an unknown
	// project. The parts have Err.
	AnswerUnknown
)

// Parted says how the events of several parts relate.
type Parted uint8

const (
	// PartsDiffer means that each part has its own events.
	PartsDiffer Parted = iota
	// PartsRepeat means that each part has the same events, for another name. If two names are of one
	// project, that project gets the events once.
	PartsRepeat
)

// OnePart returns a Decoded with one part, in one allocation.
func OnePart(p Part) *Decoded {
	d := &struct {
		Decoded
		parts [1]Part
	}{parts: [1]Part{p}}
	d.Parts = d.parts[:]
	return &d.Decoded
}

// Part contains the events of a request for one project.
type Part struct {
	// Project is the sender's name for it: a write key or a site.
	// With KeyInHead it is empty: the server has found the project before.
	Project string
	Events  []weir.Incoming
	// Rejected: Decode sets its own rejections, the server adds those of ingest.
	Rejected []weir.Rejection
	// Visitor, if not nil, asks the server for the device id of this visitor. It is for
	// requests that need the id in the answer but contain no event of the visitor.
	Visitor *weir.Source

	// The server sets these before Answer.

	Accepted   int    // how many of Events are stored now
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

// Pixel is a transparent GIF of one pixel, the answer to a request that an image makes.
const Pixel = "GIF89a\x01\x00\x01\x00\x80\x00\x00\x00\x00\x00\x00\x00\x00!\xf9\x04\x01\x00\x00\x00\x00,\x00\x00\x00\x00\x01\x00\x01\x00\x00\x02\x02D\x01\x00;"
