package e2e_test

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

// slow opens so many connections that begin a request, send little of its body and wait,
// and does so again with each that the server closes.
func (s *server) slow(n int, route func(i int) (shot, string)) (open *atomic.Int64) {
	s.t.Helper()
	open = &atomic.Int64{}
	ctx := s.t.Context()
	for i := range n {
		r, key := route(i)
		go func() {
			for ctx.Err() == nil {
				c, err := net.DialTimeout("tcp", strings.TrimPrefix(s.url, "http://"), 10*time.Second)
				if err != nil {
					return // the server has stopped
				}
				_, _ = fmt.Fprintf(c, "%s %s HTTP/1.1\r\nHost: localhost\r\nUser-Agent: Mozilla/5.0\r\nContent-Type: application/json\r\nAuthorization: Bearer %s\r\nContent-Encoding: %s\r\nContent-Length: 1000000\r\n\r\n%s",
					r.method, r.path, key, r.header["Content-Encoding"], r.body)
				open.Add(1)
				stop := make(chan struct{})
				go func() {
					select {
					case <-ctx.Done():
					case <-stop:
					}
					_ = c.Close()
				}()
				_, _ = io.Copy(io.Discard, c)
				open.Add(-1)
				close(stop)
			}
		}()
	}
	return open
}

// Who sends a byte and waits holds neither memory nor, for long, a connection: whoever
// has something to send gets through all the time.
func TestSlowBodiesKeepNobodyOut(t *testing.T) {
	s, _ := startAttacked(t)
	p := s.project("UTC")
	begins := []shot{
		{body: nil},
		{body: []byte("{")},
		{body: []byte(strings.Repeat(" ", 3000))},
		{body: []byte("\x1f\x8b\x08"), header: map[string]string{"Content-Encoding": "gzip"}},
		{body: []byte("\x28\xb5\x2f\xfd\x00\x68"), header: map[string]string{"Content-Encoding": "zstd"}},
		{body: []byte("\x1b"), header: map[string]string{"Content-Encoding": "br"}},
	}
	routes := s.bodyRoutes()
	n := 600 * attackScale(t)
	keyed := s.slow(n, func(i int) (shot, string) {
		r := begins[i%len(begins)]
		r.method, r.path = "POST", "/v1/events"
		if i%2 == 1 {
			r.path = "/batch"
		}
		return r, p.Key
	})
	keyless := s.slow(n, func(i int) (shot, string) {
		r := begins[i/len(routes)%len(begins)]
		r.method, r.path = routes[i%len(routes)].method, routes[i%len(routes)].path
		return r, "wrong"
	})
	until(t, "the slow ones are connected", func() bool { return keyed.Load() == int64(n) && keyless.Load() > int64(n/2) })
	acked := 0
	vendor := fmt.Sprintf(`{"api_key":%q,"event":"honest","distinct_id":"ada"}`, p.Key)
	for range 50 {
		if r := s.send(p, `{"name":"honest"}`); r.Accepted != 1 {
			t.Fatalf("an honest event: %+v", r)
		}
		if raw, status := s.do("POST", "/batch", "", "", strings.NewReader(vendor)); status != http.StatusOK {
			t.Fatalf("an honest event of an SDK: %d: %s", status, raw)
		}
		acked += 2
	}
	t.Logf("%d slow connections with a key, %d without, %d MiB", keyed.Load(), keyless.Load(), s.rss()>>20)
	s.staysUnder(attackBudget, "slow bodies")
	s.holdsAll(p, acked)
}
