package main

import (
	"context"
	"time"

	"github.com/weir-analytics/weir/internal/hot/redis"
	"github.com/weir-analytics/weir/internal/httpd"
	"github.com/weir-analytics/weir/internal/redisconn"
)

// hotStatus is the hot tier in the status.
type hotStatus struct {
	Kind string `json:"kind"` // pebble or redis
}

type redisStatus struct {
	hotStatus

	URL   string `json:"url"`
	Error string `json:"error,omitempty"` // when no server of Redis answers
	redis.Health
}

// watchRedis shows the health of the hot tier's Redis, if it is in one.
func (s *server) watchRedis() {
	store, ok := s.hot.(interface {
		Health(ctx context.Context) (redis.Health, error)
	})
	if !ok {
		return
	}
	s.redis = &redisHealth{ask: store.Health}
	if u, err := redisconn.Parse(s.cmd.Hot); err == nil {
		s.redis.url = u.String()
	}
	s.reg.MustRegister(newRedisMetrics(s.redis))
}

// status is what the node knows of itself.
func (s *server) status(ctx context.Context) (httpd.Status, error) {
	st := httpd.Status{Roles: s.cmd.Roles}
	if s.redis == nil {
		st.Hot = hotStatus{Kind: "pebble"}
		if n, err := s.drain.Behind(ctx); err == nil { // drains, since it is alone
			st.Drain.BehindEvents = &n
		}
	} else {
		h, err := s.redis.get()
		of := redisStatus{hotStatus: hotStatus{Kind: "redis"}, URL: s.redis.url, Health: h}
		if err != nil {
			of.Error = err.Error()
		}
		st.Hot = of
		if h.Up {
			st.Drain.BehindEvents = &h.WaitingEvents
		}
		if s.drain == nil && h.Up { // the log itself says how far those are that drain
			st.Drain.LagSeconds = &h.OldestSeconds
		}
	}
	if s.drain != nil {
		if at := s.drain.AsOf(); !at.IsZero() {
			lag := max(0, time.Since(at).Seconds())
			st.Drain.LagSeconds = &lag
		}
	}
	return st, nil
}
