package e2e_test

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"
)

// A write key is public: whoever has seen the page can send as many devices as they
// like. What is kept of each in memory is bounded, and so is the sum.
func TestInventedDevicesFillNoMemory(t *testing.T) {
	s, _ := startAttacked(t)
	p := s.project("UTC")
	const each = 500
	requests, acked := 160*attackScale(t), 0
	path := strings.Repeat("a very long path/", 90) // 1.5 KB
	now := time.Now().UTC().Format(time.RFC3339)
	shots := make([]shot, requests)
	for i := range shots {
		shots[i] = shot{
			method: "POST", path: "/v1/events",
			header: map[string]string{"Authorization": "Bearer " + p.Key, "Content-Encoding": "gzip"},
			body: gzipped(func(w io.Writer) {
				for n := range each {
					fmt.Fprintf(w, `{"id":"i-%[1]d-%[2]d","name":"screen_view","device_id":"invented-%[1]d-%[2]d","ts":"%[3]s","path":"/%[4]s%[1]d-%[2]d"}`+"\n", i, n, now, path)
				}
			}),
		}
	}
	statuses := map[int]int{}
	s.volley(8, shots, func(_ shot, status int, answer []byte) {
		statuses[status]++
		var r reply
		if status == http.StatusOK && json.Unmarshal(answer, &r) == nil {
			acked += r.Accepted
		}
	})
	s.staysUnder(attackBudget, fmt.Sprintf("%d invented devices", requests*each))
	if acked < requests*each/4 {
		t.Errorf("%d of %d events were taken: %v", acked, requests*each, statuses)
	}
	s.holdsAll(p, acked)
	s.staysUnder(attackBudget, "the drain of invented devices")
	s.isWell(p)
	t.Logf("answers %v: %d invented devices, at most %d MiB", statuses, acked, s.peak()>>20)
}
