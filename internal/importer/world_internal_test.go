package importer

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	weir "github.com/weir-analytics/weir"
)

// importEvent is an event as the import sends it.
type importEvent struct {
	ID         string         `json:"id"`
	Name       string         `json:"name"`
	TS         time.Time      `json:"ts"`
	Path       string         `json:"path"`
	Referrer   string         `json:"referrer"`
	IP         string         `json:"ip"`
	DeviceID   string         `json:"device_id"`
	UserAgent  string         `json:"user_agent"`
	ProfileID  string         `json:"profile_id"`
	Call       map[string]any `json:"call"`
	Properties map[string]any `json:"properties"`
}

// fakeServer takes events as the real one does: it knows ids it has seen.
type fakeServer struct {
	*httptest.Server
	mu       sync.Mutex
	events   []importEvent // accepted, in order
	seen     map[string]bool
	requests int
	imports  []string // ids, one a request
	sizes    []int    // events in each request that was read
	// before answers a request instead of the server if it returns true. n
	// counts from 1.
	before func(n int, w http.ResponseWriter, r *http.Request) bool
	// reject refuses an event with a reason.
	reject func(e importEvent) string
	// after runs once the events of request n are in, before the answer.
	after func(n int, w http.ResponseWriter) bool
}

func newFakeServer(t *testing.T) *fakeServer {
	t.Helper()
	f := &fakeServer{seen: map[string]bool{}}
	f.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		f.mu.Lock()
		defer f.mu.Unlock()
		f.requests++
		if f.before != nil && f.before(f.requests, w, r) {
			return
		}
		f.imports = append(f.imports, r.URL.Query().Get("import"))
		if got := r.URL.RequestURI(); !strings.HasPrefix(got, "/v1/events?historical=true&import=") || r.Method != http.MethodPost {
			t.Errorf("request is %s %s", r.Method, got)
		}
		if got := r.Header.Get("Authorization"); got != "Bearer KEY" {
			t.Errorf("authorization is %q", got)
		}
		reply := f.take(t, r.Body)
		if f.after != nil && f.after(f.requests, w) {
			return
		}
		_ = json.NewEncoder(w).Encode(reply)
	}))
	t.Cleanup(f.Close)
	return f
}

func (f *fakeServer) take(t *testing.T, body io.Reader) importReply {
	z, err := gzip.NewReader(body)
	if err != nil {
		t.Errorf("body is not gzip: %v", err)
		return importReply{}
	}
	reply := importReply{Rejected: []weir.Rejection{}}
	lines := bufio.NewScanner(z)
	lines.Buffer(nil, 8<<20)
	n := 0
	for ; lines.Scan(); n++ {
		var e importEvent
		dec := json.NewDecoder(bytes.NewReader(lines.Bytes()))
		dec.DisallowUnknownFields()
		if err := dec.Decode(&e); err != nil {
			t.Errorf("event %d: %v in %s", n, err, lines.Bytes())
		}
		switch {
		case f.seen[e.ID]:
			reply.Duplicates++
		case f.reject != nil && f.reject(e) != "":
			reply.Rejected = append(reply.Rejected, weir.Rejection{Index: n, Reason: f.reject(e)})
		default:
			f.seen[e.ID] = true
			f.events = append(f.events, e)
			reply.Accepted++
		}
	}
	f.sizes = append(f.sizes, n)
	return reply
}

// importRun is an importer with the world around it replaced.
type importRun struct {
	*Importer
	out, errs bytes.Buffer
	clock     time.Time
	waits     []time.Duration
}

func newImportRun(url string, files ...string) *importRun {
	r := &importRun{clock: time.Date(2026, 7, 1, 12, 0, 0, 0, time.UTC)}
	r.Importer = &Importer{
		Options: Options{Files: files, URL: url, Key: "KEY", Format: "combined", RetryFor: time.Minute, JSON: true},
		Client:  &http.Client{Timeout: 5 * time.Second, CheckRedirect: noRedirect},
		Clock:   func() time.Time { return r.clock },
		Wait: func(ctx context.Context, d time.Duration) error {
			r.waits = append(r.waits, d)
			r.clock = r.clock.Add(d)
			return ctx.Err()
		},
		Stdin:  strings.NewReader(""),
		Stdout: &r.out,
		Stderr: &r.errs,
	}
	return r
}

// do runs the import and returns its report.
func (r *importRun) do(t *testing.T) (Report, error) {
	t.Helper()
	err := r.run(t.Context())
	var rep Report
	if r.out.Len() > 0 {
		if jsonErr := json.Unmarshal(r.out.Bytes(), &rep); jsonErr != nil {
			t.Fatalf("report is not JSON: %v\n%s", jsonErr, r.out.String())
		}
	}
	return rep, err
}

// counts returns the part of a report that most tests are about.
func counts(r Report) [5]int {
	return [5]int{r.Lines, r.Accepted, r.Duplicates, r.Rejected, r.Unsent}
}

func demoLines(t testing.TB) []byte {
	t.Helper()
	f, err := os.Open(importSample)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	z, err := gzip.NewReader(f)
	if err != nil {
		t.Fatal(err)
	}
	b, err := io.ReadAll(z)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func writeLog(t *testing.T, name string, content []byte) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, content, 0o644); err != nil {
		t.Fatal(err)
	}
	return path
}

// logLines makes n valid lines with the paths /0, /1, ….
func logLines(n int) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, "192.0.2.7 - - [17/May/2015:10:05:03 +0000] \"GET /%d HTTP/1.1\" 200 5 \"-\" \"ua\"\n", i)
	}
	return b.String()
}
