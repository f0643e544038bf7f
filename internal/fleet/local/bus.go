package local

import (
	"context"
	"errors"
	"slices"
	"sync"
)

// backlog is how many messages wait for a subscriber before it loses the next.
const backlog = 256

// Bus is a fleet.Bus among the goroutines of one process.
type Bus struct {
	mu          sync.RWMutex
	subscribers map[*subscriber]struct{}
}

type subscriber struct {
	topics   []string
	messages chan message
}

type message struct {
	topic string
	body  []byte
}

func newBus() *Bus { return &Bus{subscribers: map[*subscriber]struct{}{}} }

// Publish is fleet.Bus's. It does not block.
func (b *Bus) Publish(_ context.Context, topic string, body []byte) error {
	b.mu.RLock()
	defer b.mu.RUnlock()
	for s := range b.subscribers {
		if !slices.Contains(s.topics, topic) {
			continue
		}
		select {
		case s.messages <- message{topic, body}:
		default: // it does not keep up
		}
	}
	return nil
}

// Subscribe is fleet.Bus's.
func (b *Bus) Subscribe(ctx context.Context, topics []string, fn func(topic string, message []byte)) error {
	if len(topics) == 0 {
		return errors.New("fleet: subscribe: no topics")
	}
	s := &subscriber{topics: slices.Clone(topics), messages: make(chan message, backlog)}
	b.mu.Lock()
	b.subscribers[s] = struct{}{}
	b.mu.Unlock()
	defer func() {
		b.mu.Lock()
		delete(b.subscribers, s)
		b.mu.Unlock()
	}()
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case m := <-s.messages:
			fn(m.topic, m.body)
		}
	}
}
