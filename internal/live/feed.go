package live

import (
	"context"
	"encoding/json"
	"maps"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	weir "github.com/weir-analytics/weir"
	"github.com/weir-analytics/weir/internal/drain"
	"github.com/weir-analytics/weir/internal/fleet"
	"github.com/weir-analytics/weir/internal/hot"
	"github.com/weir-analytics/weir/internal/insight"
	"golang.org/x/sync/errgroup"
)

// Feed sends what happens on this node to the streams of all nodes. A node whose streams
// watch a project says so on the bus every presenceEvery. The other nodes then publish the
// project's events on the bus.
type Feed struct {
	*Hub // of this node's streams

	presence hot.Presence
	bus      fleet.Bus // nil without other nodes
	node     string
	clock    weir.Clock

	queue   chan message // to the bus
	mu      sync.RWMutex
	watched map[string]time.Time // by project: until when other nodes watch it
}

// Options are what a Feed needs.
type Options struct {
	Presence hot.Presence
	Bus      fleet.Bus // nil without other nodes
	Node     string    // this node's name among them
	Clock    weir.Clock
	Registry prometheus.Registerer
}

const (
	// streamBuffer is how many events a stream's reader may be behind.
	streamBuffer = 256
	// busQueue is how many messages may wait for the bus.
	busQueue = 256
	// presenceEvery is how often streams get the number of visitors.
	presenceEvery = 2 * time.Second
	// watchedFor is how long a project counts as watched after a node said that it
	// watches it.
	watchedFor = 3 * presenceEvery
	// receivedMax is how many events of a request a stream shows. Its count is of all.
	receivedMax = 20
)

// Topics of the bus.
const (
	topicWatch = "live.watch" // a project that a node watches
	topicEvent = "live.event" // a remoteEvent of a project that is watched
)

// message is on its way to the bus.
type message struct {
	topic string
	text  []byte
}

// remoteEvent is an Event on the bus.
type remoteEvent struct {
	Node    string          `json:"node"` // of the sender, which has published it in its own hub
	Project string          `json:"project"`
	Type    string          `json:"type"`
	Data    json.RawMessage `json:"data"`
}

// New makes a feed. Call Run.
func New(o Options) *Feed {
	f := &Feed{
		Hub: NewHub(streamBuffer), presence: o.Presence, bus: o.Bus, node: o.Node, clock: o.Clock,
		queue: make(chan message, busQueue), watched: map[string]time.Time{},
	}
	if o.Registry != nil {
		o.Registry.MustRegister(prometheus.NewCounterFunc(prometheus.CounterOpts{
			Name: "weir_live_dropped_total", Help: "Live events that slow readers missed.",
		}, func() float64 { return float64(f.Dropped()) }))
	}
	return f
}

// Watched says whether a stream of any node watches the project. It implements
// ingest.Feed.
func (f *Feed) Watched(project string) bool {
	return f.Hub.Watched(project) || f.watchedElsewhere(project)
}

func (f *Feed) watchedElsewhere(project string) bool {
	if f.bus == nil {
		return false
	}
	f.mu.RLock()
	defer f.mu.RUnlock()
	return f.clock.Now().Before(f.watched[project])
}

// Received sends a request's events. It implements ingest.Feed.
func (f *Feed) Received(project string, events []*weir.Event) {
	r := Received{Events: []insight.EventItem{}, Count: len(events)}
	for _, e := range events[max(0, len(events)-receivedMax):] {
		r.Events = append(r.Events, insight.ItemOf(e, time.UTC))
	}
	f.publish(project, Event{TypeReceived, r})
}

// Saved publishes to each project of a committed batch how many of its events were stored.
func (f *Feed) Saved(c drain.Commit) {
	counts := map[string]int{}
	for i := range c.Rows {
		counts[c.Rows[i].ProjectID]++
	}
	now := f.clock.Now()
	for project, n := range counts {
		f.publish(project, Event{TypeSaved, Saved{Events: n, AsOf: now}})
	}
}

// publish sends an event to the streams of all nodes. It never waits: if the queue to the
// bus is full, the event is dropped, as for a slow reader.
func (f *Feed) publish(project string, e Event) {
	f.Publish(project, e)
	if !f.watchedElsewhere(project) {
		return
	}
	data, err := json.Marshal(e.Data)
	if err != nil {
		return // our own types can be marshalled
	}
	text, err := json.Marshal(remoteEvent{f.node, project, e.Type, data})
	if err != nil {
		return
	}
	f.enqueue(topicEvent, text)
}

func (f *Feed) enqueue(topic string, text []byte) {
	select {
	case f.queue <- message{topic, text}:
	default:
	}
}

// receive handles a message of another node.
func (f *Feed) receive(topic string, text []byte) {
	if topic == topicWatch {
		f.mu.Lock()
		defer f.mu.Unlock()
		now := f.clock.Now()
		maps.DeleteFunc(f.watched, func(_ string, until time.Time) bool { return until.Before(now) })
		f.watched[string(text)] = now.Add(watchedFor)
		return
	}
	var e remoteEvent
	if json.Unmarshal(text, &e) == nil && e.Node != f.node {
		f.Publish(e.Project, Event{e.Type, e.Data})
	}
}

// Run sends the number of visitors to watched projects, and exchanges events with other
// nodes, until ctx is done. It always returns nil.
func (f *Feed) Run(ctx context.Context) error {
	if f.bus == nil {
		return f.sendPresence(ctx)
	}
	var g errgroup.Group
	g.Go(func() error { return f.sendPresence(ctx) })
	g.Go(func() error {
		_ = f.bus.Subscribe(ctx, []string{topicWatch, topicEvent}, f.receive) // its only error is that ctx is done
		return nil
	})
	g.Go(func() error {
		for {
			select {
			case <-ctx.Done():
				return nil
			case m := <-f.queue:
				_ = f.bus.Publish(ctx, m.topic, m.text) // live events may be missed
			}
		}
	})
	return g.Wait()
}

func (f *Feed) sendPresence(ctx context.Context) error {
	t := time.NewTicker(presenceEvery)
	defer t.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-t.C:
			for _, project := range f.Projects() {
				if f.bus != nil {
					f.enqueue(topicWatch, []byte(project))
				}
				n, err := f.presence.Live(ctx, project, f.clock.Now())
				if err != nil {
					continue // the store is unavailable, or closing: the next tick may succeed
				}
				f.Publish(project, Event{TypePresence, Presence{LiveVisitors: n}})
			}
		}
	}
}
