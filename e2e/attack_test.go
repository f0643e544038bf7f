package e2e_test

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"sync"
	"time"
)

// shot is a request as an attacker makes it.
type shot struct {
	method, path string
	header       map[string]string
	body         []byte
}

// shooters is a client for attacks, which keeps few connections.
var shooters = &http.Client{Timeout: time.Minute, Transport: &http.Transport{MaxIdleConnsPerHost: 64}}

// shoot sends the request. Status 0: no answer came.
func (s *server) shoot(r shot) (status int, answer []byte) {
	req, err := http.NewRequestWithContext(context.Background(), r.method, s.url+r.path, bytes.NewReader(r.body))
	if err != nil {
		panic(err)
	}
	for name, value := range r.header {
		if name == "Host" {
			req.Host = value
		}
		req.Header.Set(name, value)
	}
	status, _, answer = fetch(req)
	return status, answer
}

// fetch sends a request. Status 0: no answer came.
func fetch(req *http.Request) (status int, header http.Header, answer []byte) {
	resp, err := shooters.Do(req)
	if err != nil {
		return 0, nil, []byte(err.Error())
	}
	defer resp.Body.Close()
	answer, _ = io.ReadAll(resp.Body)
	return resp.StatusCode, resp.Header, answer
}

// volley sends each of the requests, so many at a time, and calls answered, which
// may be nil, one at a time.
func (s *server) volley(n int, shots []shot, answered func(r shot, status int, answer []byte)) {
	queue := make(chan shot)
	var mu sync.Mutex
	var running sync.WaitGroup
	for range n {
		running.Go(func() {
			for r := range queue {
				status, answer := s.shoot(r)
				mu.Lock()
				if answered != nil {
					answered(r, status, answer)
				}
				mu.Unlock()
			}
		})
	}
	for _, r := range shots {
		queue <- r
	}
	close(queue)
	running.Wait()
}

// holdsAll waits until the project has just n events.
func (s *server) holdsAll(p project, n int) {
	s.t.Helper()
	got := 0
	until(s.t, "all acknowledged events are there", func() bool { got = s.total(p); return got >= n })
	if got != n {
		s.t.Errorf("%d events are stored, %d were acknowledged", got, n)
	}
}
