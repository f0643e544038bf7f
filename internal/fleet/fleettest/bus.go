package fleettest

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/weir-analytics/weir/internal/fleet"
)

func (s suite) testBus(t *testing.T) {
	t.Run("a message reaches all who subscribe to its topic", func(t *testing.T) {
		a, b := s.two(t, nil)
		own := Listen(t, a.Bus, "news", "weather")
		twin := Listen(t, a.Bus, "news")
		far := Listen(t, b.Bus, "weather", "news", "news")
		other := Listen(t, b.Bus, "sports")
		for _, m := range [][2]string{{"news", "one"}, {"weather", "\x00\xff"}, {"news", ""}, {"nothing", "x"}, {"sports", "last"}} {
			if err := a.Bus.Publish(t.Context(), m[0], []byte(m[1])); err != nil {
				t.Fatal(err)
			}
		}
		own.Want("news: ", "news: one", "weather: \x00\xff")
		twin.Want("news: ", "news: one")
		far.Want("news: ", "news: one", "weather: \x00\xff")
		other.Want("sports: last")
	})
	t.Run("a subscription ends with its context", func(t *testing.T) {
		a, _ := s.two(t, nil)
		l := Listen(t, a.Bus, "news")
		l.Stop()
		if err := a.Bus.Publish(t.Context(), "news", []byte("late")); err != nil {
			t.Fatal(err)
		}
		again := Listen(t, a.Bus, "news") // what it hears, the first would have
		again.Want()
		l.Want()
	})
	t.Run("many publish at once", func(t *testing.T) {
		a, b := s.two(t, nil)
		l := Listen(t, a.Bus, "news")
		var want []string
		for i := range 50 {
			want = append(want, fmt.Sprintf("news: %02d", i))
		}
		together(50, func(i int) {
			if err := []Node{a, b}[i%2].Bus.Publish(t.Context(), "news", fmt.Appendf(nil, "%02d", i)); err != nil {
				t.Error(err)
			}
		})
		l.Want(want...)
	})
	t.Run("nobody subscribes to nothing", func(t *testing.T) {
		a, _ := s.two(t, nil)
		if err := a.Bus.Subscribe(t.Context(), nil, func(string, []byte) {}); err == nil {
			t.Fatal("no error")
		}
	})
}

// Listener is a subscription that tests look at.
type Listener struct {
	t    *testing.T
	stop context.CancelFunc
	done chan struct{} // closed when Subscribe has returned

	mu     sync.Mutex
	heard  []string // "topic: message"
	probes map[string]bool
}

// probe begins the messages by which a listener finds out that it hears.
const probe = "probe "

// Listen subscribes until the test ends, and returns when messages of each of the
// topics arrive.
func Listen(t *testing.T, b fleet.Bus, topics ...string) *Listener {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	l := &Listener{t: t, stop: cancel, done: make(chan struct{}), probes: map[string]bool{}}
	go func() {
		defer close(l.done)
		if err := b.Subscribe(ctx, topics, l.hear); !errors.Is(err, context.Canceled) {
			t.Errorf("subscribe: %v", err)
		}
	}()
	t.Cleanup(l.Stop)
	for _, topic := range topics {
		l.Await(b, topic)
	}
	return l
}

func (l *Listener) hear(topic string, message []byte) {
	l.mu.Lock()
	defer l.mu.Unlock()
	text := topic + ": " + string(message)
	if len(message) >= len(probe) && string(message[:len(probe)]) == probe {
		l.probes[text] = true
		return
	}
	l.heard = append(l.heard, text)
}

// Await returns when a message published now reaches the listener.
func (l *Listener) Await(b fleet.Bus, topic string) {
	l.t.Helper()
	body := fmt.Sprintf("%s%p %d", probe, l, time.Now().UnixNano())
	eventually(l.t, "a message of "+topic+" arrives", func() bool {
		_ = b.Publish(l.t.Context(), topic, []byte(body)) // it may be disconnected, too
		l.mu.Lock()
		defer l.mu.Unlock()
		return l.probes[topic+": "+body]
	})
}

// Want waits until as many messages arrived, and says which they are, sorted.
func (l *Listener) Want(want ...string) {
	l.t.Helper()
	var got []string
	eventually(l.t, fmt.Sprintf("%d messages arrive", len(want)), func() bool {
		l.mu.Lock()
		defer l.mu.Unlock()
		got = slices.Sorted(slices.Values(l.heard))
		return len(got) >= len(want)
	})
	if !slices.Equal(got, want) {
		l.t.Fatalf("heard %q, want %q", got, want)
	}
}

// Stop ends the subscription, and returns when it has ended.
func (l *Listener) Stop() {
	l.stop()
	<-l.done
}
