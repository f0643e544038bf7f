package redis_test

import (
	"context"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/redis/rueidis"
	weir "github.com/weir-analytics/weir"
	"github.com/weir-analytics/weir/internal/hot"
	"github.com/weir-analytics/weir/internal/hot/hottest"
	"github.com/weir-analytics/weir/internal/hot/redis"
	"github.com/weir-analytics/weir/internal/redisconn"
	"github.com/weir-analytics/weir/internal/redistest"
)

// store is a store with the client that it is on, which closes with it.
type store struct {
	*redis.Store
	client rueidis.Client
	full   func() bool
}

func openStore(url string, o redis.Options) (*store, error) {
	u, err := redisconn.Parse(url)
	if err != nil {
		return nil, err
	}
	client, err := redisconn.Open(context.Background(), u, redisconn.Options{Wait: 10 * time.Second, Durable: true})
	if err != nil {
		return nil, err
	}
	s, err := redis.Open(context.Background(), client, u.Prefix, o)
	if err != nil {
		client.Close()
		return nil, err
	}
	return &store{Store: s, client: client}, nil
}

func (s *store) Close() error {
	err := s.Store.Close()
	s.client.Close()
	return err
}

// Append fills Redis up for real when the test wants a full store.
func (s *store) Append(ctx context.Context, items []hot.Item) ([]int, error) {
	if s.full != nil {
		limit := "0"
		if s.full() {
			limit = "1"
		}
		for _, node := range s.client.Nodes() {
			if err := node.Do(ctx, node.B().ConfigSet().ParameterValue().ParameterValue("maxmemory", limit).Build()).Error(); err != nil {
				return nil, err
			}
		}
	}
	return s.Store.Append(ctx, items)
}

func open(place string, c hottest.Config) (hot.Store, error) {
	s, err := openStore(place, redis.Options{Clock: c.Clock, Window: c.Window, MaxMembers: c.MaxMembers, AckReplica: strings.Contains(place, "sentinel")})
	if err != nil {
		return nil, err
	}
	s.full = c.Full
	return s, nil
}

func TestMain(m *testing.M) { hottest.Main(m, open) }

// places makes new places on one server.
func places(url string) func(*testing.T) string {
	var n atomic.Int64
	return func(*testing.T) string { return fmt.Sprintf("%s?prefix=t%d", url, n.Add(1)) }
}

func TestStandalone(t *testing.T) {
	t.Parallel()
	hottest.Run(t, open, places(redistest.Start(t).URL()))
}

func TestCluster(t *testing.T) {
	t.Parallel()
	hottest.Run(t, open, places(redistest.StartCluster(t, 3, 0).URL()))
}

func TestSentinel(t *testing.T) {
	t.Parallel()
	hottest.Run(t, open, places(redistest.StartSentinel(t).URL()))
}

// item returns an event of now in UTC.
func item(id, device string) hot.Item {
	now := weir.Clock(nil).Now()
	return hot.Item{Event: &weir.Event{ID: id, ProjectID: "p", Name: "x", Time: now, ReceivedAt: now, DeviceID: device}, Location: time.UTC}
}
