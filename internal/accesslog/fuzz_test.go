package accesslog_test

import (
	"bytes"
	"errors"
	"path/filepath"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
	weir "github.com/weir-analytics/weir"
	"github.com/weir-analytics/weir/internal/accesslog"
)

func FuzzCombined(f *testing.F)   { fuzz(f, accesslog.Combined) }
func FuzzCommon(f *testing.F)     { fuzz(f, accesslog.Common) }
func FuzzNginx(f *testing.F)      { fuzz(f, accesslog.Nginx) }
func FuzzCaddy(f *testing.F)      { fuzz(f, accesslog.Caddy) }
func FuzzJSON(f *testing.F)       { fuzz(f, accesslog.JSON) }
func FuzzTraefik(f *testing.F)    { fuzz(f, "traefik") }
func FuzzALB(f *testing.F)        { fuzz(f, "alb") }
func FuzzS3(f *testing.F)         { fuzz(f, "s3") }
func FuzzHAProxy(f *testing.F)    { fuzz(f, "haproxy") }
func FuzzVhost(f *testing.F)      { fuzz(f, "vhost_combined") }
func FuzzIIS(f *testing.F)        { fuzz(f, "iis") }
func FuzzCloudFront(f *testing.F) { fuzz(f, "cloudfront") }
func FuzzCloudflare(f *testing.F) { fuzz(f, "cloudflare") }

// FuzzAuto checks that a line of any format is an entry that the server can store, or is refused with a reason.
func FuzzAuto(f *testing.F) {
	for _, format := range accesslog.Formats() {
		s := accesslog.NewScanner(bytes.NewReader(read(f, filepath.Join("testdata", string(format)+".log"))))
		for s.Next() {
			f.Add(bytes.Clone(s.Bytes()))
		}
	}
	f.Fuzz(func(t *testing.T, line []byte) {
		var e accesslog.Entry
		err := newParser(t, accesslog.Auto).Parse(line, &e)
		var syntax *accesslog.SyntaxError
		switch {
		case err == nil:
			checkEntry(t, &e)
		case !errors.As(err, &syntax) || syntax.Reason == "":
			t.Fatalf("error is %#v", err)
		}
	})
}

// FuzzLayout checks that a format string is refused, or is a parser that yields only what can be stored.
func FuzzLayout(f *testing.F) {
	f.Add(`$remote_addr [$time_local] "$request"`, `192.0.2.7 [17/May/2015:10:05:03 +0000] "GET / HTTP/1.1"`)
	f.Add(`%v %h %{%Y-%m-%d %T}t "%m %U%q %H" %D`, `h 192.0.2.7 2015-05-17 10:05:03 "GET /a?b HTTP/1.1" 5`)
	f.Add(`#Fields: date time cs-uri-stem cs-method`, `2015-05-17 10:05:03 /a GET`)
	f.Fuzz(func(t *testing.T, layout, line string) {
		p, err := accesslog.New(accesslog.Format(layout), accesslog.Options{ForwardedFor: true})
		if err != nil {
			return
		}
		var e accesslog.Entry
		if err := p.Parse([]byte(line), &e); err == nil {
			checkEntry(t, &e)
		}
	})
}

// fuzz checks of any line that it is an entry which the server can store or a
// SyntaxError within the line, and that a parser's past does not matter.
func fuzz(f *testing.F, format accesslog.Format) {
	s := accesslog.NewScanner(bytes.NewReader(read(f, filepath.Join("testdata", string(format)+".log"))))
	for s.Next() {
		f.Add(bytes.Clone(s.Bytes()))
	}
	used := newParser(f, format)
	f.Fuzz(func(t *testing.T, line []byte) {
		before := bytes.Clone(line)
		var e, fresh accesslog.Entry
		if format == "iis" || format == "cloudfront" {
			used = newParser(t, format) // a line may name the fields of those that follow
		}
		err := used.Parse(line, &e)
		if !bytes.Equal(before, line) {
			t.Fatal("the line was written to")
		}
		freshErr := newParser(t, format).Parse(line, &fresh)
		if (err == nil) != (freshErr == nil) {
			t.Fatalf("a used parser says %v, a fresh one %v", err, freshErr)
		}
		if err != nil {
			var syntax *accesslog.SyntaxError
			if !errors.As(err, &syntax) || syntax.Reason == "" {
				t.Fatalf("error is %#v", err)
			}
			// Repair makes a bad byte three, so a column may pass the raw line's end.
			if syntax.Column < 0 || syntax.Column > 3*len(line)+1 {
				t.Fatalf("column %d of a line of %d bytes", syntax.Column, len(line))
			}
			return
		}
		if diff := cmp.Diff(fresh, e); diff != "" {
			t.Fatalf("a used parser differs from a fresh one:\n%s", diff)
		}
		checkEntry(t, &e)
	})
}

func checkEntry(t *testing.T, e *accesslog.Entry) {
	t.Helper()
	for name, s := range map[string]string{
		"ip": e.IP, "user": e.User, "method": e.Method, "uri": e.URI, "path": e.Path, "proto": e.Proto,
		"referrer": e.Referrer, "user agent": e.UserAgent, "consumer": e.Consumer, "host": e.Host,
	} {
		if !utf8.ValidString(s) || strings.ContainsRune(s, 0) {
			t.Errorf("%s is not storable text: %q", name, s)
		}
	}
	switch {
	case e.URI == "" || e.Path == "" && !strings.ContainsAny(e.URI, "?#"):
		t.Errorf("no path: URI %q, path %q", e.URI, e.Path)
	case strings.HasPrefix(e.URI, "/") && (!strings.HasPrefix(e.URI, e.Path) || strings.ContainsAny(e.Path, "?#")):
		t.Errorf("path %q is not that of %q", e.Path, e.URI)
	case e.Status != 0 && (e.Status < 100 || e.Status > 599):
		t.Errorf("status is %d", e.Status)
	case e.RequestBytes.Value < 0 || e.RequestBytes.Value > weir.MaxBytes || e.ResponseBytes.Value < 0 || e.ResponseBytes.Value > weir.MaxBytes || e.LatencyMS.Value < 0:
		t.Errorf("%v and %v bytes, %v ms", e.RequestBytes, e.ResponseBytes, e.LatencyMS)
	case len(e.Error) > weir.MaxError || len(e.TraceID) > 128:
		t.Errorf("error of %d bytes, trace %q", len(e.Error), e.TraceID)
	case e.Time.Location() != time.UTC || e.Time.Nanosecond()%1000 != 0:
		t.Errorf("time is %v", e.Time)
	}
	if _, err := e.Time.MarshalJSON(); err != nil {
		t.Errorf("time cannot be sent: %v", err)
	}
}

func FuzzScanner(f *testing.F) {
	f.Add([]byte("one\r\n\n \nfour"))
	f.Add([]byte("\xEF\xBB\xBF\n"))
	f.Fuzz(func(t *testing.T, log []byte) {
		// The naive reading: split, trim, leave empty ones out.
		var want [][]byte
		for l := range bytes.SplitSeq(bytes.TrimPrefix(log, []byte("\xEF\xBB\xBF")), []byte("\n")) {
			if l = bytes.TrimSuffix(l, []byte("\r")); len(bytes.TrimSpace(l)) > 0 {
				want = append(want, l)
			}
		}
		var got [][]byte
		s := accesslog.NewScanner(bytes.NewReader(log))
		for s.Next() {
			got = append(got, bytes.Clone(s.Bytes()))
		}
		if s.Err() != nil {
			t.Fatal(s.Err())
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
	})
}
