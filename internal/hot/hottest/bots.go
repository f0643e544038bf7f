package hottest

import (
	"fmt"
	"testing"
	"time"

	weir "github.com/weir-analytics/weir"
	"github.com/weir-analytics/weir/internal/hot"
)

func (s suite) testBots(t *testing.T) {
	for _, drained := range []bool{false, true} {
		t.Run(fmt.Sprintf("bots are live and unique apart from people, and their events count with all, drained: %v", drained), func(t *testing.T) {
			f := s.new(t)
			bot := func(id, device string) weir.Event {
				e := f.event(id, device)
				e.Bot = true
				return e
			}
			f.append(f.event("1", "a"), bot("2", "crawler"), bot("3", "crawler"), f.event("4", "b"), bot("5", "probe"), bot("6", "probe2"))
			f.append(bot("7", "crawler"), f.event("8", "a"), bot("9", "a")) // a device may be both
			f.append(bot("7", "crawler"))                                   // a duplicate
			if drained {
				for shard := range f.Shards() {
					drain(t, f, shard, f.clock.Now())
				}
			}
			f.reopen()
			now := f.clock.Now()
			from, to := now.Add(-48*time.Hour), now.Add(48*time.Hour)
			for crowd, want := range map[string]int64{"p": 2, hot.BotsOf("p"): 4, "q": 0, hot.BotsOf("q"): 0} {
				for _, g := range hot.Grains {
					if n, err := f.Uniques(t.Context(), crowd, g, from, to); err != nil || n != want {
						t.Errorf("%q by %c: %d unique, %v, want %d", crowd, g, n, err, want)
					}
				}
				got, err := f.Inquire(t.Context(), crowd, hot.Inquiry{Devices: []hot.Bucket{{Grain: hot.Minute, Start: hot.Minute.Start(now, time.UTC).Unix()}}, Live: now})
				if err != nil || got.Devices[0] != want || got.Live != int(want) {
					t.Errorf("%q: %d unique and %d live in an inquiry, %v, want %d", crowd, got.Devices[0], got.Live, err, want)
				}
				if n, err := f.Live(t.Context(), crowd, now); err != nil || n != int(want) {
					t.Errorf("%q: %d live, %v, want %d", crowd, n, err, want)
				}
			}
			all, err := f.Members(t.Context(), "p", hot.Day, hot.Total, from, to, 0)
			if err != nil || len(all) != 1 || all[0].Count != 9 {
				t.Errorf("%v, %v, want 9 events of people and bots", all, err)
			}
			seen, err := f.Seen(t.Context(), "p", []hot.SeenQuery{{Device: "crawler", ID: "2"}, {Device: "crawler"}, {Device: "nobody"}}, now)
			if err != nil || seen[0] != hot.SeenEvent || seen[1] != hot.SeenDevice || seen[2] != 0 {
				t.Errorf("%v, %v, want an event, a device, nothing", seen, err)
			}
			if err := f.Erase(t.Context(), "p", []string{"crawler", "b"}, nil); err != nil {
				t.Fatal(err)
			}
			for crowd, want := range map[string]int{"p": 1, hot.BotsOf("p"): 3} {
				if n, err := f.Live(t.Context(), crowd, now); err != nil || n != want {
					t.Errorf("%q after an erasure: %d live, %v, want %d", crowd, n, err, want)
				}
			}
		})
	}
}
