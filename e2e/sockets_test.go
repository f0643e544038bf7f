package e2e_test

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"
)

// limitFiles is a weir that may open so many files at once.
func limitFiles(t *testing.T, path string, n int) string {
	t.Helper()
	script := filepath.Join(t.TempDir(), "weir")
	if err := os.WriteFile(script, fmt.Appendf(nil, "#!/bin/sh\nulimit -n %d && exec '%s' \"$@\"\n", n, path), 0o700); err != nil { //nolint:gosec // it is to be run
		t.Fatal(err)
	}
	return script
}

// Who opens connections and says nothing holds up neither the stores nor, for longer
// than a connection may be silent, those who have something to send.
func TestIdleSocketsKeepNobodyOut(t *testing.T) {
	const files = 256
	s := start(t, limitFiles(t, binary(t, ""), files), "--listen", "127.0.0.1:0", "--data", t.TempDir(), "--log-level", "warn")
	p := s.project("UTC")
	sockets := (files + 50) * attackScale(t)
	for range sockets {
		c, err := net.DialTimeout("tcp", strings.TrimPrefix(s.url, "http://"), 10*time.Second)
		if err != nil {
			t.Logf("no more connections: %v", err)
			break
		}
		t.Cleanup(func() { c.Close() })
		_, _ = io.WriteString(c, "POST /v1/events HTTP/1.1\r\n") // and no more of it
	}
	honest := http.Client{Timeout: 5 * time.Second, Transport: &http.Transport{DisableKeepAlives: true}}
	acked := 0
	until(t, "an honest sender gets through", func() bool {
		req, err := http.NewRequestWithContext(t.Context(), "POST", s.url+"/v1/events", strings.NewReader(fmt.Sprintf(`{"id":"h%d","name":"honest"}`, acked)))
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Authorization", "Bearer "+p.Key)
		resp, err := honest.Do(req)
		if err != nil {
			return false
		}
		defer resp.Body.Close()
		if resp.StatusCode != http.StatusOK {
			t.Errorf("an honest event: %s", resp.Status)
		}
		acked++
		return acked == 20
	})
	s.holdsAll(p, acked)
	log := s.log.String()
	if n := strings.Count(log, "\n"); n > 200 {
		t.Errorf("%d lines in the log", n)
	}
	if strings.Contains(log, "too many open files") {
		t.Errorf("the stores ran out of files: %s", s.logTail())
	}
	s.stop()
}

// Nobody is known before the head of a request is there.
func TestHeadsThatDoNotEndTakeLittleMemory(t *testing.T) {
	s, _ := startAttacked(t)
	p := s.project("UTC")
	var short strings.Builder
	for i := 0; short.Len() < 31<<10; i++ {
		fmt.Fprintf(&short, "%x:\r\n", i)
	}
	heads := []string{short.String(), "Cookie: " + strings.Repeat("x", 31<<10)}
	before := s.rss() >> 20
	sockets := 3000 * attackScale(t)
	var wg sync.WaitGroup
	for w := range 20 {
		wg.Go(func() {
			for i := range sockets / 20 {
				c, err := net.DialTimeout("tcp", strings.TrimPrefix(s.url, "http://"), 10*time.Second)
				if err != nil {
					return
				}
				t.Cleanup(func() { c.Close() })
				_ = c.SetDeadline(time.Now().Add(10 * time.Second))
				_, _ = io.WriteString(c, "POST /v1/events HTTP/1.1\r\n"+heads[(w+i)%2])
			}
		})
	}
	wg.Wait()
	s.isWell(p)
	t.Logf("%d MiB before, at most %d", before, s.peak()>>20)
	s.staysUnder(before+200, "heads that do not end")
}
