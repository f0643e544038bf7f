package accesslog_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	weir "github.com/weir-analytics/weir"
	"github.com/weir-analytics/weir/internal/accesslog"
)

var update = flag.Bool("update", false, "write the golden files anew")

// mapping is the one that testdata/json.log is written for.
const mapping = "ts=time,ip=client.addr,method=verb,path=url,status=code,latency_s=took,user_agent=ua,consumer=key"

func newParser(t testing.TB, f accesslog.Format) accesslog.Parser {
	t.Helper()
	var m accesslog.Mapping
	if f == accesslog.JSON {
		var err error
		if m, err = accesslog.ParseMapping(mapping); err != nil {
			t.Fatal(err)
		}
	}
	p, err := accesslog.New(f, accesslog.Options{Mapping: m})
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func TestEachFormatReadsItsGoldenLog(t *testing.T) {
	for _, f := range accesslog.Formats() {
		t.Run(string(f), func(t *testing.T) {
			log := read(t, filepath.Join("testdata", string(f)+".log"))
			p := newParser(t, f)
			var got bytes.Buffer
			s := accesslog.NewScanner(bytes.NewReader(log))
			for s.Next() {
				got.WriteString(describe(t, p, s.Bytes()))
			}
			golden := filepath.Join("testdata", string(f)+".golden")
			if *update {
				if err := os.WriteFile(golden, got.Bytes(), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			if diff := cmp.Diff(string(read(t, golden)), got.String()); diff != "" {
				t.Errorf("entries differ (-want +got):\n%s", diff)
			}
		})
	}
}

// describe is a line's entry with what is unknown left out, or its error.
func describe(t *testing.T, p accesslog.Parser, line []byte) string {
	t.Helper()
	var e accesslog.Entry
	if err := p.Parse(line, &e); err != nil {
		if _, ok := errors.AsType[*accesslog.SyntaxError](err); !ok {
			t.Fatalf("error is a %T, want *SyntaxError", err)
		}
		return fmt.Sprintf("rejected: %v\n", err)
	}
	b, err := json.Marshal(e)
	if err != nil {
		t.Fatal(err)
	}
	var m map[string]any
	if err := json.Unmarshal(b, &m); err != nil {
		t.Fatal(err)
	}
	for k, v := range m {
		if v == nil || v == "" || v == 0.0 && k != "RequestBytes" && k != "ResponseBytes" && k != "LatencyMS" || v == -1.0 {
			delete(m, k)
		}
	}
	var out bytes.Buffer
	enc := json.NewEncoder(&out)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(m); err != nil {
		t.Fatal(err)
	}
	return out.String()
}

func read(t testing.TB, path string) []byte {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestAnEntryIsOverwrittenByTheNextLine(t *testing.T) {
	p := newParser(t, accesslog.Combined)
	var e accesslog.Entry
	full := `192.0.2.7 - ada [17/May/2015:10:05:03 +0000] "GET http://h/a HTTP/1.1" 200 1 "https://r/" "ua"`
	bare := `192.0.2.8 - - [17/May/2015:10:05:04 +0000] "GET /b" - - "-" "-"`
	for _, line := range []string{full, bare} {
		if err := p.Parse([]byte(line), &e); err != nil {
			t.Fatal(err)
		}
	}
	want := accesslog.Entry{
		Time: time.Date(2015, 5, 17, 10, 5, 4, 0, time.UTC), IP: "192.0.2.8",
		Method: "GET", URI: "/b", Path: "/b", ResponseBytes: weir.Known(0),
	}
	if diff := cmp.Diff(want, e); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestAnEntryDoesNotKeepItsLine(t *testing.T) {
	for _, f := range []accesslog.Format{accesslog.Combined, accesslog.Caddy} {
		line := map[accesslog.Format]string{
			accesslog.Combined: `192.0.2.7 - - [17/May/2015:10:05:03 +0000] "GET /a HTTP/1.1" 200 1 "-" "agent"`,
			accesslog.Caddy:    `{"ts":1709283600,"request":{"uri":"/a","headers":{"User-Agent":["agent"]}}}`,
		}[f]
		p := newParser(t, f)
		var e accesslog.Entry
		b := []byte(line)
		if err := p.Parse(b, &e); err != nil {
			t.Fatal(err)
		}
		for i := range b {
			b[i] = '!'
		}
		if e.Path != "/a" || e.UserAgent != "agent" {
			t.Errorf("%s: path %q, user agent %q changed with the line", f, e.Path, e.UserAgent)
		}
	}
}

func TestAnUnknownFormatIsRefusedWithTheKnownOnes(t *testing.T) {
	_, err := accesslog.New("lighttpd", accesslog.Options{})
	want := `accesslog: unknown format "lighttpd": use one of auto, caddy, traefik, cloudflare, alb, s3, haproxy, iis, cloudfront, vhost_combined, combined_us, combined_ms, combined_s, nginx, combined, common, json, or the server's own format string`
	if err == nil || err.Error() != want {
		t.Errorf("error is %v, want %s", err, want)
	}
}

func TestAMappingIsForJSONAlone(t *testing.T) {
	if _, err := accesslog.New(accesslog.Nginx, accesslog.Options{Mapping: accesslog.Mapping{"ts": "time"}}); err == nil {
		t.Error("nginx took a mapping")
	}
}

func TestLatencyOfZeroIsKnown(t *testing.T) {
	const combined = `203.0.113.5 - - [01/Mar/2026:10:00:01 +0000] "GET /a HTTP/1.1" 200 10 "-" "curl" `
	for line, want := range map[string]weir.Number{
		combined + "0.000":                weir.Known(0),
		combined + "0.000 1.500":          weir.Known(0), // the second is upstream's
		combined + "rt=0.000 uct=0.250":   weir.Known(0),
		combined + "- request_time=0.002": weir.Known(2),
		combined + "0.00 -":               {},
		combined + "12":                   {},
		combined:                          {},
	} {
		var e accesslog.Entry
		if err := newParser(t, accesslog.Nginx).Parse([]byte(line), &e); err != nil || e.LatencyMS != want {
			t.Errorf("%s: %v %v, want %v", line, e.LatencyMS, err, want)
		}
	}
	for took, want := range map[string]weir.Number{`,"duration":0`: weir.Known(0), `,"duration":0.0`: weir.Known(0), `,"duration":1.5`: weir.Known(1500), "": {}} {
		line := `{"ts":1709287201.5,"request":{"method":"GET","uri":"/a","client_ip":"203.0.113.5"},"status":200` + took + `}`
		var e accesslog.Entry
		if err := newParser(t, accesslog.Caddy).Parse([]byte(line), &e); err != nil || e.LatencyMS != want {
			t.Errorf("%s: %v %v, want %v", line, e.LatencyMS, err, want)
		}
	}
}
