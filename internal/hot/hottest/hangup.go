package hottest

import (
	"context"
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	weir "github.com/weir-analytics/weir"
)

// testHangUp: senders send each event several times at once, and many of them hang
// up before they are answered. What one of them was told of, as taken or as a
// duplicate, is in the log once. A sender's events are another request's as soon as
// Append has returned, also when it hung up: the log has none of what is written there then.
func (s suite) testHangUp(t *testing.T) {
	const rounds, senders, attempts, each = 40, 6, 3, 4
	f := s.new(t)
	told := &toldIDs{ids: map[string]bool{}}
	sent := map[string]weir.Event{}
	for round := range rounds {
		var wg sync.WaitGroup
		for sender := range senders {
			var events []weir.Event
			for i := range each {
				e := f.event(fmt.Sprintf("%d-%d-%d", round, sender, i), fmt.Sprint("d", sender))
				events, sent[e.ID] = append(events, e), e
			}
			for range attempts {
				// Each attempt brings a part of the events, in an order of its own.
				mine := append([]weir.Event(nil), events...)
				rand.Shuffle(len(mine), func(i, j int) { mine[i], mine[j] = mine[j], mine[i] })
				mine = mine[:1+rand.IntN(len(mine))]
				wg.Go(func() {
					ctx, cancel := context.WithCancel(context.Background())
					defer cancel()
					if rand.IntN(3) > 0 {
						t := time.AfterFunc(time.Duration(rand.IntN(2000))*time.Microsecond, cancel)
						defer t.Stop()
					}
					if _, err := f.Append(ctx, items(mine)); err == nil {
						told.add(mine)
					}
					for i := range mine {
						mine[i] = weir.Event{ID: "of another request", ProjectID: "another", Name: "another", DeviceID: "another", Time: mine[i].Time}
					}
				})
			}
		}
		wg.Wait()
	}
	log := all(t, f) // fails when an event stands there twice
	for id, e := range log {
		if d := cmp.Diff(sent[id], e); d != "" {
			t.Errorf("event %s is not as it was sent: %s", id, d)
		}
	}
	lost := 0
	for id := range told.ids {
		if _, ok := log[id]; !ok {
			lost++
		}
	}
	if lost > 0 {
		t.Errorf("%d of %d acknowledged events are not in the log", lost, len(told.ids))
	}
	if n := f.total("p"); n != int64(len(log)) {
		t.Errorf("the log has %d events, the counter says %d", len(log), n)
	}
	if len(told.ids) == 0 {
		t.Error("nothing was acknowledged")
	}
}

type toldIDs struct {
	mu  sync.Mutex
	ids map[string]bool
}

func (m *toldIDs) add(events []weir.Event) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, e := range events {
		m.ids[e.ID] = true
	}
}
