// Package otlp decodes OpenTelemetry's traces: each span of a server becomes a call.
package otlp

import (
	"bytes"
	"encoding/hex"
	"fmt"
	"strings"
	"time"
	"unicode/utf8"

	weir "github.com/weir-analytics/weir"
	"github.com/weir-analytics/weir/internal/wire"
	"github.com/weir-analytics/weir/internal/wire/jsonscan"
)

// Encoding is how an OTLP/HTTP request is written, and so its answer.
type Encoding uint8

// The encodings of OTLP/HTTP.
const (
	Protobuf Encoding = iota // application/x-protobuf
	JSON                     // application/json, in OTLP's own mapping
)

// ContentType is the encoding's media type.
func (e Encoding) ContentType() string {
	if e == Protobuf {
		return "application/x-protobuf"
	}
	return "application/json"
}

// DefaultConsumers returns the span attributes that name who called, unless a flag gives
// others: a name of Weir's own, then those of
// OpenTelemetry's conventions.
func DefaultConsumers() []string {
	return []string{"weir.consumer", "enduser.id", "enduser.pseudo.id", "user.id"}
}

// Decode decodes the body of an OTLP/HTTP trace request
// (ExportTraceServiceRequest of opentelemetry-proto 1.x): each span of kind
// SERVER is a call. consumers are the attributes that name who called: the
// first that is there counts, the span's before its resource's. now is the
// time of a span without times, and what the limits on ts count from.
//
// Each span is in in or in rejected, by its place in the request; both are in
// order. What of a span becomes what stands in docs/otlp.md. Nothing returned
// holds on to body.
//
// Errors: EINVALID for a body that is not in the encoding, ETOOLARGE for more
// than Limits.Events spans of any kind, those of Reservation.Reserve. Then nothing is returned.
func Decode(body []byte, e Encoding, consumers []string, now time.Time, l wire.Limits) (in []weir.Incoming, rejected []weir.Rejection, err error) {
	t := &decoder{limits: l, now: now, consumers: consumers}
	if e == Protobuf {
		err = t.protobuf(body)
	} else {
		err = t.json(body)
	}
	if lack := l.Memory.Err(); lack != nil {
		err = lack
	}
	if err != nil {
		return nil, nil, err
	}
	return t.in, t.rejected, nil
}

// decoder decodes one request.
type decoder struct {
	limits    wire.Limits
	now       time.Time
	consumers []string

	spans    int
	size     int // bytes of the span that is read
	in       []weir.Incoming
	rejected []weir.Rejection

	text     jsonscan.Scanner // of JSON
	resource attributes
	span     spanFields
	scratch  []byte
}

// spanFields is one span as it was read, over the body's memory.
type spanFields struct {
	traceID, spanID []byte
	name            []byte
	kind            int64
	start, end      uint64 // unix nanoseconds; 0 is unknown
	failed          bool   // its status is ERROR
	message         []byte // of its status
	exception       []byte // the message of its last exception
	attributes      attributes
}

// kindServer is SPAN_KIND_SERVER, statusError STATUS_CODE_ERROR.
const (
	kindServer  = 2
	statusError = 2
)

// next begins another span; the error is that of one too many.
func (t *decoder) next() error {
	if err := t.limits.Memory.Err(); err != nil {
		return err
	}
	if t.spans++; t.spans > t.limits.Events {
		return weir.Errorf(weir.ETOOLARGE, "over %d spans in one request", t.limits.Events)
	}
	t.span = spanFields{attributes: attributes{consumers: t.span.attributes.consumers[:0]}}
	return nil
}

func (t *decoder) reject(reason, detail string) {
	if t.limits.Memory.Reserve(wire.RejectionCost) != nil {
		return
	}
	t.rejected = append(t.rejected, weir.Rejection{Index: t.spans - 1, Reason: reason, Detail: detail})
}

// settle makes of the span that was read an event or a rejection.
func (t *decoder) settle() {
	s := &t.span
	switch {
	case s.kind != kindServer:
		t.reject(wire.ReasonNotServer, "")
		return
	case !isID(s.traceID, 16):
		t.reject(wire.ReasonSpanID, "trace id: want 16 bytes that are not all zero")
		return
	case !isID(s.spanID, 8):
		t.reject(wire.ReasonSpanID, "span id: want 8 bytes that are not all zero")
		return
	}
	c := caller{t: t}
	c.read()
	if c.reason != "" {
		t.reject(c.reason, c.detail)
		return
	}
	c.in.Index = t.spans - 1
	if h := t.limits.Memory; len(t.in) == cap(t.in) {
		var err error
		if t.in, err = h.Grow(t.in, max(len(t.in), 16)); err != nil {
			return
		}
	}
	if t.limits.Memory.Event(t.size+callSize) == nil {
		t.in = append(t.in, c.in)
	}
}

// callSize is what a weir.Call and an id made of a span's take, in bytes.
const callSize = 240

// idPrefix is before the trace id in an event's id.
const idPrefix = "t_"

func isID(b []byte, size int) bool {
	if len(b) != size {
		return false
	}
	for _, c := range b {
		if c != 0 {
			return true
		}
	}
	return false
}

// caller makes a call of a span and notes its first defect.
type caller struct {
	t              *decoder
	in             weir.Incoming
	reason, detail string
}

func (c *caller) defect(reason, detail string) {
	if c.reason == "" {
		c.reason, c.detail = reason, detail
	}
}

func (c *caller) read() {
	t, s := c.t, &c.t.span
	ev := &c.in.Event
	ev.Name = weir.NameCall
	ev.ID = idPrefix + hex.EncodeToString(s.traceID) + "-" + hex.EncodeToString(s.spanID)
	ev.Time = c.when()
	method, route, status := c.http()
	if rpcMethod, rpcRoute, rpcStatus, ok := c.rpc(); ok {
		method, route, status = first(method, rpcMethod), first(rpcRoute, route), rpcStatus
	}
	if route == "" {
		route = c.nameRoute(method)
	}
	if status == 0 && s.failed {
		status = 500
	}
	call := &weir.Call{
		Method: method, Route: route, Status: status, Consumer: c.consumer(),
		RequestBytes: c.size(attrRequestSize, attrOldRequestSize), ResponseBytes: c.size(attrResponseSize, attrOldResponseSize),
		Error: c.failure(), TraceID: ev.ID[len(idPrefix) : len(idPrefix)+2*len(s.traceID)],
	}
	if s.start > 0 && s.end >= s.start {
		call.LatencyMS = weir.Known(float64(s.end-s.start) / 1e6)
	}
	ev.Call = call
	ev.Path = c.path()
	ev.Library = c.library()
	// A server that reports a call is not its visitor's device, though address
	// and user agent say where the call came from.
	c.in.Source = weir.Source{
		IP:        c.text(attrClientAddress, attrHTTPClientIP),
		UserAgent: c.text(attrUserAgent, attrHTTPUserAgent),
		Reported:  true,
	}
	ev.Properties = t.properties(c)
}

// when is when the call was answered, as in an access log: the span's end, else
// its start, else now.
func (c *caller) when() time.Time {
	s, l, now := &c.t.span, &c.t.limits, c.t.now
	ns := s.end
	if ns == 0 {
		ns = s.start
	}
	if ns == 0 {
		return now.UTC().Truncate(time.Microsecond)
	}
	at := time.UnixMicro(int64(ns / 1000)).UTC()
	switch {
	case at.Before(l.Oldest):
		c.defect(wire.ReasonTimeAncient, "before "+l.Oldest.UTC().Format(time.DateOnly))
	case at.After(now.Add(l.Future)):
		c.defect(wire.ReasonTimeFuture, "over "+l.Future.String()+" ahead")
	}
	return at
}

// text returns the first of the attributes that the span has, as text; "" without any.
func (c *caller) text(keys ...attr) string {
	for _, k := range keys {
		if s := c.string(k.String(), c.t.span.attributes.known[k]); s != "" {
			return s
		}
	}
	return ""
}

// string is a value as text that may be stored; its defects are the span's.
func (c *caller) string(name string, v value) string {
	b := v.text(&c.t.scratch)
	switch {
	case len(b) > c.t.limits.String:
		c.defect(wire.ReasonStringTooLong, fmt.Sprintf("%s: %d bytes, at most %d", name, len(b), c.t.limits.String))
	case !utf8.Valid(b):
		c.defect(wire.ReasonInvalidUTF8, name)
	case bytes.IndexByte(b, 0) >= 0:
		c.defect(wire.ReasonNUL, name)
	default:
		return string(b)
	}
	return ""
}

// http reads the conventions for HTTP: those of today before those that were
// replaced in 2023 (semantic conventions 1.23).
func (c *caller) http() (method, route string, status int) {
	method = c.text(attrMethod, attrOldMethod)
	if method == "_OTHER" {
		method = first(c.text(attrMethodOriginal), method)
	}
	return method, c.text(attrRoute), c.status(c.t.span.attributes.first(attrStatus, attrOldStatus))
}

// status reads an HTTP status; 0 and a value that is no number are unknown.
func (c *caller) status(v value) int {
	n, ok := v.whole()
	switch {
	case !ok || n == 0:
		return 0
	case n < 100 || n > 599:
		c.defect(wire.ReasonStatus, "http.response.status_code: want 100 to 599, or 0")
		return 0
	}
	return int(n)
}

// size returns the size of a body. It is unknown if the attribute is not a whole number from 0 to
// weir.MaxBytes.
func (c *caller) size(k, old attr) weir.Number {
	n, ok := c.t.span.attributes.first(k, old).whole()
	if !ok || n < 0 || n > weir.MaxBytes {
		return weir.Number{}
	}
	return weir.Known(float64(n))
}

// failure returns why the call failed: the message of its last exception, else that of its status.
// A message that is too long is cut off. Bytes that are not text are replaced.
func (c *caller) failure() string {
	message := c.t.span.exception
	if len(message) == 0 {
		message = c.t.span.message
	}
	message = message[:min(len(message), weir.MaxError+utf8.UTFMax)]
	text := strings.ReplaceAll(strings.ToValidUTF8(string(message), "\uFFFD"), "\x00", "\uFFFD")
	return strings.TrimSpace(weir.CutError(text))
}

// nameRoute is the route of a span that names none: the span's name, which
// conventions keep low in number, without the method before it. A name that is
// the method alone is no route.
func (c *caller) nameRoute(method string) string {
	name := c.string("name", value{kind: valueText, raw: c.t.span.name})
	if method == "" {
		return name
	}
	for _, m := range [...]string{method, "HTTP"} { // HTTP stands for a method that is not known
		if rest, ok := strings.CutPrefix(name, m); ok && (rest == "" || rest[0] == ' ') {
			return strings.TrimSpace(rest)
		}
	}
	return name
}

// path is the target's path: never its query, which may hold secrets.
func (c *caller) path() string {
	if p := c.text(attrPath); p != "" {
		return stripQuery(p)
	}
	if p := c.text(attrTarget); strings.HasPrefix(p, "/") {
		return stripQuery(p)
	}
	if _, rest, ok := strings.Cut(c.text(attrURL), "://"); ok {
		if i := strings.IndexByte(rest, '/'); i >= 0 {
			return stripQuery(rest[i:])
		}
	}
	return ""
}

func stripQuery(s string) string {
	if i := strings.IndexAny(s, "?#"); i >= 0 {
		return s[:i]
	}
	return s
}

func (c *caller) consumer() string {
	for i, name := range c.t.consumers {
		for _, from := range [...]*attributes{&c.t.span.attributes, &c.t.resource} {
			for _, named := range from.consumers {
				if named.index == i {
					if s := c.string(name, named.value); s != "" {
						return s
					}
				}
			}
		}
	}
	return ""
}

// library names the SDK, such as opentelemetry-go/1.38.0.
func (c *caller) library() string {
	r := &c.t.resource
	get := func(k attr) string { return c.string(k.String(), r.known[k]) }
	name, language, version := get(attrSDKName), get(attrSDKLanguage), get(attrSDKVersion)
	if name == "" {
		return ""
	}
	if language != "" {
		name += "-" + language
	}
	if version != "" {
		name += "/" + version
	}
	return name
}

// maxProperty bounds a property's text, in bytes; the rest is cut off.
const maxProperty = 255

// properties are the attributes of propertyAttrs that the span or its resource
// has, as a JSON object.
func (t *decoder) properties(c *caller) []byte {
	b := []byte{'{'}
	for _, p := range propertyAttrs {
		from := &t.span.attributes
		if p.resource {
			from = &t.resource
		}
		v := from.first(p.from[0], p.from[len(p.from)-1])
		if v.kind == valueNone {
			continue
		}
		start := len(b)
		if len(b) > 1 {
			b = append(b, ',')
		}
		b = append(append(append(b, '"'), p.name...), '"', ':')
		text := v.text(&t.scratch)
		if len(text) == 0 {
			b = b[:start]
			continue
		}
		if len(text) > maxProperty {
			text = text[:maxProperty]
			for n := 0; n < utf8.UTFMax && !utf8.Valid(text); n++ { // not in the middle of a character
				text = text[:len(text)-1]
			}
		}
		b = append(b, '"')
		for _, r := range c.string(p.name, value{kind: valueText, raw: text}) {
			b = jsonscan.AppendEscaped(b, r)
		}
		b = append(b, '"')
	}
	if len(b) == 1 {
		return nil
	}
	return append(b, '}')
}

func first(a, b string) string {
	if a != "" {
		return a
	}
	return b
}
