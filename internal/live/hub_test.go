package live_test

import (
	"context"
	"testing"
	"testing/synctest"

	weir "github.com/weir-analytics/weir"
	"github.com/weir-analytics/weir/internal/live"
)

func TestSlowReaderMissesEventsAndTheyAreCounted(t *testing.T) {
	h := live.NewHub(2)
	p := &weir.Project{ID: "p"}
	ch, err := h.Subscribe(t.Context(), p)
	if err != nil {
		t.Fatal(err)
	}
	for i := range 5 {
		h.Publish("p", live.Event{Type: "saved", Data: i})
	}
	if h.Dropped() != 3 {
		t.Errorf("dropped = %d, want 3", h.Dropped())
	}
	for want := range 2 {
		if e := <-ch; e.Data != want {
			t.Errorf("event = %v, want %d", e.Data, want)
		}
	}
}

func TestStreamEndsWithItsContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := live.NewHub(1)
		ctx, cancel := context.WithCancel(t.Context())
		ch, err := h.Subscribe(ctx, &weir.Project{ID: "p"})
		if err != nil {
			t.Fatal(err)
		}
		if !h.Watched("p") {
			t.Error("the project is not watched")
		}
		cancel()
		synctest.Wait()
		if _, open := <-ch; open || h.Watched("p") {
			t.Error("the stream is still open")
		}
		h.Publish("p", live.Event{}) // must not panic
	})
}
