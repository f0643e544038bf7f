package hottest

import (
	"fmt"
	"sync"
	"sync/atomic"
	"testing"

	weir "github.com/weir-analytics/weir"
)

// Senders that change their address while they try again: each request has the same events, and another
// device for each of them, in any shard.
func (s suite) testRoamingAtOnce(t *testing.T) {
	f := s.new(t)
	const rounds, senders, events = 10, 4, 40
	for round := range rounds {
		requests := make([][]weir.Event, senders)
		for sender := range requests {
			for i := range events {
				e := f.event(fmt.Sprint(round, "-", i), fmt.Sprint("d", round, sender, i))
				e.Roams = true
				requests[sender] = append(requests[sender], e)
			}
		}
		var duplicates atomic.Int64
		var all sync.WaitGroup
		start := make(chan struct{})
		for _, sent := range requests {
			all.Go(func() {
				<-start
				known, err := f.Append(t.Context(), items(sent))
				if err != nil {
					t.Error(err)
				}
				duplicates.Add(int64(len(known)))
			})
		}
		close(start)
		all.Wait()
		if n := duplicates.Load(); n != (senders-1)*events {
			t.Fatalf("round %d: %d duplicates, want %d", round, n, (senders-1)*events)
		}
	}
	if n := f.total("p"); n != rounds*events {
		t.Errorf("counter says %d, want %d", n, rounds*events)
	}
	// In one request too.
	a, b := f.event("twice", "d1"), f.event("twice", "d2")
	for i := range 20 { // some are of two shards
		a.ID, b.ID = fmt.Sprint("twice", i), fmt.Sprint("twice", i)
		b.DeviceID = fmt.Sprint("d2", i)
		a.Roams, b.Roams = true, true
		if d := f.append(a, b); len(d) != 1 {
			t.Fatalf("%d duplicates of two in one request, want 1", len(d))
		}
	}
}
