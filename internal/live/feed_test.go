package live_test

import (
	"context"
	"encoding/json"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	weir "github.com/weir-analytics/weir"
	"github.com/weir-analytics/weir/internal/drain"
	"github.com/weir-analytics/weir/internal/fleet/local"
	"github.com/weir-analytics/weir/internal/hot"
	"github.com/weir-analytics/weir/internal/live"
)

// visitors is a presence of so many devices in every project.
type visitors int

func (n visitors) Live(context.Context, string, time.Time) (int, error) { return int(n), nil }

func (visitors) Seen(context.Context, string, []hot.SeenQuery, time.Time) ([]hot.SeenResult, error) {
	return nil, nil
}

// next returns the next event as JSON, as a stream sends it.
func next(t *testing.T, stream <-chan live.Event) string {
	t.Helper()
	e := <-stream
	data, err := json.Marshal(e.Data)
	if err != nil {
		t.Fatal(err)
	}
	return e.Type + " " + string(data)
}

func row(project string) weir.EventRow {
	return weir.EventRow{Event: weir.Event{ProjectID: project}}
}

func TestStreamsOfAllNodesGetWhatOneNodeReceivesAndSaves(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		bus, shop := local.New(local.Options{}).Bus, &weir.Project{ID: "shop"}
		ctx, stop := context.WithCancel(t.Context())
		defer stop()
		feeds := map[string]*live.Feed{}
		for _, node := range []string{"a", "b"} {
			feed := live.New(live.Options{Presence: visitors(7), Bus: bus, Node: node})
			feeds[node] = feed
			go func() { _ = feed.Run(ctx) }()
		}
		synctest.Wait()
		stream, err := feeds["b"].Subscribe(ctx, shop)
		if err != nil {
			t.Fatal(err)
		}
		if feeds["a"].Watched("shop") {
			t.Error("watched before the node with the stream said so")
		}
		if got := next(t, stream); got != `presence {"live_visitors":7}` {
			t.Errorf("first: %s", got)
		}
		synctest.Wait()
		for _, node := range []string{"a", "b"} {
			if !feeds[node].Watched("shop") || feeds[node].Watched("other") {
				t.Errorf("node %s: shop is not watched, or another project is", node)
			}
			var events []*weir.Event
			for i := range 30 {
				events = append(events, &weir.Event{ID: fmt.Sprint(i), Name: "x"})
			}
			feeds[node].Received("other", events)
			feeds[node].Received("shop", events)
			e := <-stream
			data, _ := json.Marshal(e.Data)
			var got live.Received
			if err := json.Unmarshal(data, &got); err != nil || e.Type != live.TypeReceived || got.Count != 30 || len(got.Events) != 20 || got.Events[19].ID != "29" {
				t.Errorf("node %s received: %s %s, %v", node, e.Type, data, err)
			}
			feeds[node].Saved(drain.Commit{Rows: []weir.EventRow{row("shop"), row("other"), row("shop")}})
			as, _ := json.Marshal(time.Now())
			if got := next(t, stream); got != fmt.Sprintf(`saved {"events":2,"as_of":%s}`, as) {
				t.Errorf("node %s saved: %s", node, got)
			}
		}
		synctest.Wait()
		if len(stream) != 0 {
			t.Errorf("an event came twice: %s", next(t, stream))
		}
		stop()
		synctest.Wait()
	})
}

func TestNodeGetsTheEventsOfAProjectOnlyWhileItWatches(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		bus := local.New(local.Options{}).Bus
		ctx, stop := context.WithCancel(t.Context())
		defer stop()
		a := live.New(live.Options{Presence: visitors(0), Bus: bus, Node: "a"})
		b := live.New(live.Options{Presence: visitors(0), Bus: bus, Node: "b"})
		for _, f := range []*live.Feed{a, b} {
			go func() { _ = f.Run(ctx) }()
		}
		synctest.Wait()
		watching, leave := context.WithCancel(ctx)
		if _, err := b.Subscribe(watching, &weir.Project{ID: "shop"}); err != nil {
			t.Fatal(err)
		}
		<-time.After(3 * time.Second)
		if !a.Watched("shop") {
			t.Error("not watched, though another node has a stream")
		}
		leave()
		<-time.After(10 * time.Second)
		if a.Watched("shop") {
			t.Error("still watched, though no stream is left")
		}
		stop()
		synctest.Wait()
	})
}
