package accesslog

import (
	"math"
	"net/url"
	"strconv"
	"strings"
	"time"

	weir "github.com/weir-analytics/weir"
)

// values puts texts into the fields of an Entry: the same text means the same in every format.
type values struct {
	zone          *time.Location
	takeForwarded bool   // X-Forwarded-For before any other address
	timeName      string // what the time is called, for errors
	missing       string // what to say of a line without a request

	// Of the line.
	peerIP, forwarded     string
	date, clock           string
	path, query           string
	timed                 bool    // a latency was there, known or not
	parts                 float64 // milliseconds, the sum so far
	partial, errorOfCaddy bool

	wholeRequest, wholeResponse weir.Number
}

func newValues(o Options) values {
	v := values{zone: o.Zone, takeForwarded: o.ForwardedFor, timeName: "ts", missing: "no request in the line"}
	if v.zone == nil {
		v.zone = time.UTC
	}
	return v
}

// begin empties e, and forgets the line before.
func (p *values) begin(e *Entry) {
	*e = Entry{}
	*p = values{zone: p.zone, takeForwarded: p.takeForwarded, timeName: p.timeName, missing: p.missing}
}

// setText returns why s is no value of the field, or "". The text "-" and "" is unknown.
func (p *values) setText(f field, s string, isText bool, e *Entry) (reason string) {
	p.timed = p.timed || f.isLatency() || f == fieldTimers || f == fieldPartS
	if s == "-" && f == fieldBytesOrDash {
		e.ResponseBytes = weir.Known(0)
		return ""
	}
	if s == "" || s == "-" {
		p.partial = p.partial || f == fieldPartS
		return ""
	}
	var ok bool
	switch f {
	case fieldTime:
		if e.Time, ok = p.time(s, isText); !ok {
			return "not a time: " + excerpt(s)
		}
	case fieldDate:
		p.date = s
	case fieldClock:
		p.clock = s
	case fieldIP:
		if e.IP, ok = client(s); !ok {
			return "not an address: " + excerpt(s)
		}
	case fieldPeerIP:
		p.peerIP, _ = client(s)
	case fieldForwarded:
		p.forwarded, _ = client(s)
	case fieldIdent:
		if isAddress(s) {
			return "the client's identity is an address: this is another format"
		}
	case fieldUser:
		if first, _, _ := strings.Cut(s, " "); first == "-" || isAddress(first) {
			return "not a user: " + excerpt(s) + ": this is another format"
		}
		if s != `""` {
			e.User = s
		}
	case fieldMethod:
		if !isMethod(s) {
			return "not an HTTP method: " + excerpt(s)
		}
		e.Method = s
	case fieldURI:
		e.URI, e.Path = s, ""
	case fieldPath:
		p.path = s
	case fieldQuery:
		p.query = strings.TrimPrefix(s, "?")
	case fieldRequest:
		return setRequest(s, e)
	case fieldProto:
		e.Proto = s
	case fieldStatus:
		if e.Status, ok = parseStatus(s); !ok {
			return "not an HTTP status: " + excerpt(s)
		}
	case fieldBytes, fieldBytesOrDash, fieldRequestBytes, fieldWholeResponse, fieldWholeRequest:
		n, ok := parseSize(s)
		if !ok {
			return "not a size in bytes: " + excerpt(s)
		}
		switch f {
		case fieldRequestBytes:
			e.RequestBytes = n
		case fieldWholeResponse:
			p.wholeResponse = n
		case fieldWholeRequest:
			p.wholeRequest = n
		default:
			e.ResponseBytes = n
		}
	case fieldError:
		e.Error = weir.CutError(s)
	case fieldTraceID:
		e.TraceID = traceID(s)
	case fieldTraceHeader:
		e.TraceID = traceOf(s)
	case fieldReferrer:
		e.Referrer = s
	case fieldUserAgent, fieldAgentPlus, fieldEscaped:
		e.UserAgent = userAgent(f, s)
	case fieldConsumer:
		e.Consumer = s
	case fieldHost:
		e.Host = hostName(s)
	case fieldPort:
		if _, ok := digits(s); !ok {
			return "not a port: " + excerpt(s)
		}
	case fieldLogger:
		p.errorOfCaddy = s == "http.log.error" || strings.HasPrefix(s, "http.log.error.")
	case fieldTimers:
		total := strings.TrimPrefix(s[strings.LastIndexByte(s, '/')+1:], "+")
		if total == "-1" || total == s {
			if total == s {
				return "not HAProxy's timers: " + excerpt(s)
			}
			return ""
		}
		return p.setText(fieldLatencyMS, total, isText, e)
	case fieldPartS:
		if strings.HasPrefix(s, "-1") { // the request did not come that far
			p.partial = true
			return ""
		}
		ms, ok := duration(fieldLatencyS, s)
		if !ok {
			return "not a duration: " + excerpt(s)
		}
		p.parts += ms
		e.LatencyMS = weir.Known(round(p.parts))
	case fieldLatencyNS, fieldLatencyUS, fieldLatencyMS, fieldLatencyS:
		ms, ok := duration(f, s)
		if !ok {
			return "not a duration: " + excerpt(s)
		}
		e.LatencyMS = weir.Known(ms)
	}
	return ""
}

// finish completes what several fields say together. It returns what the line lacks.
func (p *values) finish(e *Entry) error {
	if p.errorOfCaddy {
		return leftOut("an error that Caddy logs beside the line of its request")
	}
	switch {
	case p.forwarded != "" && (p.takeForwarded || e.IP == ""):
		e.IP = p.forwarded
	case e.IP == "":
		e.IP = p.peerIP
	}
	if p.partial {
		e.LatencyMS = weir.Number{}
	}
	if !e.RequestBytes.Known {
		e.RequestBytes = p.wholeRequest
	}
	if !e.ResponseBytes.Known {
		e.ResponseBytes = p.wholeResponse
	}
	if p.date != "" && p.clock != "" {
		var ok bool
		if e.Time, ok = p.time(p.date+" "+p.clock, true); !ok {
			return syntaxError(0, "not a time: %s", excerpt(p.date+" "+p.clock))
		}
	}
	if e.URI == "" && p.path != "" {
		e.URI = p.path
		if p.query != "" {
			e.URI += "?" + p.query
		}
	}
	if e.URI == "" {
		return syntaxError(0, "%s", p.missing)
	}
	if e.Time.IsZero() {
		return syntaxError(0, "no time: there is no %q", p.timeName)
	}
	// Routes that are no URIs, such as package.Service/Method, stand for themselves.
	if e.Path == "" && !setURI(e.URI, e) {
		e.Path = e.URI
	}
	return nil
}

// plusIsSpace undoes what IIS does to spaces, but for a plus behind one, as in "+http://bot.example".
var plusIsSpace = strings.NewReplacer("++", " +", "+", " ")

// userAgent undoes how a server writes spaces.
func userAgent(f field, s string) string {
	switch f {
	case fieldAgentPlus:
		return plusIsSpace.Replace(s)
	case fieldEscaped:
		for range 2 { // older logs of CloudFront have %2520
			if plain, err := url.PathUnescape(s); err == nil {
				s = clean(plain)
			}
		}
	}
	return s
}

// parseStatus takes nginx's 000, a connection that closed before a reply, and the -1
// of HAProxy for unknown.
func parseStatus(s string) (int, bool) {
	n, ok := digits(s)
	switch {
	case s == "000", s == "0", s == "-1":
		return 0, true
	case !ok || len(s) != 3 || n < 100 || n > 599:
		return 0, false
	}
	return n, true
}

func parseSize(s string) (weir.Number, bool) {
	if _, ok := digits(s); !ok {
		return weir.Number{}, false
	}
	n, err := strconv.ParseInt(s, 10, 64)
	return weir.Known(float64(n)), err == nil && n <= weir.MaxBytes
}

// maxTraceID is the length of the longest trace id. A longer text is no trace id.
const maxTraceID = 128

func traceID(s string) string {
	if len(s) > maxTraceID {
		return ""
	}
	return s
}

// traceOf returns the id of the trace that a header names: the second part of 00-4bf9…-00f0…-01
// (www.w3.org/TR/trace-context), and what is behind Root= in AWS's X-Amzn-Trace-Id.
func traceOf(s string) string {
	if parts := strings.Split(s, "-"); len(parts) == 4 && len(parts[0]) == 2 && len(parts[1]) == 32 {
		return parts[1]
	}
	for part := range strings.SplitSeq(s, ";") {
		if root, ok := strings.CutPrefix(part, "Root="); ok {
			return traceID(root)
		}
	}
	return ""
}

func excerpt(s string) string {
	if len(s) > 40 {
		return strconv.Quote(s[:40]) + "…"
	}
	return strconv.Quote(s)
}

// duration returns milliseconds of a number in the field's unit, or of text with a
// unit of its own such as "1.5s".
func duration(f field, s string) (ms float64, ok bool) {
	unit := map[field]float64{fieldLatencyNS: 1e-6, fieldLatencyUS: 1e-3, fieldLatencyMS: 1, fieldLatencyS: 1e3}[f]
	n, err := strconv.ParseFloat(s, 64)
	if err != nil {
		d, err := time.ParseDuration(s)
		return float64(d) / float64(time.Millisecond), err == nil && d >= 0
	}
	n = round(n * unit)
	return n, n >= 0 && n <= maxLatencyMS
}

// round returns milliseconds to the nanosecond, without the noise of a product or a sum.
func round(ms float64) float64 { return math.Round(ms*1e6) / 1e6 }

// maxLatencyMS is a year; beyond it the unit is wrong, or the number is.
const maxLatencyMS = 365 * 24 * 3600 * 1000

// Layouts of time that loggers write, tried in order.
var timeLayouts = []string{
	time.RFC3339Nano,
	"2006-01-02T15:04:05.999999999Z0700",
	"2006-01-02 15:04:05.999999999Z07:00",
	"2006-01-02 15:04:05.999999999 -0700",
	"2006-01-02 15:04:05.999999999 -07:00",
	"2006-01-02T15:04:05.999999999",
	"2006-01-02 15:04:05.999999999",
	"2006/01/02 15:04:05.999999999", // Caddy's "wall"
	time.RFC1123,
	time.RFC1123Z,
	time.UnixDate,
}

// time reads seconds since 1970, or milli-, micro- or nanoseconds, told by
// their size; or text in one of the usual layouts.
func (p *values) time(s string, isText bool) (time.Time, bool) {
	if isText && len(s) > 2 && s[2] == '/' {
		return clfTime(s, p.zone)
	}
	if t, ok := unixTime(s); ok && t.Unix() >= fromSeconds || !isText {
		return t, ok && t.Unix() >= fromSeconds
	}
	if t, ok := clfTime(strings.Trim(s, "[]"), p.zone); ok {
		return t, true
	}
	// A comma before the fraction is a European logger's point.
	s = strings.Replace(s, ",", ".", 1)
	for _, layout := range timeLayouts {
		if t, err := time.ParseInLocation(layout, s, p.zone); err == nil {
			return t.UTC().Truncate(time.Microsecond), inRange(t)
		}
	}
	return time.Time{}, false
}

// Sizes from which a count since 1970 is of a finer unit than seconds. As
// seconds, the first is the year 5138.
const (
	fromMillis = 1e11
	fromMicros = 1e14
	fromNanos  = 1e17
)

// fromSeconds is the least unix time that is read as one, of the year 1973: 20240102 is
// a date, which no log writes so.
const fromSeconds = 1e8

// unixTime reads digits exactly, so that the microseconds are those of the log.
func unixTime(s string) (time.Time, bool) {
	whole, part, _ := strings.Cut(s, ".")
	n, err := strconv.ParseInt(whole, 10, 64)
	if err != nil || n < 0 {
		return floatTime(s)
	}
	switch {
	case n >= fromNanos:
		return time.Unix(0, n).UTC().Truncate(time.Microsecond), true
	case n >= fromMicros:
		return time.UnixMicro(n).UTC(), true
	case n >= fromMillis:
		return floatTime(s)
	}
	nanos := 0
	if part != "" {
		f, size, ok := fraction(part)
		if !ok || size != len(part) {
			return floatTime(s)
		}
		nanos = f
	}
	return time.Unix(n, int64(nanos)).UTC().Truncate(time.Microsecond), true
}

func floatTime(s string) (time.Time, bool) {
	n, err := strconv.ParseFloat(s, 64)
	if err != nil || n < 0 || math.IsNaN(n) || n >= 1e20 {
		return time.Time{}, false
	}
	micros := n * 1e6
	switch {
	case n >= fromNanos:
		micros = n / 1e3
	case n >= fromMicros:
		micros = n
	case n >= fromMillis:
		micros = n * 1e3
	}
	t := time.UnixMicro(int64(micros)).UTC()
	return t, inRange(t)
}
