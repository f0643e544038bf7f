package accesslog

import (
	"fmt"
	"strings"
)

// word is a field as a layout names it.
type word struct {
	field field
	text  string // as the layout has it, for errors
	time  string // layout of the time, of package time; "" is any that is known
}

// what returns what a field is, for errors.
func (w word) what() string {
	if s, ok := fieldTitles[w.field]; ok {
		return s
	}
	return w.text
}

var fieldTitles = map[field]string{
	fieldTime: "the time", fieldIP: "the client's address", fieldIdent: "the client's identity, or -", fieldUser: "the user, or -",
	fieldRequest: "the request", fieldStatus: "the status", fieldBytes: "the size", fieldBytesOrDash: "the size, or -", fieldReferrer: "the referrer",
	fieldUserAgent: "the user agent", fieldHost: "the host", fieldPort: "the port",
}

// isWord says whether the field has no spaces, but for those after the commas of a list.
func (w word) isWord() bool {
	switch w.field {
	case fieldTime, fieldUser, fieldRequest, fieldUserAgent, fieldReferrer, fieldURI, fieldNone:
		return false
	}
	return true
}

// setWord puts the text of a layout's field into e. It returns why it is no value of the field, or "".
func (p *values) setWord(w word, s string, e *Entry) (reason string) {
	switch {
	case w.field == fieldRequest:
		return setRequest(s, e) // of which "-" is none
	case w.time != "":
		t, err := timeIn(w.time, s, p.zone)
		if err != nil {
			return "not a time: " + excerpt(s)
		}
		e.Time = t
		return ""
	}
	return p.setText(w.field, s, true, e)
}

// nginxWords are the variables of nginx's log_format, and a few of this package. Others are skipped.
// https://nginx.org/en/docs/http/ngx_http_core_module.html#variables
var nginxWords = map[string]field{
	"remote_addr": fieldIP, "remote_user": fieldUser, "time_local": fieldTime, "time_iso8601": fieldTime, "msec": fieldTime,
	"request": fieldRequest, "request_method": fieldMethod, "request_uri": fieldURI, "uri": fieldPath, "document_uri": fieldPath,
	"args": fieldQuery, "query_string": fieldQuery, "server_protocol": fieldProto, "status": fieldStatus,
	"body_bytes_sent": fieldBytes, "bytes_sent": fieldWholeResponse, "request_length": fieldWholeRequest, "content_length": fieldRequestBytes, "http_referer": fieldReferrer, "http_user_agent": fieldUserAgent,
	"http_x_forwarded_for": fieldForwarded, "proxy_add_x_forwarded_for": fieldForwarded, "http_x_real_ip": fieldPeerIP,
	"host": fieldHost, "http_host": fieldHost, "server_name": fieldHost, "request_time": fieldLatencyS,
	"http_traceparent": fieldTraceHeader, "http_x_amzn_trace_id": fieldTraceHeader, "otel_trace_id": fieldTraceID, "opentelemetry_trace_id": fieldTraceID,

	"part_time": fieldPartS, "timers": fieldTimers, "total_ms": fieldLatencyMS,
	"received": fieldWholeRequest, "bytes_or_dash": fieldBytesOrDash, "trace": fieldTraceHeader, "error_code": fieldError,
}

// apacheWords are the directives of Apache's LogFormat. Others are skipped.
// https://httpd.apache.org/docs/2.4/mod/mod_log_config.html#formats
var apacheWords = map[string]field{
	"h": fieldIP, "a": fieldIP, "{c}a": fieldPeerIP, "l": fieldIdent, "u": fieldUser, "t": fieldTime, "r": fieldRequest,
	"m": fieldMethod, "U": fieldPath, "q": fieldQuery, "H": fieldProto, "s": fieldStatus, "b": fieldBytesOrDash, "B": fieldBytes, "O": fieldWholeResponse, "I": fieldWholeRequest,
	"v": fieldHost, "V": fieldHost, "p": fieldPort, "D": fieldLatencyUS, "T": fieldLatencyS,
	"{s}T": fieldLatencyS, "{ms}T": fieldLatencyMS, "{us}T": fieldLatencyUS, "{sec}t": fieldTime, "{msec}t": fieldTime, "{usec}t": fieldTime,
	"{referer}i": fieldReferrer, "{user-agent}i": fieldUserAgent, "{x-forwarded-for}i": fieldForwarded, "{x-real-ip}i": fieldPeerIP, "{host}i": fieldHost,
	"{content-length}i": fieldRequestBytes, "{traceparent}i": fieldTraceHeader,
}

// compile reads a layout: what stands behind log_format in nginx's configuration, or behind
// LogFormat in Apache's. The words $name and %x are fields, all else is text between them. tail is the text
// behind the last field.
func compile(text string) (parts []part, tail string, err error) {
	text = strings.NewReplacer(`\"`, `"`, `\t`, "\t", "$uri$is_args$args", "$request_uri", "$is_args$args", "$args", "%U%q", "$request_uri").Replace(text)
	seen := map[field]bool{}
	for rest := text; rest != ""; {
		var w word
		size := 0
		switch rest[0] {
		case '$':
			w, size = nginxWord(rest)
		case '%':
			if strings.HasPrefix(rest, "%%") {
				tail, rest = tail+"%", rest[2:]
				continue
			}
			w, size, err = apacheWord(rest)
		}
		if err != nil {
			return nil, "", err
		}
		if size == 0 {
			tail, rest = tail+rest[:1], rest[1:]
			continue
		}
		if rest = rest[size:]; w.text == "%t" {
			tail, rest = tail+"[", "]"+rest
		}
		if tail == "" && len(parts) > 0 {
			return nil, "", fmt.Errorf("accesslog: format %q: there is nothing between %s and %s to tell them apart", text, parts[len(parts)-1].text, w.text)
		}
		parts, tail = append(parts, part{tail, w}), ""
		seen[w.field] = true
	}
	switch {
	case !seen[fieldTime]:
		return nil, "", fmt.Errorf("accesslog: format %q has no time: $time_local, $time_iso8601, $msec or %%t", text)
	case !seen[fieldRequest] && !seen[fieldURI] && !seen[fieldPath]:
		return nil, "", fmt.Errorf("accesslog: format %q has no request: $request, $request_uri, $uri, %%r or %%U", text)
	}
	return parts, tail, nil
}

// nginxWord reads $name or ${name}.
func nginxWord(s string) (w word, size int) {
	isName := func(c byte) bool {
		return c == '_' || c >= '0' && c <= '9' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z'
	}
	if strings.HasPrefix(s, "${") {
		if n := strings.IndexByte(s, '}'); n > 0 {
			return word{field: nginxWords[s[2:n]], text: s[:n+1]}, n + 1
		}
	}
	size = 1
	for size < len(s) && isName(s[size]) {
		size++
	}
	if size == 1 {
		return word{}, 0
	}
	return word{field: nginxWords[s[1:size]], text: s[:size]}, size
}

// apacheWord reads %x, %>s, %!200,304{name}i and the like.
func apacheWord(s string) (w word, size int, err error) {
	i := 1
	for i < len(s) && strings.IndexByte("!,<>0123456789", s[i]) >= 0 {
		i++
	}
	name := ""
	if i < len(s) && s[i] == '{' {
		n := strings.IndexByte(s[i:], '}')
		if n < 0 {
			return w, 0, fmt.Errorf("accesslog: format: %.20q has no closing brace", s)
		}
		name, i = s[i:i+n+1], i+n+1
	}
	if i < len(s) && s[i] == '^' {
		i += 2 // %^FU and %^FB
	}
	if i >= len(s) {
		return w, 0, fmt.Errorf("accesslog: format: %q is no word of Apache's", s)
	}
	directive := s[i : i+1]
	w.text, size = s[:i+1], i+1
	switch {
	case directive == "i":
		w.field = apacheWords[strings.ToLower(name)+directive]
	case name != "" && directive == "t" && apacheWords[name+directive] == fieldNone:
		w.field, w.time = fieldTime, timeLayout(name[1:len(name)-1])
		if strings.Contains(w.time, "%") {
			return w, 0, fmt.Errorf("accesslog: format: the time %s is not understood", w.text)
		}
	default:
		w.field = apacheWords[name+directive]
	}
	return w, size, nil
}
