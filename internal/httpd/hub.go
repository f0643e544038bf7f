package httpd

import (
	"context"
	"maps"
	"slices"
	"sync"
	"sync/atomic"

	weir "github.com/weir-analytics/weir"
)

// Hub is a Live that passes on what is published to it. Publishing never
// waits: who reads too slowly misses events.
type Hub struct {
	buffer  int
	dropped atomic.Int64

	mu      sync.RWMutex
	streams map[string]map[chan LiveEvent]struct{} // by project
}

// NewHub makes a hub whose streams buffer so many events each.
func NewHub(buffer int) *Hub {
	return &Hub{buffer: max(buffer, 1), streams: map[string]map[chan LiveEvent]struct{}{}}
}

// Live opens a stream that is closed when ctx ends.
func (h *Hub) Live(ctx context.Context, p *weir.Project) (<-chan LiveEvent, error) {
	ch := make(chan LiveEvent, h.buffer)
	h.mu.Lock()
	if h.streams[p.ID] == nil {
		h.streams[p.ID] = map[chan LiveEvent]struct{}{}
	}
	h.streams[p.ID][ch] = struct{}{}
	h.mu.Unlock()
	context.AfterFunc(ctx, func() {
		h.mu.Lock()
		defer h.mu.Unlock()
		delete(h.streams[p.ID], ch)
		if len(h.streams[p.ID]) == 0 {
			delete(h.streams, p.ID)
		}
		close(ch)
	})
	return ch, nil
}

// Publish passes an event on to a project's streams. Its data must not change
// after.
func (h *Hub) Publish(projectID string, e LiveEvent) {
	h.mu.RLock()
	defer h.mu.RUnlock()
	for ch := range h.streams[projectID] {
		select {
		case ch <- e:
		default:
			h.dropped.Add(1)
		}
	}
}

// Watched says whether anybody watches a project: when not, there is no need to
// prepare what is to be published.
func (h *Hub) Watched(projectID string) bool {
	h.mu.RLock()
	defer h.mu.RUnlock()
	return len(h.streams[projectID]) > 0
}

// Dropped is how many events slow readers missed since the start.
func (h *Hub) Dropped() int64 { return h.dropped.Load() }

// Projects are those that somebody watches.
func (h *Hub) Projects() []string {
	h.mu.RLock()
	defer h.mu.RUnlock()
	return slices.Collect(maps.Keys(h.streams))
}
