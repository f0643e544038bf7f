package accesslog

import (
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/go-json-experiment/json/jsontext"
	weir "github.com/weir-analytics/weir"
)

// set puts a JSON string or number into its field. The text "-" and "" is
// unknown.
func (p *jsonLines) set(f field, raw jsontext.Value, e *Entry) error {
	column := int(p.dec.InputOffset()) - len(raw) + 1
	var s string
	isText := raw[0] == '"'
	if isText {
		text, err := p.unquote(raw)
		if err != nil {
			return err
		}
		s = clean(string(text))
	} else {
		s = string(raw)
	}
	if s == "" || s == "-" {
		return nil
	}
	if reason := p.setText(f, s, isText, e); reason != "" {
		return syntaxError(column, "%s", reason)
	}
	return nil
}

// setText returns why s is no value of the field, or "".
func (p *jsonLines) setText(f field, s string, isText bool, e *Entry) (reason string) {
	var ok bool
	switch f {
	case fieldTime:
		if e.Time, ok = jsonTime(s, isText); !ok {
			return "not a time: " + excerpt(s)
		}
	case fieldIP:
		e.IP = address(s)
	case fieldPeerIP:
		p.peerIP = address(s)
	case fieldUser:
		e.User = s
	case fieldMethod:
		if !isMethod(s) {
			return "not an HTTP method: " + excerpt(s)
		}
		e.Method = s
	case fieldURI:
		e.URI, e.Path = s, ""
	case fieldRequest:
		return setRequest(s, e)
	case fieldProto:
		e.Proto = s
	case fieldStatus:
		if e.Status, ok = parseStatus(s); !ok {
			return "not an HTTP status: " + excerpt(s)
		}
	case fieldBytes:
		if e.Bytes, ok = parseSize(s); !ok {
			return "not a size in bytes: " + excerpt(s)
		}
	case fieldReferrer:
		e.Referrer = s
	case fieldUserAgent:
		e.UserAgent = s
	case fieldConsumer:
		e.Consumer = s
	case fieldHost:
		e.Host = s
	case fieldLatencyNS, fieldLatencyUS, fieldLatencyMS, fieldLatencyS:
		if e.LatencyMS, ok = latency(f, s); !ok {
			return "not a duration: " + excerpt(s)
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

// latency is milliseconds out of a number in the field's unit, or of text with a
// unit of its own such as "1.5s".
func latency(f field, s string) (weir.Number, bool) {
	ms := map[field]float64{fieldLatencyNS: 1e-6, fieldLatencyUS: 1e-3, fieldLatencyMS: 1, fieldLatencyS: 1e3}[f]
	n, err := strconv.ParseFloat(s, 64)
	if err != nil {
		d, err := time.ParseDuration(s)
		return weir.Known(float64(d) / float64(time.Millisecond)), err == nil && d >= 0
	}
	n = math.Round(n*ms*1e6) / 1e6 // to the nanosecond, without the noise of the product
	return weir.Known(n), n >= 0 && n <= maxLatencyMS
}

// maxLatencyMS is a year; beyond it the unit is wrong, or the number is.
const maxLatencyMS = 365 * 24 * 3600 * 1000

// Layouts of time that loggers write, tried in order. Without a zone it is UTC.
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

// jsonTime reads seconds since 1970, or milli-, micro- or nanoseconds, told by
// their size; or text in one of the usual layouts.
func jsonTime(s string, isText bool) (time.Time, bool) {
	if t, ok := unixTime(s); ok && t.Unix() >= fromSeconds || !isText {
		return t, ok && t.Unix() >= fromSeconds
	}
	if t, ok := clfTime(strings.Trim(s, "[]")); ok {
		return t, true
	}
	// A comma before the fraction is a European logger's point.
	s = strings.Replace(s, ",", ".", 1)
	for _, layout := range timeLayouts {
		if t, err := time.Parse(layout, s); err == nil {
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
