package client_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/weir-analytics/weir/client"
)

// service runs a handler behind Record on a real server. calls closes the client
// and returns what was recorded.
type service struct {
	t    *testing.T
	url  string
	weir *client.Client
	fake *fake
}

func record(t *testing.T, h http.Handler, options ...client.Option) *service {
	t.Helper()
	s := &service{t: t, fake: &fake{}}
	s.weir = to(t, s.fake, nil)
	server := httptest.NewUnstartedServer(s.weir.Record(h, options...))
	server.Config.ErrorLog = slog.NewLogLogger(slog.DiscardHandler, slog.LevelError)
	server.Start()
	t.Cleanup(server.Close)
	s.url = server.URL
	return s
}

func (s *service) get(path string, header ...string) (status int, body string) {
	return s.do(http.MethodGet, path, header...)
}

func (s *service) do(method, path string, header ...string) (status int, body string) {
	s.t.Helper()
	req, err := http.NewRequestWithContext(s.t.Context(), method, s.url+path, nil)
	if err != nil {
		s.t.Fatal(err)
	}
	for i := 0; i < len(header); i += 2 {
		req.Header.Set(header[i], header[i+1])
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return 0, err.Error()
	}
	defer resp.Body.Close()
	raw, _ := io.ReadAll(resp.Body)
	return resp.StatusCode, string(raw)
}

// calls returns those recorded, each as "METHOD ROUTE STATUS CONSUMER".
func (s *service) calls() []string {
	s.t.Helper()
	for end := time.Now().Add(10 * time.Second); s.weir.Stats().Offered == 0 && time.Now().Before(end); { // an answer may be read before its handler has returned
	}
	shut(s.t, s.weir)
	var out []string
	for _, e := range s.fake.all() {
		if e.Call.LatencyMS <= 0 || e.Call.LatencyMS > 60_000 {
			s.t.Errorf("latency %v", e.Call.LatencyMS)
		}
		out = append(out, strings.TrimSpace(fmt.Sprintf("%s %s %d %s", e.Call.Method, e.Call.Route, e.Call.Status, e.Call.Consumer)))
	}
	return out
}

func (s *service) want(calls ...string) {
	s.t.Helper()
	got := s.calls()
	if strings.Join(got, "\n") != strings.Join(calls, "\n") {
		s.t.Errorf("recorded %q, want %q", got, calls)
	}
}

func TestACallHasItsPatternStatusAndConsumer(t *testing.T) {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /users/{id}", func(w http.ResponseWriter, r *http.Request) { fmt.Fprint(w, r.PathValue("id")) })
	mux.HandleFunc("/silent", func(http.ResponseWriter, *http.Request) {})
	mux.HandleFunc("POST /users", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusCreated) })
	mux.HandleFunc("GET /early", func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(http.StatusEarlyHints)
		w.WriteHeader(http.StatusTeapot)
		w.WriteHeader(http.StatusOK) // too late
	})
	s := record(t, mux, client.Consumer(client.KeyConsumer("X-API-Key")), client.Skip(func(r *http.Request) bool { return r.URL.Path == "/healthz" }))
	if _, body := s.get("/users/42?secret=1", "X-API-Key", "k1"); body != "42" {
		t.Errorf("body %q", body)
	}
	s.get("/users/43", "X-API-Key", "k2")
	s.do("POST", "/users")
	s.get("/silent")
	s.get("/early")
	s.get("/healthz")
	s.do("DELETE", "/users/44")
	s.do("BREW", "/silent")
	s.want(
		"GET /users/{id} 200 key-6ab9f1eb8f7d", "GET /users/{id} 200 key-015f7e6bc5ae", "POST /users 201", "GET /silent 200", "GET /early 418",
		"DELETE other 405", "other /silent 200",
	)
}

func TestARouteIsNamedFromOutsideOrWithin(t *testing.T) {
	h := http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/within" {
			client.SetRoute(r.Context(), "/set")
			client.SetConsumer(r.Context(), "ada")
		}
		r.URL.Path = "/changed"
	})
	s := record(t, h,
		client.Route(func(r *http.Request) string {
			if r.Header.Get("X-Route") == "panic" {
				panic("the service's own fault")
			}
			return r.Header.Get("X-Route")
		}),
		client.Consumer(func(*http.Request) string { return "default" }))
	s.get("/within", "X-Route", "/outside")
	s.get("/a/7", "X-Route", "/outside")
	s.get("/a/7")
	s.get("/a/7", "X-Route", "panic")
	client.SetRoute(t.Context(), "/nowhere") // nothing happens
	s.want("GET /set 200 ada", "GET /outside 200 default", "GET /a/{id} 200 default", "GET /a/{id} 200 default")
}

func TestAPanicIsA500AndGoesOn(t *testing.T) {
	mux := http.NewServeMux()
	mux.HandleFunc("/before", func(http.ResponseWriter, *http.Request) { panic("x") })
	mux.HandleFunc("/after", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(202); panic(errors.New("x")) })
	mux.HandleFunc("/abort", func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) })
	mux.HandleFunc("/abort/after", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(202); panic(http.ErrAbortHandler) })
	for path, status := range map[string]int{"/before": 500, "/after": 500, "/abort": 500, "/abort/after": 202} {
		f := &fake{}
		c := to(t, f, nil)
		got := func() (v any) {
			defer func() { v = recover() }()
			c.Record(mux).ServeHTTP(httptest.NewRecorder(), httptest.NewRequest("GET", path, nil))
			return nil
		}()
		shut(t, c)
		if all := f.all(); got == nil || len(all) != 1 || all[0].Call.Status != status || all[0].Call.Route != path {
			t.Errorf("%s: panic %v, recorded %+v", path, got, all)
		}
	}
}

func TestAStreamIsRecordedWhenItBegins(t *testing.T) {
	release := make(chan struct{})
	mux := http.NewServeMux()
	mux.HandleFunc("/stream", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/event-stream; charset=utf-8")
		fmt.Fprint(w, "data: 1\n\n")
		w.(http.Flusher).Flush()
		<-release
		panic(http.ErrAbortHandler)
	})
	s := record(t, mux)
	resp, err := http.Get(s.url + "/stream")
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if line, err := bufio.NewReader(resp.Body).ReadString('\n'); line != "data: 1\n" {
		t.Fatal(line, err)
	}
	s.want("GET /stream 200") // it has not ended
	close(release)
}

func TestAHijackedConnectionIsRecordedWhenItBegins(t *testing.T) {
	mux := http.NewServeMux()
	release := make(chan struct{})
	mux.HandleFunc("/socket", func(w http.ResponseWriter, _ *http.Request) {
		conn, rw, err := w.(http.Hijacker).Hijack()
		if err != nil {
			t.Error(err)
			return
		}
		defer conn.Close()
		_, _ = rw.WriteString("HTTP/1.1 101 Switching Protocols\r\nUpgrade: echo\r\nConnection: upgrade\r\n\r\nhello")
		_ = rw.Flush()
		<-release
	})
	s := record(t, mux)
	conn, err := net.Dial("tcp", strings.TrimPrefix(s.url, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	fmt.Fprint(conn, "GET /socket HTTP/1.1\r\nHost: x\r\nUpgrade: echo\r\nConnection: upgrade\r\n\r\n")
	if line, err := bufio.NewReader(conn).ReadString('\n'); !strings.Contains(line, "101") {
		t.Fatal(line, err)
	}
	s.want("GET /socket 101")
	close(release)
}

func TestAFileAndAControllerReachTheServer(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "f.txt"), []byte(strings.Repeat("x", 100_000)), 0o600); err != nil {
		t.Fatal(err)
	}
	mux := http.NewServeMux()
	mux.Handle("GET /files/", http.StripPrefix("/files", http.FileServer(http.Dir(dir))))
	mux.HandleFunc("/deadline", func(w http.ResponseWriter, _ *http.Request) {
		if err := http.NewResponseController(w).SetWriteDeadline(time.Now().Add(time.Minute)); err != nil {
			t.Error(err)
		}
		if err := http.NewResponseController(w).Flush(); err != nil {
			t.Error(err)
		}
		_, _ = io.WriteString(w, "ok")
	})
	s := record(t, mux)
	if status, body := s.get("/files/f.txt"); status != 200 || len(body) != 100_000 {
		t.Errorf("%d, %d bytes", status, len(body))
	}
	s.get("/deadline")
	s.want("GET /files/f.txt 200", "GET /deadline 200")
}

func TestACallIsRecordedOnce(t *testing.T) {
	f := &fake{}
	c := to(t, f, nil)
	mux := http.NewServeMux()
	mux.Handle("/a/{id}", c.Record(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {})))
	r := httptest.NewRequest("GET", "/a/1", nil)
	c.Record(mux).ServeHTTP(httptest.NewRecorder(), r)
	if r.Pattern != "/a/{id}" {
		t.Errorf("what is around Record sees the pattern %q", r.Pattern)
	}
	shut(t, c)
	if n := len(f.all()); n != 1 {
		t.Errorf("%d calls", n)
	}
}

// TestADeadServerChangesNothing answers through Record with a Weir that is not
// there, a full queue, and after Close.
func TestADeadServerChangesNothing(t *testing.T) {
	c := to(t, &fake{answer: func(_ int, r *http.Request, _ []sent, _ func() *http.Response) (*http.Response, error) {
		<-r.Context().Done()
		return nil, r.Context().Err()
	}}, func(cfg *client.Config) { cfg.BatchBytes, cfg.QueueBytes = 1000, 2000 })
	h := c.Record(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, "ok") }))
	serve := func() {
		w := httptest.NewRecorder()
		began := time.Now()
		h.ServeHTTP(w, httptest.NewRequest("GET", "/", nil))
		if took := time.Since(began); w.Body.String() != "ok" || took > 20*time.Second {
			t.Fatalf("%q after %v", w.Body, took)
		}
	}
	for range 1000 {
		serve()
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := c.Close(ctx); err == nil {
		t.Error("Close lost events and does not say so")
	}
	serve()
	if s := c.Stats(); s.Offered != 1001 || s.Dropped.Full < 900 || s.Dropped.Closed < 1 {
		t.Errorf("%+v", s)
	}
}

func TestACallHasItsSizesErrorAndTrace(t *testing.T) {
	mux := http.NewServeMux()
	mux.HandleFunc("/written", func(w http.ResponseWriter, _ *http.Request) {
		fmt.Fprint(w, "abc")
		_, _ = io.WriteString(w, "dé")
	})
	mux.HandleFunc("/copied", func(w http.ResponseWriter, _ *http.Request) { _, _ = io.Copy(w, strings.NewReader("0123456789")) })
	mux.HandleFunc("/empty", func(http.ResponseWriter, *http.Request) {})
	mux.HandleFunc("/fails", func(w http.ResponseWriter, r *http.Request) {
		client.SetError(r.Context(), errors.New("no such order: 7"))
		client.SetError(r.Context(), nil)
		w.WriteHeader(http.StatusNotFound)
	})
	mux.HandleFunc("/panics", func(http.ResponseWriter, *http.Request) { panic("nil map") })
	mux.HandleFunc("/stream", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/event-stream")
		fmt.Fprint(w, "data: 1\n\n")
	})
	const trace = "4bf92f3577b34da6a3ce929d0e0e4736"
	for _, test := range []struct{ method, path, body, traceparent, want string }{
		{"POST", "/written", "12345", "00-" + trace + "-00f067aa0ba902b7-01", `5 6 "" ` + trace},
		{"POST", "/copied", "", "00-" + strings.Repeat("0", 32) + "-00f067aa0ba902b7-01", `0 10 ""`},
		{"POST", "/empty", "chunked", "nonsense", `? 0 ""`},
		{"HEAD", "/written", "", "", `0 0 ""`},
		{"GET", "/fails", "", "", `0 0 "no such order: 7"`},
		{"GET", "/panics", "", "", `0 0 "nil map"`},
		{"GET", "/stream", "", "", `0 ? ""`},
	} {
		t.Run(test.method+test.path, func(t *testing.T) {
			s := record(t, mux)
			var body io.Reader = strings.NewReader(test.body)
			if test.body == "chunked" {
				body = io.NopCloser(body)
			}
			req, err := http.NewRequestWithContext(t.Context(), test.method, s.url+test.path, body)
			if err != nil {
				t.Fatal(err)
			}
			if test.traceparent != "" {
				req.Header.Set("Traceparent", test.traceparent)
			}
			if resp, err := http.DefaultClient.Do(req); err == nil {
				resp.Body.Close()
			}
			s.calls()
			c := s.fake.all()[0].Call
			got := strings.TrimSpace(fmt.Sprintf("%s %s %q %s", size(c.RequestBytes), size(c.ResponseBytes), c.Error, c.TraceID))
			if got != test.want {
				t.Errorf("recorded %s, want %s", got, test.want)
			}
		})
	}
}

func size(n *int64) string {
	if n == nil {
		return "?"
	}
	return strconv.FormatInt(*n, 10)
}
