package accesslog_test

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	weir "github.com/weir-analytics/weir"
	"github.com/weir-analytics/weir/internal/accesslog"
)

func TestAFormatStringOfTheServersOwnWordsIsUnderstood(t *testing.T) {
	at := time.Date(2026, 3, 1, 10, 0, 0, 0, time.UTC)
	full := accesslog.Entry{
		Time: at, IP: "203.0.113.5", User: "ada", Method: "GET", URI: "/a?b=c", Path: "/a", Proto: "HTTP/1.1", Status: 200, ResponseBytes: weir.Known(10),
		Referrer: "https://r.example/", UserAgent: "Mozilla/5.0 (X11)", LatencyMS: weir.Known(1500), Host: "shop.example",
	}
	for _, c := range []struct{ format, line string }{
		{
			`$remote_addr - $remote_user [$time_local] $host "$request" $status $body_bytes_sent "$http_referer" "$http_user_agent" $request_time ${upstream_response_time}`,
			`203.0.113.5 - ada [01/Mar/2026:10:00:00 +0000] shop.example:8443 "GET /a?b=c HTTP/1.1" 200 10 "https://r.example/" "Mozilla/5.0 (X11)" 1.500 1.400, 0.090`,
		},
		{
			`{"t":"$time_iso8601","ip":"$remote_addr","u":"$remote_user","r":"$request","s":$status,"b":$bytes_sent,"ref":"$http_referer","ua":"$http_user_agent","h":"$host","rt":$request_time}`,
			`{"t":"2026-03-01T11:00:00+01:00","ip":"203.0.113.5","u":"ada","r":"GET /a?b=c HTTP/1.1","s":200,"b":10,"ref":"https://r.example/","ua":"Mozilla/5.0 (X11)","h":"shop.example","rt":1.500}`,
		},
		{
			`$msec|$remote_addr|$remote_user|$request_method $uri$is_args$args $server_protocol|$status|$bytes_sent|$http_referer|$http_user_agent|$host|$request_time`,
			`1772359200.000|203.0.113.5|ada|GET /a?b=c HTTP/1.1|200|10|https://r.example/|Mozilla/5.0 (X11)|shop.example|1.500`,
		},
		{
			`%v:%p %h %l %u %t \"%r\" %>s %O \"%{Referer}i\" \"%{User-Agent}i\" %D`,
			`shop.example:443 203.0.113.5 - ada [01/Mar/2026:10:00:00 +0000] "GET /a?b=c HTTP/1.1" 200 10 "https://r.example/" "Mozilla/5.0 (X11)" 1500000`,
		},
		{
			`%{%Y-%m-%d %H:%M:%S}t %a %u "%m %U%q %H" %>s %B "%{Referer}i" "%{User-agent}i" %{ms}T %V`,
			`2026-03-01 10:00:00 203.0.113.5 ada "GET /a?b=c HTTP/1.1" 200 10 "https://r.example/" "Mozilla/5.0 (X11)" 1500 shop.example`,
		},
		{
			`%{usec}t "%{X-Forwarded-For}i" %u "%r" %>s %b "%{Referer}i" "%{User-agent}i" "%{Host}i" %{us}T`,
			`1772359200000000 "203.0.113.5, 10.0.0.2" ada "GET /a?b=c HTTP/1.1" 200 10 "https://r.example/" "Mozilla/5.0 (X11)" "shop.example" 1500000`,
		},
		{
			`#Fields: date time c-ip cs-username cs-method cs-uri-stem cs-uri-query cs-version sc-status sc-bytes cs(Referer) cs(User-Agent) cs-host time-taken`,
			`2026-03-01 10:00:00 203.0.113.5 ada GET /a b=c HTTP/1.1 200 10 https://r.example/ Mozilla/5.0+(X11) shop.example 1500`,
		},
	} {
		p, err := accesslog.New(accesslog.Format(c.format), accesslog.Options{})
		if err != nil {
			t.Errorf("%s: %v", c.format, err)
			continue
		}
		var e accesslog.Entry
		if err := p.Parse([]byte(c.line), &e); err != nil {
			t.Errorf("%s: %v", c.format, err)
			continue
		}
		if diff := cmp.Diff(full, e); diff != "" {
			t.Errorf("%s (-want +got):\n%s", c.format, diff)
		}
		if err := p.Parse([]byte(c.line+" more"), &e); err == nil && !strings.HasSuffix(c.format, "time}") && !strings.HasPrefix(c.format, "$msec") {
			t.Errorf("%s: a line with one more field was read: %+v", c.format, e)
		}
	}
}

func TestAFormatStringThatCannotWorkIsRefused(t *testing.T) {
	for format, want := range map[string]string{
		`$remote_addr "$request"`:        "has no time",
		`$remote_addr [$time_local]`:     "has no request",
		`$time_local$request`:            "nothing between",
		`%h %t "%r" %`:                   "no word of Apache's",
		`%h %{%q}t "%r"`:                 "is not understood",
		`%h %t "%{Referer`:               "no closing brace",
		`#Fields: date cs-uri-stem c-ip`: "names no date, time",
	} {
		_, err := accesslog.New(accesslog.Format(format), accesslog.Options{})
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: error is %v, want %q", format, err, want)
		}
	}
}

func TestXForwardedForCountsWhereTheUserSaysSo(t *testing.T) {
	main := `10.0.0.2 - - [01/Mar/2026:10:00:00 +0000] "GET / HTTP/1.1" 200 1 "-" "ua" `
	caddy := `{"ts":1709283600,"request":{"client_ip":"10.0.0.2","uri":"/","headers":{"X-Forwarded-For":["203.0.113.5, 10.0.0.3"]}}}`
	for _, c := range []struct {
		format     accesslog.Format
		line       string
		ip, option string
	}{
		{accesslog.Combined, main + `"203.0.113.5"`, "10.0.0.2", "203.0.113.5"},
		{accesslog.Nginx, main + `0.010 "10.1.1.1, 203.0.113.5"`, "10.0.0.2", "203.0.113.5"},
		{accesslog.Nginx, main + `"-"`, "10.0.0.2", "10.0.0.2"},
		{accesslog.Auto, main + `"2001:DB8::5"`, "10.0.0.2", "2001:db8::5"},
		{accesslog.Caddy, caddy, "10.0.0.2", "203.0.113.5"},
		{`$remote_addr $http_x_forwarded_for [$time_local] "$request"`, `10.0.0.2 203.0.113.5, 10.0.0.3 [01/Mar/2026:10:00:00 +0000] "GET / HTTP/1.1"`, "10.0.0.2", "203.0.113.5"},
	} {
		for _, take := range []bool{false, true} {
			want := c.ip
			if take {
				want = c.option
			}
			p, err := accesslog.New(c.format, accesslog.Options{ForwardedFor: take})
			if err != nil {
				t.Fatal(err)
			}
			var e accesslog.Entry
			if err := p.Parse([]byte(c.line), &e); err != nil || e.IP != want {
				t.Errorf("%s, option %v: address %q, error %v; want %q", c.format, take, e.IP, err, want)
			}
		}
	}
}

func TestTimesThatNameNoZoneAreOfTheOneGiven(t *testing.T) {
	berlin, err := time.LoadLocation("Europe/Berlin")
	if err != nil {
		t.Fatal(err)
	}
	p, err := accesslog.New("haproxy", accesslog.Options{Zone: berlin})
	if err != nil {
		t.Fatal(err)
	}
	var e accesslog.Entry
	line := `203.0.113.5:33317 [06/Jul/2026:12:14:14.655] in static/srv1 1/0/0/1/2 200 5 - - ---- 1/1/1/1/0 0/0 "GET / HTTP/1.1"`
	if err := p.Parse([]byte(line), &e); err != nil || e.Time.Format(time.RFC3339) != "2026-07-06T10:14:14Z" {
		t.Errorf("time is %v, error %v", e.Time, err)
	}
}

// A log of each format is found to be of it, whatever its first line is.
func TestAutoFindsEachFormatByTheFirstLineThatItCanRead(t *testing.T) {
	same := map[accesslog.Format]accesslog.Format{
		"combined_us": accesslog.Combined, "combined_ms": accesslog.Combined, "combined_s": accesslog.Combined,
		accesslog.Auto: "vhost_combined",
	}
	for _, f := range accesslog.Formats() {
		if f == accesslog.JSON {
			continue
		}
		want := f
		if s, ok := same[f]; ok {
			want = s
		}
		var took []accesslog.Format
		p, err := accesslog.New(accesslog.Auto, accesslog.Options{Took: func(f accesslog.Format) { took = append(took, f) }})
		if err != nil {
			t.Fatal(err)
		}
		var e accesslog.Entry
		for line := range strings.Lines(string(read(t, "testdata/"+string(f)+".log"))) {
			_ = p.Parse([]byte(strings.TrimRight(line, "\n")), &e) // some are broken
		}
		if diff := cmp.Diff([]accesslog.Format{want}, took); diff != "" {
			t.Errorf("%s (-want +got):\n%s", f, diff)
		}
	}
}

func TestALogMayNameItsFieldsAnewAndAutoKnowsWhoseTheyAre(t *testing.T) {
	var took accesslog.Format
	p, err := accesslog.New(accesslog.Auto, accesslog.Options{Took: func(f accesslog.Format) { took = f }})
	if err != nil {
		t.Fatal(err)
	}
	var e accesslog.Entry
	_ = p.Parse([]byte("#Fields: date time cs-method cs-uri-stem c-ip sc-status"), &e) // no call
	if err := p.Parse([]byte("2026-03-01 10:00:00 GET /a 203.0.113.5 404"), &e); err != nil || e.Status != 404 || took != "iis" {
		t.Errorf("status %d of format %s: %v", e.Status, took, err)
	}
	_ = p.Parse([]byte("#Fields: date time sc-status cs-method cs-uri-stem c-ip"), &e)
	if err := p.Parse([]byte("2026-03-01 10:00:00 200 GET /a 203.0.113.5"), &e); err != nil || e.Status != 200 {
		t.Errorf("status %d: %v", e.Status, err)
	}
}

func TestBodiesComeBeforeWholeMessages(t *testing.T) {
	const begin, at = `$remote_addr [$time_local] "$request" $status `, `203.0.113.5 [01/Mar/2026:10:00:00 +0000] "GET /a HTTP/1.1" 200 `
	known := func(n float64) weir.Number { return weir.Known(n) }
	for _, test := range []struct {
		layout, line      string
		request, response weir.Number
		trace             string
	}{
		{begin + `$bytes_sent $request_length`, at + `300 120`, known(120), known(300), ""},
		{begin + `$body_bytes_sent $bytes_sent $content_length $request_length`, at + `0 300 0 120`, known(0), known(0), ""},
		{begin + `$bytes_sent $body_bytes_sent $request_length $content_length`, at + `300 7 120 -`, known(120), known(7), ""},
		{begin + `$body_bytes_sent $http_traceparent`, at + `- 00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01`, weir.Number{}, weir.Number{}, "4bf92f3577b34da6a3ce929d0e0e4736"},
		{begin + `$body_bytes_sent $otel_trace_id`, at + `1 4bf92f`, weir.Number{}, known(1), "4bf92f"},
		{begin + `$body_bytes_sent $http_traceparent`, at + `1 nonsense`, weir.Number{}, known(1), ""},
		{`%h %t "%r" %>s %O %I`, at + `300 120`, known(120), known(300), ""},
		{`%h %t "%r" %>s %O %b %{Content-Length}i %I`, at + `300 - 5 120`, known(5), known(0), ""},
	} {
		p, err := accesslog.New(accesslog.Format(test.layout), accesslog.Options{})
		if err != nil {
			t.Fatal(err)
		}
		var e accesslog.Entry
		if err := p.Parse([]byte(test.line), &e); err != nil {
			t.Errorf("%s: %v", test.layout, err)
			continue
		}
		if e.RequestBytes != test.request || e.ResponseBytes != test.response || e.TraceID != test.trace {
			t.Errorf("%s: %v and %v bytes, trace %q, want %v, %v, %q", test.layout, e.RequestBytes, e.ResponseBytes, e.TraceID, test.request, test.response, test.trace)
		}
	}
}
