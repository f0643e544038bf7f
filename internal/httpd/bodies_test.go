package httpd_test

import (
	"bytes"
	"compress/gzip"
	"compress/zlib"
	"encoding/base64"
	"io"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/andybalholm/brotli"
	"github.com/klauspost/compress/zstd"
	weir "github.com/weir-analytics/weir"
	"github.com/weir-analytics/weir/internal/httpd"
	"github.com/weir-analytics/weir/internal/wire"
)

// coded is a text in a coding of HTTP.
func coded(t *testing.T, coding, text string) string {
	t.Helper()
	var b bytes.Buffer
	var w io.WriteCloser
	var err error
	switch coding {
	case "gzip":
		w = gzip.NewWriter(&b)
	case "deflate":
		w = zlib.NewWriter(&b)
	case "br":
		w = brotli.NewWriter(&b)
	case "zstd":
		w, err = zstd.NewWriter(&b)
	}
	if err == nil {
		_, err = io.WriteString(w, text)
	}
	if err == nil {
		err = w.Close()
	}
	if err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// takers are the routes that take events in a body.
func takers() (patterns []string) {
	for _, rule := range httpd.Rules() {
		pattern := rule.Method + " " + rule.Path
		if rule.Need == httpd.Sender && rule.Method == "POST" && !quietRoutes[pattern] && !strings.HasSuffix(pattern, "{$}") {
			patterns = append(patterns, pattern)
		}
	}
	return patterns
}

// padded is a body with so many bytes after it that mean nothing.
func padded(body string, n int) string {
	if strings.HasPrefix(body, "{") || strings.HasPrefix(body, "[") {
		return body + strings.Repeat(" ", n)
	}
	return body + strings.Repeat("&", n)
}

// Who is known by what stands early in the body, in the head or in the query, may send
// what compresses well; who is not, may not.
func TestEachVendorsSenderIsKnownBeforeItsBodyIsReadWhole(t *testing.T) {
	f := start(t)
	for _, pattern := range takers() {
		call := vendorCalls[pattern]
		plain := call.body
		call.body = "" // of the routes' table; padded below
		for _, coding := range []string{"gzip", "deflate", "br", "zstd"} {
			for _, name := range []string{f.key, "wk_made_up"} {
				fill := strings.NewReplacer("NAME", name, "BASIC", base64.StdEncoding.EncodeToString([]byte(name+":"))).Replace
				method, path, _ := strings.Cut(pattern, " ")
				if _, query, ok := strings.Cut(call.path, "?"); ok {
					path += "?" + query
				}
				headers := []string{"User-Agent", "Mozilla/5.0 (X11; Linux x86_64) Chrome/140.0.0.0", "Content-Encoding", coding}
				for _, h := range call.headers {
					headers = append(headers, fill(h))
				}
				a := f.do(method, fill(path), coded(t, coding, padded(fill(plain), 900_000)), headers...)
				got := f.taken()
				if known := name == f.key; known && (a.status > 299 || len(got) != 1) || !known && (a.status != 413 || len(got) != 0) {
					t.Errorf("%s in %s, known %v: %d %s, %d deliveries", pattern, coding, known, a.status, a.body, len(got))
				}
			}
		}
	}
	if f.budget.Held() != 0 {
		t.Errorf("%d bytes are held for ever", f.budget.Held())
	}
}

// A payload may be packed inside of the body, and its key with it.
func TestSenderIsKnownByTheKeyInAPackedPayload(t *testing.T) {
	f := start(t)
	for _, name := range []string{f.key, "wk_made_up"} {
		payload := coded(t, "gzip", padded(`{"api_key":"`+name+`","batch":[{"event":"a","distinct_id":"ada"}]}`, 20<<20)) // over a quarter of the budget
		for what, body := range map[string]string{
			"base64":           base64.StdEncoding.EncodeToString([]byte(payload)),
			"base64 in a form": "data=" + url.QueryEscape(base64.StdEncoding.EncodeToString([]byte(payload))),
		} {
			for _, path := range []string{"/e", "/track"} {
				a := f.do("POST", path, body)
				if got := f.taken(); name == f.key && (a.status != 200 || len(got) != 1) || name != f.key && (a.status != 413 || len(got) != 0) {
					t.Errorf("%s to %s by %.5s: %d %s, %d deliveries", what, path, name, a.status, a.body, len(got))
				}
			}
		}
	}
}

// Eight requests of 327 bytes each once took 1.8 GB.
func TestBodiesWithoutAKeyAreNotUnpacked(t *testing.T) {
	f := start(t)
	zeros := strings.Repeat("\x00", 40<<20)
	gz := coded(t, "gzip", zeros)
	bombs := []struct{ body, encoding string }{
		{gz, "gzip"},
		{gz, ""},
		{coded(t, "gzip", gz), "gzip"},
		{coded(t, "gzip", gz), "gzip, gzip"},
		{coded(t, "gzip", gz), ""},
		{coded(t, "zstd", gz), "zstd"},
		{coded(t, "br", gz), "br"},
		{coded(t, "br", zeros), "br"},
		{coded(t, "zstd", zeros), "zstd"},
		{coded(t, "deflate", zeros), "deflate"},
		{"data=" + url.QueryEscape(base64.StdEncoding.EncodeToString([]byte(gz))), ""},
		{"data=" + url.QueryEscape(base64.StdEncoding.EncodeToString([]byte(coded(t, "gzip", gz)))), ""},
		{base64.StdEncoding.EncodeToString([]byte(gz)), "base64"},
	}
	var most int64
	watched, done := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(done)
		tick := time.NewTicker(200 * time.Microsecond) // a busy loop would take a core from the requests
		defer tick.Stop()
		for {
			select {
			case <-watched:
				return
			case <-tick.C:
				most = max(most, f.budget.Held())
			}
		}
	}()
	var wg sync.WaitGroup
	turns := make(chan struct{}, 3)
	for _, pattern := range takers() {
		_, path, _ := strings.Cut(pattern, " ")
		for _, bomb := range bombs {
			wg.Go(func() {
				turns <- struct{}{}
				defer func() { <-turns }()
				a := f.do("POST", path, bomb.body, "Content-Encoding", bomb.encoding)
				if a.status < 400 && a.status != 204 { // GA4 hides what is wrong
					t.Errorf("%s takes a bomb in %q: %d %s", path, bomb.encoding, a.status, a.body)
				}
			})
		}
	}
	wg.Wait()
	close(watched)
	<-done
	if most > 16<<20 || f.budget.Held() != 0 {
		t.Errorf("strangers held %d bytes, and %d for ever", most, f.budget.Held())
	}
	if n := len(f.taken()); n != 0 {
		t.Errorf("%d deliveries", n)
	}
}

func TestRequestWithoutMemoryGets503AndRetryAfter(t *testing.T) {
	budget := wire.NewBudget(1 << 20)
	f := start(t, func(c *httpd.Config) { c.Budget = budget })
	h := budget.Open(t.Context())
	h.SetKnown()
	if err := h.Reserve(1 << 20); err != nil {
		t.Fatal(err)
	}
	a := f.send("POST /batch", f.key)
	if a.status != 503 || a.header.Get("Retry-After") == "" {
		t.Errorf("%d %v %s", a.status, a.header, a.body)
	}
	h.Close()
	wantStatus(t, f.send("POST /batch", f.key), 200)
	if n := budget.Refused(wire.BudgetBusy); n != 1 {
		t.Errorf("%d counted", n)
	}
}

// A node without the role reads nothing of what it would refuse.
func TestANodeThatTakesNoEventsReadsNone(t *testing.T) {
	f := start(t, func(c *httpd.Config) {
		c.Ingest, c.Budget = nothing{}, wire.ClosedBudget(weir.Errorf(weir.EUNAVAILABLE, "this node does not take events"))
	})
	a := f.send("POST /batch", f.key)
	if a.status != 503 {
		t.Errorf("%d %s", a.status, a.body)
	}
}
