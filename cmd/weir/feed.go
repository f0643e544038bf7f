package main

import (
	"context"
	"time"

	weir "github.com/weir-analytics/weir"
	"github.com/weir-analytics/weir/internal/drain"
	"github.com/weir-analytics/weir/internal/hot"
	"github.com/weir-analytics/weir/internal/httpd"
	"github.com/weir-analytics/weir/internal/insight"
)

// feed passes on to live streams what the parts tell.
type feed struct {
	hub      *httpd.Hub
	presence hot.Presence
	clock    weir.Clock
}

func newFeed(hub *httpd.Hub, p hot.Presence) *feed { return &feed{hub: hub, presence: p} }

// receivedMax is how many events of a request a live stream shows; it is told
// the number of all.
const receivedMax = 20

// received is the data of a "received" event.
type received struct {
	Events []insight.EventItem `json:"events"` // the last of them
	Count  int                 `json:"count"`
}

// saved is the data of a "saved" event.
type saved struct {
	Events int       `json:"events"`
	AsOf   time.Time `json:"as_of"`
}

// presence is the data of a "presence" event.
type presence struct {
	LiveVisitors int `json:"live_visitors"`
}

// Watched implements ingest.Feed.
func (f *feed) Watched(project string) bool { return f.hub.Watched(project) }

// Received implements ingest.Feed.
func (f *feed) Received(project string, events []*weir.Event) {
	r := received{Count: len(events)}
	for _, e := range events[max(0, len(events)-receivedMax):] {
		r.Events = append(r.Events, insight.ItemOf(e, time.UTC))
	}
	f.hub.Publish(project, httpd.LiveEvent{Type: "received", Data: r})
}

// saved tells the projects of a committed batch.
func (f *feed) saved(c drain.Commit) {
	counts := map[string]int{}
	for i := range c.Rows {
		counts[c.Rows[i].ProjectID]++
	}
	now := f.clock.Now()
	for project, n := range counts {
		f.hub.Publish(project, httpd.LiveEvent{Type: "saved", Data: saved{n, now}})
	}
}

// presenceEvery is how often watched projects are told who is there.
const presenceEvery = 2 * time.Second

// run tells the presence of watched projects until ctx is done.
func (f *feed) run(ctx context.Context) error {
	t := time.NewTicker(presenceEvery)
	defer t.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-t.C:
			for _, project := range f.hub.Projects() {
				n, err := f.presence.Live(ctx, project, f.clock.Now())
				if err != nil {
					continue // the store is closing, or the next tick succeeds
				}
				f.hub.Publish(project, httpd.LiveEvent{Type: "presence", Data: presence{n}})
			}
		}
	}
}
