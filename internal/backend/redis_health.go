package backend

import (
	"context"
	"sync"
	"time"

	weir "github.com/weir-analytics/weir"
	"github.com/weir-analytics/weir/internal/hot/redis"
)

const (
	redisHealthWithin = 2 * time.Second // for an answer
	redisHealthKept   = 5 * time.Second // an answer, so that scrapes do not weigh on Redis
)

// redisHealth returns the health of the hot tier's Redis. An answer is cached for
// redisHealthKept, and calls at the same time share one request. It is safe for concurrent
// use.
type redisHealth struct {
	url   string // without its secrets
	ask   func(context.Context) (redis.Health, error)
	clock weir.Clock

	mu     sync.Mutex // held while it asks: the others wait for the same answer
	health redis.Health
	err    error
	until  time.Time
}

// get returns a health that is at most redisHealthKept old. With an error it has the parts
// that could be read.
func (r *redisHealth) get() (redis.Health, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.clock.Now().Before(r.until) {
		return r.health, r.err
	}
	// Not of the caller's context: the answer is for others too.
	ctx, cancel := context.WithTimeout(context.Background(), redisHealthWithin)
	defer cancel()
	r.health, r.err = r.ask(ctx)
	r.until = r.clock.Now().Add(redisHealthKept)
	return r.health, r.err
}

// redisStatus is the Redis of a hot tier in the status.
type redisStatus struct {
	kindStatus

	URL   string `json:"url"`
	Error string `json:"error,omitempty"` // when no server of Redis answers
	redis.Health
}

func (r *redisHealth) status() HotStatus {
	h, err := r.get()
	shown := redisStatus{kindStatus: kindStatus{"redis"}, URL: r.url, Health: h}
	if err != nil {
		shown.Error = err.Error()
	}
	if !h.Up {
		return HotStatus{Shown: shown}
	}
	return HotStatus{Shown: shown, Waiting: &h.WaitingEvents, OldestSeconds: &h.OldestSeconds}
}
