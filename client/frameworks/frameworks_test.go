// Package frameworks_test runs the same requests through frameworks behind client.Record. It is
// a module of its own, so that the client has no dependency.
package frameworks_test

import (
	"bufio"
	"compress/gzip"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"github.com/gin-gonic/gin"
	"github.com/go-chi/chi/v5"
	"github.com/gofiber/fiber/v2"
	"github.com/gofiber/fiber/v2/middleware/adaptor"
	"github.com/grpc-ecosystem/grpc-gateway/v2/runtime"
	"github.com/labstack/echo/v4"
	"github.com/weir-analytics/weir/client"
)

// answer writes the answer of each path that a framework of net/http serves.
func answer(w http.ResponseWriter, r *http.Request) {
	switch r.URL.Path {
	case "/ok":
		fmt.Fprint(w, "ok")
	case "/204":
		w.WriteHeader(http.StatusNoContent)
	case "/304":
		w.WriteHeader(http.StatusNotModified)
	case "/hints":
		w.WriteHeader(http.StatusEarlyHints)
		w.WriteHeader(http.StatusTeapot)
	case "/stream":
		w.Header().Set("Content-Type", "text/event-stream")
		for range 3 {
			fmt.Fprint(w, "data: x\n\n")
			w.(http.Flusher).Flush()
		}
	case "/upgrade":
		conn, _, err := w.(http.Hijacker).Hijack()
		if err != nil {
			panic(err)
		}
		_, _ = io.WriteString(conn, "HTTP/1.1 101 Switching Protocols\r\nUpgrade: echo\r\nConnection: upgrade\r\n\r\n")
		_ = conn.Close()
	case "/panic":
		panic("x")
	case "/abort":
		panic(http.ErrAbortHandler)
	}
}

var paths = []string{"/ok", "/204", "/304", "/hints", "/stream", "/upgrade", "/panic", "/abort"}

// frameworks serve answer, each in its own way.
func frameworks(t *testing.T) map[string]http.Handler {
	gin.SetMode(gin.ReleaseMode)
	mux, router, engine, e, gateway := http.NewServeMux(), chi.NewRouter(), gin.New(), echo.New(), runtime.NewServeMux()
	for _, path := range paths {
		mux.HandleFunc(path, answer)
		router.HandleFunc(path, answer)
		if path == "/stream" {
			engine.GET(path, func(c *gin.Context) {
				c.Header("Content-Type", "text/event-stream")
				n := 0
				c.Stream(func(w io.Writer) bool {
					fmt.Fprint(w, "data: x\n\n")
					n++
					return n < 3
				})
			})
		} else {
			engine.Any(path, gin.WrapF(answer))
		}
		e.Any(path, func(c echo.Context) error {
			answer(c.Response(), c.Request())
			return nil
		})
		for _, method := range []string{"GET", "HEAD"} {
			err := gateway.HandlePath(method, path, func(w http.ResponseWriter, r *http.Request, _ map[string]string) { answer(w, r) })
			if err != nil {
				t.Fatal(err)
			}
		}
	}
	return map[string]http.Handler{"net/http": mux, "chi": router, "gin": engine, "echo": e, "gRPC-gateway": gateway}
}

// sink is a Weir server that keeps the calls.
type sink struct {
	mu    sync.Mutex
	calls []string
}

func (s *sink) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	n, body := 0, io.Reader(r.Body)
	if r.Header.Get("Content-Encoding") == "gzip" {
		body, _ = gzip.NewReader(r.Body)
	}
	for lines := bufio.NewScanner(body); lines.Scan(); n++ {
		var e struct {
			Call struct {
				Method, Route string
				Status        int
			}
		}
		if json.Unmarshal(lines.Bytes(), &e) == nil {
			s.calls = append(s.calls, fmt.Sprintf("%s %s %d", e.Call.Method, e.Call.Route, e.Call.Status))
		}
	}
	fmt.Fprintf(w, `{"accepted":%d,"duplicates":0,"rejected":[]}`, n)
}

func start(t *testing.T) (*sink, *client.Client) {
	t.Helper()
	s := &sink{}
	server := httptest.NewServer(s)
	t.Cleanup(server.Close)
	c, err := client.New(client.Config{URL: server.URL, Key: "k"})
	if err != nil {
		t.Fatal(err)
	}
	return s, c
}

func (s *sink) want(t *testing.T, c *client.Client, calls ...string) {
	t.Helper()
	if err := c.Close(context.Background()); err != nil {
		t.Fatal(err)
	}
	if got, want := strings.Join(s.calls, "\n"), strings.Join(calls, "\n"); got != want {
		t.Errorf("recorded\n%s\nwant\n%s", got, want)
	}
}

func TestFrameworksAnswerBehindRecordAsWithoutIt(t *testing.T) {
	for name, handler := range frameworks(t) {
		t.Run(name, func(t *testing.T) {
			s, c := start(t)
			server := httptest.NewUnstartedServer(c.Record(handler, client.Route(func(r *http.Request) string { return r.URL.Path })))
			server.Config.ErrorLog = log.New(io.Discard, "", 0)
			server.Start()
			defer server.Close()
			bare := httptest.NewUnstartedServer(handler)
			bare.Config.ErrorLog = server.Config.ErrorLog
			bare.Start()
			defer bare.Close()
			for _, request := range append([]string{"HEAD /ok"}, paths...) {
				if !strings.Contains(request, " ") {
					request = "GET " + request
				}
				if got, want := raw(t, server, request), raw(t, bare, request); got != want {
					t.Errorf("%s: %q, without Record %q", request, got, want)
				}
			}
			server.Close()
			hints := "GET /hints 418"
			if name == "echo" {
				hints = "GET /hints 200" // echo takes the first status for the final one, also without Record
			}
			s.want(t, c, "HEAD /ok 200", "GET /ok 200", "GET /204 204", "GET /304 304", hints, "GET /stream 200", "GET /upgrade 101", "GET /panic 500", "GET /abort 500")
		})
	}
}

// raw returns the whole answer to a request, without its date.
func raw(t *testing.T, server *httptest.Server, request string) string {
	t.Helper()
	conn, err := net.Dial("tcp", server.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	fmt.Fprintf(conn, "%s HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", request)
	text, _ := io.ReadAll(conn)
	lines := strings.Split(string(text), "\r\n")
	kept := lines[:0]
	for _, line := range lines {
		if !strings.HasPrefix(line, "Date:") {
			kept = append(kept, line)
		}
	}
	return strings.Join(kept, "\n")
}

// Fiber is no net/http: its adaptor has a handler of net/http answer, whole.
func TestFibersAdaptorAnswersBehindRecord(t *testing.T) {
	s, c := start(t)
	app := fiber.New()
	app.All("/*", adaptor.HTTPHandler(c.Record(http.HandlerFunc(answer), client.Route(func(r *http.Request) string { return r.URL.Path }))))
	for path, status := range map[string]int{"/ok": 200, "/204": 204, "/304": 304} {
		resp, err := app.Test(httptest.NewRequest("GET", path, nil))
		if err != nil || resp.StatusCode != status {
			t.Fatalf("%s: %v %v, want %d", path, resp, err, status)
		}
		_ = resp.Body.Close()
	}
	if err := c.Close(context.Background()); err != nil || len(s.calls) != 3 {
		t.Errorf("recorded %q, %v", s.calls, err)
	}
}
