package redis

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"time"

	"github.com/redis/rueidis"
	"github.com/weir-analytics/weir/internal/outage"
)

// Waits before a subscriber connects again: the first, doubled up to the last.
const (
	firstBackoff = 50 * time.Millisecond
	lastBackoff  = 3 * time.Second
)

// Bus is a fleet.Bus over PUBLISH and SUBSCRIBE, which in a Cluster reach all nodes.
type Bus struct {
	*conn
	log *slog.Logger
}

// Publish is fleet.Bus's. When the connection is lost it is not tried again.
func (b *Bus) Publish(ctx context.Context, topic string, message []byte) error {
	publish := b.client.B().Publish().Channel(b.channel(topic)).Message(rueidis.BinaryString(message)).Build()
	if err := b.send(ctx, publish).Error(); err != nil {
		return fmt.Errorf("fleet: publish %q: %w", topic, err)
	}
	return nil
}

// Subscribe is fleet.Bus's. Each has a connection of its own, so that a slow fn holds
// up nobody else's answers, and nothing stays subscribed after it. It goes on trying
// when the client says that it is closing, as that may be about one node of many.
func (b *Bus) Subscribe(ctx context.Context, topics []string, fn func(topic string, message []byte)) error {
	if len(topics) == 0 {
		return errors.New("fleet: subscribe: no topics")
	}
	channels := make([]string, len(topics))
	for i, t := range topics {
		channels[i] = b.channel(t)
	}
	away := outage.New(b.log, nil, "no messages of other nodes until connected again", "messages of other nodes come again")
	for backoff := firstBackoff; ; backoff = min(2*backoff, lastBackoff) {
		live, err := b.receive(ctx, channels, fn, func() { away.Up("topics", topics) })
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if live {
			backoff = firstBackoff
		}
		away.Down(err, "topics", topics)
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(backoff):
		}
	}
}

// receive subscribes once, until the connection is lost or ctx is done, and calls
// subscribed when Redis has confirmed it. live says whether it ever did.
func (b *Bus) receive(ctx context.Context, channels []string, fn func(topic string, message []byte), subscribed func()) (live bool, err error) {
	c, release := b.client.Dedicate()
	defer release()
	defer c.Close() // not back to the pool, where it would have to unsubscribe first
	confirmed := make(chan struct{}, len(channels))
	hooked := rueidis.WithOnSubscriptionHook(ctx, func(s rueidis.PubSubSubscription) {
		select {
		case confirmed <- struct{}{}:
			subscribed()
		default:
		}
	})
	err = c.Receive(hooked, c.B().Subscribe().Channel(channels...).Build(), func(m rueidis.PubSubMessage) {
		fn(strings.TrimPrefix(m.Channel, b.channel("")), []byte(m.Message))
	})
	return len(confirmed) > 0, err
}

func (b *Bus) channel(topic string) string { return b.prefix + "bus:" + topic }
