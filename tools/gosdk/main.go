// Command gosdk tells the story of tools/sdk with the Go SDKs of other vendors: gosdk
// posthog|segment|rudder. It prints what the scenarios there print. It is a module of its own,
// so that Weir's go.mod has none of these SDKs.
package main

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"
	"sync"
	"time"
)

// sent is an event that the SDK was given.
type sent struct {
	Kind string `json:"kind,omitempty"`
	Name string `json:"name,omitempty"`
	ID   string `json:"id,omitempty"`
	N    *int   `json:"n,omitempty"`
}

// story is what a scenario prints.
type story struct {
	Sent   []sent   `json:"sent"`
	Errors []string `json:"errors"`
}

// scenario is the state of the story. It is the SDK's logger too.
type scenario struct {
	url, key string
	ticks    int
	sent     []sent

	mu       sync.Mutex
	errors   []string
	enqueued int
	answered int
	changed  sync.Cond // with mu
}

// queued notes that the SDK took a message.
func (s *scenario) queued(err error) {
	must(err)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.enqueued++
}

// delivered waits until the SDK has reported each message as sent or failed. When the SDK is
// closed, it drops the messages that it would still send again.
func (s *scenario) delivered() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for s.answered < s.enqueued {
		s.changed.Wait()
	}
}

// outcome collects what an SDK reports about its messages: sent or failed.
type outcome[M any] struct{ *scenario }

func (o outcome[M]) Success(M) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.answered++
	o.changed.Broadcast()
}

func (o outcome[M]) Failure(m M, err error) {
	o.Errorf("failure: %v", err)
	o.Success(m)
}

// note notes an event, and returns an id for it.
func (s *scenario) note(kind, name string, n *int) string {
	id := fmt.Sprintf("%08x-0000-4000-8000-%012x", os.Getpid(), len(s.sent))
	s.sent = append(s.sent, sent{kind, name, id, n})
	return id
}

func (s *scenario) Debugf(string, ...any) {}
func (s *scenario) Logf(string, ...any)   {}

func (s *scenario) Warnf(format string, args ...any) { s.Errorf(format, args...) }

func (s *scenario) Errorf(format string, args ...any) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.errors = append(s.errors, fmt.Sprintf(format, args...))
}

// complaints are the errors since the last call.
func (s *scenario) complaints() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	errors := s.errors
	s.errors = []string{}
	return errors
}

// batch is how many events go together.
func (s *scenario) batch() int { return min(s.ticks, 50) }

// must ends the scenario with an error.
func must(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// soon is the wait before an attempt.
func soon(int) time.Duration { return 100 * time.Millisecond }

var properties = map[string]any{
	"plan": "pro", "seats": 3, "price": 9.5, "trial": true, "tags": []string{"a", "b"}, "nested": map[string]any{"a": map[string]any{"b": 1}},
	"text": "Größe \"XL\" \\ 漢字 😀",
}

const (
	userAgent = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36"
	origin    = "http://shop.example"
	home      = origin + "/?utm_source=newsletter&utm_medium=email&utm_campaign=spring"
	pricing   = origin + "/pricing?tab=yearly"
)

func main() {
	ticks, err := strconv.Atoi(os.Getenv("WEIR_BATCH"))
	must(err)
	s := &scenario{url: strings.TrimSuffix(os.Getenv("WEIR_URL"), "/"), key: os.Getenv("WEIR_KEY"), ticks: ticks, errors: []string{}}
	s.changed.L = &s.mu
	stories := map[string]func(*scenario){"posthog": tellPostHog, "segment": tellSegment, "rudder": tellRudder}
	stories[os.Args[1]](s)
	out := json.NewEncoder(os.Stdout)
	must(out.Encode(story{s.sent, s.complaints()}))
	_, _ = io.Copy(io.Discard, os.Stdin)
	must(out.Encode(story{nil, s.complaints()}))
}
