package e2e_test

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"runtime"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	weirclient "github.com/weir-analytics/weir/client"
)

// TestClientDriver is no test but the driver for Go, when drivers starts it: it does
// what testdata/clients/driver.js and driver.py do.
func TestClientDriver(t *testing.T) {
	mode := strings.Fields(os.Getenv("WEIR_CLIENT_DRIVER"))
	if len(mode) == 0 {
		return
	}
	cfg := weirclient.Config{
		URL: os.Getenv("WEIR_URL"), Key: os.Getenv("WEIR_KEY"), Logger: slog.New(slog.DiscardHandler),
		Interval: 50 * time.Millisecond, MaxBackoff: 500 * time.Millisecond, Timeout: 2 * time.Second,
	}
	var stopped atomic.Bool
	line := make(chan struct{})
	go func() {
		bufio.NewScanner(os.Stdin).Scan()
		stopped.Store(true)
		close(line)
	}()
	if len(mode) == 3 {
		cfg.BatchBytes, cfg.QueueBytes = 64<<10, 1<<20
	}
	weir, err := weirclient.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	var sent int
	if len(mode) == 3 {
		if sent, err = strconv.Atoi(mode[2]); err != nil {
			t.Fatal(err)
		}
		before := heap()
		for i := range sent {
			_ = weir.Send(weirclient.Event{Call: &weirclient.Call{Method: "GET", Route: "/flood", Status: 200, Latency: time.Millisecond, Consumer: fmt.Sprintf("go-%d", i)}})
		}
		reportOf(weir, driverReport{Sent: sent, Memory: heap() - before})
		<-line
	} else {
		sent = callUntil(t, weir, &stopped)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	if err := weir.Close(ctx); err != nil {
		t.Error(err)
	}
	reportOf(weir, driverReport{Sent: sent})
}

// callUntil calls a service of its own until it is stopped; it returns how often.
func callUntil(t *testing.T, weir *weirclient.Client, stopped *atomic.Bool) (sent int) {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /users/{id}", func(w http.ResponseWriter, r *http.Request) { fmt.Fprint(w, r.PathValue("id")) })
	mux.HandleFunc("POST /orders/{id}", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusCreated) })
	mux.HandleFunc("GET /orders/{id}", func(http.ResponseWriter, *http.Request) { panic("it fails") })
	recorded := weir.Record(mux,
		weirclient.Consumer(func(r *http.Request) string { return r.Header.Get("X-Consumer") }),
		weirclient.Route(func(r *http.Request) string { // as Express writes it
			_, path, _ := strings.Cut(r.Pattern, " ")
			return strings.ReplaceAll(path, "{id}", ":id")
		}))
	service := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		defer func() {
			if recover() != nil { // the panic goes on through Record
				w.WriteHeader(http.StatusInternalServerError)
			}
		}()
		recorded.ServeHTTP(w, r)
	}))
	defer service.Close()
	for ; !stopped.Load(); sent++ {
		method, route, _ := wantedCall(sent)
		req, err := http.NewRequestWithContext(t.Context(), method, service.URL+strings.ReplaceAll(route, ":id", strconv.Itoa(sent))+"?secret=1", nil)
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("X-Consumer", fmt.Sprintf("go-%d", sent))
		began := time.Now()
		resp, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		_, _ = io.Copy(io.Discard, resp.Body)
		resp.Body.Close()
		if took := time.Since(began); took > 10*time.Second {
			printReport(driverReport{Slow: took.Seconds()})
		}
		if sent%20 == 0 {
			printReport(driverReport{Sent: sent})
		}
		time.Sleep(time.Millisecond)
	}
	return sent
}

// heap is how much is in use after a collection, in bytes.
func heap() int {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int(m.HeapAlloc)
}

func reportOf(weir *weirclient.Client, r driverReport) {
	s := weir.Stats()
	r.Offered, r.Stored = int(s.Offered), int(s.Accepted+s.Duplicates)
	r.Full, r.Lost = int(s.Dropped.Full), int(s.Dropped.Sum()-s.Dropped.Full)
	r.Retries, r.Queued = int(s.Retries), s.QueuedBytes
	printReport(r)
}

func printReport(r driverReport) {
	raw, err := json.Marshal(r)
	if err != nil {
		panic(err)
	}
	fmt.Fprintf(os.Stdout, "\n%s\n", raw)
}
