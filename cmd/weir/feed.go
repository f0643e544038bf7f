package main

import (
	"context"
	"encoding/json"
	"maps"
	"sync"
	"time"

	weir "github.com/weir-analytics/weir"
	"github.com/weir-analytics/weir/internal/drain"
	"github.com/weir-analytics/weir/internal/fleet"
	"github.com/weir-analytics/weir/internal/hot"
	"github.com/weir-analytics/weir/internal/httpd"
	"github.com/weir-analytics/weir/internal/insight"
	"golang.org/x/sync/errgroup"
)

// feed passes on to live streams what the parts tell, those of other nodes too:
// a node whose streams watch a project says so now and then, and gets what
// happens in it by the bus.
type feed struct {
	hub      *httpd.Hub
	presence hot.Presence
	bus      fleet.Bus // nil without other nodes
	node     string
	clock    weir.Clock

	queue   chan outgoing
	mu      sync.RWMutex
	watched map[string]time.Time // by project: until when other nodes watch it
}

type outgoing struct {
	topic   string
	message []byte
}

func newFeed(hub *httpd.Hub, p hot.Presence, bus fleet.Bus, node string) *feed {
	return &feed{hub: hub, presence: p, bus: bus, node: node, queue: make(chan outgoing, 256), watched: map[string]time.Time{}}
}

// Topics of the bus.
const (
	topicWatch = "live.watch" // a project that a node watches
	topicEvent = "live.event" // a told, of a project that is watched
)

// told is a live event on its way to other nodes.
type told struct {
	Node    string          `json:"node"` // of the sender, who has told its own streams
	Project string          `json:"project"`
	Type    string          `json:"type"`
	Data    json.RawMessage `json:"data"`
}

// watchedFor is how long a node's word that it watches a project holds.
const watchedFor = 3 * presenceEvery

// elsewhere says whether another node watches the project.
func (f *feed) elsewhere(project string) bool {
	if f.bus == nil {
		return false
	}
	f.mu.RLock()
	defer f.mu.RUnlock()
	return f.clock.Now().Before(f.watched[project])
}

// tell passes a live event on to the streams of all nodes. It never waits: what
// does not fit is dropped, as for a slow reader.
func (f *feed) tell(project string, e httpd.LiveEvent) {
	f.hub.Publish(project, e)
	if !f.elsewhere(project) {
		return
	}
	data, err := json.Marshal(e.Data)
	if err != nil {
		return // it is ours, and can be marshalled
	}
	message, err := json.Marshal(told{f.node, project, e.Type, data})
	if err != nil {
		return
	}
	f.send(topicEvent, message)
}

func (f *feed) send(topic string, message []byte) {
	select {
	case f.queue <- outgoing{topic, message}:
	default:
	}
}

// hear takes what other nodes say.
func (f *feed) hear(topic string, message []byte) {
	if topic == topicWatch {
		f.mu.Lock()
		defer f.mu.Unlock()
		now := f.clock.Now()
		maps.DeleteFunc(f.watched, func(_ string, until time.Time) bool { return until.Before(now) })
		f.watched[string(message)] = now.Add(watchedFor)
		return
	}
	var t told
	if json.Unmarshal(message, &t) == nil && t.Node != f.node {
		f.hub.Publish(t.Project, httpd.LiveEvent{Type: t.Type, Data: t.Data})
	}
}

// receivedMax is how many events of a request a live stream shows; it is told
// the number of all.
const receivedMax = 20

// Watched implements ingest.Feed.
func (f *feed) Watched(project string) bool { return f.hub.Watched(project) || f.elsewhere(project) }

// Received implements ingest.Feed.
func (f *feed) Received(project string, events []*weir.Event) {
	r := httpd.LiveReceived{Events: []insight.EventItem{}, Count: len(events)}
	for _, e := range events[max(0, len(events)-receivedMax):] {
		r.Events = append(r.Events, insight.ItemOf(e, time.UTC))
	}
	f.tell(project, httpd.LiveEvent{Type: "received", Data: r})
}

// saved tells the projects of a committed batch.
func (f *feed) saved(c drain.Commit) {
	counts := map[string]int{}
	for i := range c.Rows {
		counts[c.Rows[i].ProjectID]++
	}
	now := f.clock.Now()
	for project, n := range counts {
		f.tell(project, httpd.LiveEvent{Type: "saved", Data: httpd.LiveSaved{Events: n, AsOf: now}})
	}
}

// presenceEvery is how often watched projects are told who is there.
const presenceEvery = 2 * time.Second

// run tells the presence of watched projects, and speaks to other nodes, until
// ctx is done.
func (f *feed) run(ctx context.Context) error {
	if f.bus == nil {
		return f.tick(ctx)
	}
	var g errgroup.Group
	g.Go(func() error { return f.tick(ctx) })
	g.Go(func() error {
		_ = f.bus.Subscribe(ctx, []string{topicWatch, topicEvent}, f.hear) // its only error is that ctx is done
		return nil
	})
	g.Go(func() error {
		for {
			select {
			case <-ctx.Done():
				return nil
			case o := <-f.queue:
				_ = f.bus.Publish(ctx, o.topic, o.message) // live events may be missed
			}
		}
	})
	return g.Wait()
}

func (f *feed) tick(ctx context.Context) error {
	t := time.NewTicker(presenceEvery)
	defer t.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-t.C:
			for _, project := range f.hub.Projects() {
				if f.bus != nil {
					f.send(topicWatch, []byte(project))
				}
				n, err := f.presence.Live(ctx, project, f.clock.Now())
				if err != nil {
					continue // the store is closing, or the next tick succeeds
				}
				f.hub.Publish(project, httpd.LiveEvent{Type: "presence", Data: httpd.LivePresence{LiveVisitors: n}})
			}
		}
	}
}
