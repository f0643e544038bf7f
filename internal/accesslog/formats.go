package accesslog

// Format names a log's layout, or is the layout itself in nginx's or Apache's words.
type Format string

// The formats that other code names.
const (
	Auto     Format = "auto"     // the first of the others that can read a line of the log
	JSON     Format = "json"     // JSON lines by a Mapping
	Combined Format = "combined" // Apache's and nginx's "combined"; fields after it are skipped
	Common   Format = "common"
	Nginx    Format = "nginx" // "combined", and a request time somewhere after it
	Caddy    Format = "caddy"
)

// rest says what becomes of text after a layout's last field.
type rest int

const (
	restRefused rest = iota
	restSkipped      // fields must be whole
	restSeconds      // nginx's request time is taken from them
)

const (
	apacheClient  = `%h %l %u %t `
	apacheCommon  = apacheClient + `"%r" %>s %b`
	apacheTail    = ` "%{Referer}i" "%{User-Agent}i"`
	apacheVirtual = ` %l %u %t "%r" %>s %b` + apacheTail
)

// format is a line of the table of formats. A format has layouts of text, members of JSON, or
// the names of W3C's fields.
type format struct {
	name    Format
	layouts []string // the first that can read a line does
	rest    rest
	members map[string]field // by dotted path
	fields  string           // those of a log of W3C's format that has lost its #Fields line
	only    bool             // Auto does not try it, since others read the same lines
}

// formats are all formats but Auto and JSON. Auto tries them in this order: what more
// lines would fit comes later.
var formats = []format{
	// Caddy 2's access log, encoder "json".
	{name: Caddy, members: map[string]field{
		"ts": fieldTime, "user_id": fieldUser, "duration": fieldLatencyS, "status": fieldStatus, "size": fieldBytes, "logger": fieldLogger,
		"bytes_read": fieldRequestBytes, "traceID": fieldTraceID,
		"request.client_ip": fieldIP, "request.remote_ip": fieldPeerIP, "request.method": fieldMethod, "request.uri": fieldURI,
		"request.proto": fieldProto, "request.host": fieldHost, "request.headers.User-Agent": fieldUserAgent,
		"request.headers.Referer": fieldReferrer, "request.headers.X-Forwarded-For": fieldForwarded,
	}},
	// https://doc.traefik.io/traefik/observability/access-logs/, as text ("common") and as JSON.
	{name: "traefik", layouts: []string{apacheCommon + apacheTail + ` $requests "$router" "$server" %{ms}T`}, members: map[string]field{
		"StartUTC": fieldTime, "ClientHost": fieldIP, "ClientAddr": fieldPeerIP, "ClientUsername": fieldUser, "RequestMethod": fieldMethod,
		"RequestPath": fieldURI, "RequestProtocol": fieldProto, "RequestHost": fieldHost, "DownstreamStatus": fieldStatus,
		"DownstreamContentSize": fieldBytes, "RequestContentSize": fieldRequestBytes, "TraceId": fieldTraceID, "Duration": fieldLatencyNS, "request_User-Agent": fieldUserAgent,
		"request_Referer": fieldReferrer, "request_X-Forwarded-For": fieldForwarded,
	}},
	// https://developers.cloudflare.com/logs/logpush/logpush-job/datasets/zone/http_requests/
	{name: "cloudflare", members: map[string]field{
		"EdgeStartTimestamp": fieldTime, "ClientIP": fieldIP, "ClientRequestMethod": fieldMethod, "ClientRequestURI": fieldURI,
		"ClientRequestProtocol": fieldProto, "ClientRequestHost": fieldHost, "ClientRequestReferer": fieldReferrer,
		"ClientRequestUserAgent": fieldUserAgent, "EdgeResponseStatus": fieldStatus, "EdgeResponseBytes": fieldWholeResponse,
		"EdgeResponseBodyBytes": fieldBytes, "ClientRequestBytes": fieldWholeRequest,
		"EdgeTimeToFirstByteMs": fieldLatencyMS,
	}},
	// https://docs.aws.amazon.com/elasticloadbalancing/latest/application/load-balancer-access-logs.html
	{name: "alb", rest: restSkipped, layouts: []string{
		`$alb_type $time_iso8601 $elb $remote_addr $target $part_time $part_time $part_time $status $target_status $received $bytes_sent "$request" "$http_user_agent" ` +
			`$cipher $protocol $group "$trace" "$host"`,
	}},
	// https://docs.aws.amazon.com/AmazonS3/latest/userguide/LogFormat.html
	{name: "s3", rest: restSkipped, layouts: []string{
		`$owner $bucket [$time_local] $remote_addr $remote_user $id $operation $key "$request" $status $error_code $bytes_or_dash $size $total_ms $turn "$http_referer" "$http_user_agent" ` +
			`$version $hostid $signature $cipher $auth $host`,
		`$owner $bucket [$time_local] $remote_addr $remote_user $id $operation $key "$request" $status $error_code $bytes_or_dash $size $total_ms $turn "$http_referer" "$http_user_agent"`,
	}},
	// https://docs.haproxy.org/3.0/configuration.html#8.2.3, "option httplog", bare or behind syslog's words.
	{name: "haproxy", rest: restSkipped, layouts: []string{
		`$remote_addr [$time_local] $frontend $backend $timers $status $bytes_sent $cookie $cookie $ended $conns $queues "$request"`,
		`$remote_addr [$time_local] $frontend $backend $timers $status $bytes_sent $cookie $cookie $ended $conns $queues {$captured "$request"`,
		`$syslog]: $remote_addr [$time_local] $frontend $backend $timers $status $bytes_sent $cookie $cookie $ended $conns $queues "$request"`,
		`$syslog]: $remote_addr [$time_local] $frontend $backend $timers $status $bytes_sent $cookie $cookie $ended $conns $queues {$captured "$request"`,
	}},
	// https://learn.microsoft.com/en-us/windows/win32/http/w3c-logging, the fields that IIS selects itself.
	{name: "iis", fields: "date time s-ip cs-method cs-uri-stem cs-uri-query s-port cs-username c-ip cs(User-Agent) cs(Referer) sc-status sc-substatus sc-win32-status time-taken"},
	// https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/standard-logs-reference.html
	{name: "cloudfront", fields: "date time x-edge-location sc-bytes c-ip cs-method cs(Host) cs-uri-stem sc-status cs(Referer) cs(User-Agent) cs-uri-query cs(Cookie) " +
		"x-edge-result-type x-edge-request-id x-host-header cs-protocol cs-bytes time-taken x-forwarded-for ssl-protocol ssl-cipher x-edge-response-result-type " +
		"cs-protocol-version fle-status fle-encrypted-fields c-port time-to-first-byte x-edge-detailed-result-type sc-content-type sc-content-len sc-range-start sc-range-end"},
	// Debian's vhost_combined, and the same without a port.
	{name: "vhost_combined", rest: restSkipped, layouts: []string{`%v:%p %h` + apacheVirtual, `%v %a` + apacheVirtual}},
	// "combined" with how long a request took behind it: a whole number does not say its unit.
	{name: "combined_us", only: true, rest: restSkipped, layouts: []string{apacheCommon + apacheTail + ` %D`, `%v:%p %h` + apacheVirtual + ` %D`}},
	{name: "combined_ms", only: true, rest: restSkipped, layouts: []string{apacheCommon + apacheTail + ` %{ms}T`, `%v:%p %h` + apacheVirtual + ` %{ms}T`}},
	{name: "combined_s", only: true, rest: restSkipped, layouts: []string{apacheCommon + apacheTail + ` %T`, `%v:%p %h` + apacheVirtual + ` %T`}},
	{name: Nginx, rest: restSeconds, layouts: []string{apacheCommon + apacheTail}},
	{name: Combined, rest: restSkipped, layouts: []string{apacheCommon + apacheTail}},
	{name: Common, layouts: []string{apacheCommon}},
}

// Formats are the names of all formats.
func Formats() []Format {
	names := []Format{Auto}
	for i := range formats {
		names = append(names, formats[i].name)
	}
	return append(names, JSON)
}

func (f *format) parser(o Options) (Parser, error) {
	var lines either
	if f.members != nil {
		p, err := newMembers(f.members, o)
		if err != nil {
			return nil, err
		}
		p.missing = "no request: this is not an access line of " + string(f.name)
		lines.json = p
	}
	if f.layouts != nil {
		p, err := newLayouts(f.layouts, f.rest, o)
		if err != nil {
			return nil, err
		}
		lines.text = p
	}
	switch {
	case f.fields != "":
		return newW3C(fieldsDirective+" "+f.fields, o)
	case lines.text == nil:
		return lines.json, nil
	case lines.json == nil:
		return lines.text, nil
	}
	return &lines, nil
}

// either reads the lines of a server that writes text or JSON.
type either struct{ text, json Parser }

func (p *either) Parse(line []byte, e *Entry) error {
	if len(line) > 0 && line[0] == '{' {
		return p.json.Parse(line, e)
	}
	return p.text.Parse(line, e)
}
