package client

import (
	"encoding/json"
	"fmt"
	"math"
	"strconv"
	"time"
	"unicode/utf8"
)

// Version is that of the library, as events carry it.
const Version = "0.1.0"

// Event is one thing that happened. Only Name, or Call, must be set; strings
// that are unknown are empty.
type Event struct {
	ID   string    // sending it again under the same id adds nothing; a UUIDv7 when empty
	Name string    // 1 to 255 bytes; "api_call" when Call is set
	Time time.Time // when it happened; now when zero

	ProfileID string // the identified user
	DeviceID  string // the anonymous browser or machine
	SessionID string // the visit

	URL, Path, Title, Referrer string
	IP, UserAgent, Language    string // the visitor's, not the server's

	Revenue  float64 // 0 without a currency is none
	Currency string  // ISO 4217

	Properties map[string]any    // what encoding/json can write
	Groups     map[string]string // what the user belongs to: ids by type, such as company
	Call       *Call
}

// Call is an API request that was answered.
type Call struct {
	Method   string        // GET, POST, …
	Route    string        // the route's pattern, such as /users/{id}
	Status   int           // 100 to 599; anything else is sent as unknown
	Latency  time.Duration // sent to the microsecond; 0 is unknown
	Consumer string        // who called: a customer, a key's name; never the key itself

	RequestBytes  *int64 // size of the request's body; nil is unknown
	ResponseBytes *int64 // size of the response's body; nil is unknown
	Error         string // why the call failed; the server keeps the first 1,024 bytes
	TraceID       string // of the distributed trace
}

// What a field may be long at the most, in bytes; the server's own limits are not
// below. A route or a consumer that is longer is cut.
const (
	longestText = 2048
	longestName = 255
	// longestError is what the server keeps of an error.
	longestError = 1024
)

// append writes the event as one line of JSON without its end.
func (e *Event) append(b []byte) ([]byte, error) {
	b = append(b, `{"id":`...)
	b = appendText(b, e.ID, longestName)
	b = append(b, `,"name":`...)
	name := e.Name
	if e.Call != nil {
		name = "api_call"
	}
	b = appendText(b, name, longestName)
	b = append(b, `,"ts":`...)
	b = strconv.AppendInt(b, e.Time.UnixMicro(), 10)
	for _, f := range [...]struct{ key, value string }{
		{"profile_id", e.ProfileID},
		{"device_id", e.DeviceID},
		{"session_id", e.SessionID},
		{"url", e.URL},
		{"path", e.Path},
		{"title", e.Title},
		{"referrer", e.Referrer},
		{"ip", e.IP},
		{"user_agent", e.UserAgent},
		{"language", e.Language},
		{"currency", e.Currency},
	} {
		if f.value != "" {
			b = append(append(append(b, ',', '"'), f.key...), '"', ':')
			b = appendText(b, f.value, math.MaxInt)
		}
	}
	if e.Revenue != 0 || e.Currency != "" {
		if math.IsNaN(e.Revenue) || math.IsInf(e.Revenue, 0) {
			return b, fmt.Errorf("client: revenue is %v", e.Revenue)
		}
		b = append(b, `,"revenue":`...)
		b = strconv.AppendFloat(b, e.Revenue, 'f', -1, 64)
	}
	if len(e.Properties) > 0 {
		properties, err := json.Marshal(e.Properties)
		if err != nil {
			return b, fmt.Errorf("client: properties: %w", err)
		}
		b = append(append(b, `,"properties":`...), properties...)
	}
	if len(e.Groups) > 0 {
		groups, err := json.Marshal(e.Groups)
		if err != nil {
			return b, fmt.Errorf("client: groups: %w", err)
		}
		b = append(append(b, `,"groups":`...), groups...)
	}
	if e.Call != nil {
		b = e.Call.append(append(b, `,"call":`...))
	}
	return append(b, `,"library":"weir-go/`+Version+`"}`...), nil
}

func (c *Call) append(b []byte) []byte {
	b = append(b, `{"method":`...)
	b = appendText(b, c.Method, longestName)
	b = append(b, `,"route":`...)
	b = appendText(b, c.Route, longestText)
	if c.Status >= 100 && c.Status <= 599 {
		b = append(b, `,"status":`...)
		b = strconv.AppendInt(b, int64(c.Status), 10)
	}
	if c.Latency > 0 {
		us := max(c.Latency.Microseconds(), 1) // what was measured is not unknown
		b = append(b, `,"latency_ms":`...)
		b = strconv.AppendInt(b, us/1000, 10)
		b = append(b, '.', byte('0'+us/100%10), byte('0'+us/10%10), byte('0'+us%10))
	}
	if c.Consumer != "" {
		b = append(b, `,"consumer":`...)
		b = appendText(b, c.Consumer, longestText)
	}
	b = appendSize(b, "request_bytes", c.RequestBytes)
	b = appendSize(b, "response_bytes", c.ResponseBytes)
	if c.Error != "" {
		b = append(b, `,"error":`...)
		b = appendText(b, c.Error, longestError)
	}
	if c.TraceID != "" {
		b = append(b, `,"trace_id":`...)
		b = appendText(b, c.TraceID, longestName)
	}
	return append(b, '}')
}

// appendSize writes a member, unless the size is unknown.
func appendSize(b []byte, name string, size *int64) []byte {
	if size == nil || *size < 0 || *size > 1<<53 {
		return b
	}
	b = append(append(append(b, ',', '"'), name...), '"', ':')
	return strconv.AppendInt(b, *size, 10)
}

// appendText writes a JSON string of at most so many bytes. The server takes
// neither invalid UTF-8 nor NUL: each becomes U+FFFD.
func appendText(b []byte, s string, longest int) []byte {
	if len(s) > longest {
		s = s[:longest]
		for i := 0; i < utf8.UTFMax && len(s) > 0; i++ { // not in the middle of a character
			if r, n := utf8.DecodeLastRuneInString(s); r != utf8.RuneError || n != 1 {
				break
			}
			s = s[:len(s)-1]
		}
	}
	b = append(b, '"')
	from := 0
	for i := 0; i < len(s); {
		c := s[i]
		if c >= utf8.RuneSelf {
			r, n := utf8.DecodeRuneInString(s[i:])
			if r == utf8.RuneError && n == 1 {
				b = append(append(b, s[from:i]...), "\ufffd"...)
				from = i + 1
			}
			i += n
			continue
		}
		if c >= ' ' && c != '"' && c != '\\' {
			i++
			continue
		}
		b = append(b, s[from:i]...)
		switch {
		case c == 0:
			b = append(b, "\ufffd"...)
		case c < ' ':
			const hex = "0123456789abcdef"
			b = append(b, '\\', 'u', '0', '0', hex[c>>4], hex[c&15])
		default:
			b = append(b, '\\', c)
		}
		i++
		from = i
	}
	return append(append(b, s[from:]...), '"')
}
