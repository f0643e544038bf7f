package live

import (
	"context"
	"maps"
	"slices"
	"sync"
	"sync/atomic"

	weir "github.com/weir-analytics/weir"
)

// Hub passes events on to the streams of this process. Publishing never waits: a stream
// whose reader is too slow misses events. Safe for concurrent use.
type Hub struct {
	buffer  int
	dropped atomic.Int64

	mu      sync.RWMutex
	streams map[string]map[chan Event]struct{} // by project
}

// NewHub makes a hub. Each of its streams buffers so many events.
func NewHub(buffer int) *Hub {
	return &Hub{buffer: max(buffer, 1), streams: map[string]map[chan Event]struct{}{}}
}

// Subscribe opens a stream of a project's events. It is closed when ctx ends.
func (h *Hub) Subscribe(ctx context.Context, p *weir.Project) (<-chan Event, error) {
	ch := make(chan Event, h.buffer)
	h.mu.Lock()
	if h.streams[p.ID] == nil {
		h.streams[p.ID] = map[chan Event]struct{}{}
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

// Publish sends an event to a project's streams. The caller does not change the event's
// data afterwards.
func (h *Hub) Publish(projectID string, e Event) {
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

// Watched says whether the project has a stream. Without one there is no need to prepare
// an event.
func (h *Hub) Watched(projectID string) bool {
	h.mu.RLock()
	defer h.mu.RUnlock()
	return len(h.streams[projectID]) > 0
}

// Dropped returns how many events slow readers have missed since the start.
func (h *Hub) Dropped() int64 { return h.dropped.Load() }

// Projects returns the projects that have a stream.
func (h *Hub) Projects() []string {
	h.mu.RLock()
	defer h.mu.RUnlock()
	return slices.Collect(maps.Keys(h.streams))
}
