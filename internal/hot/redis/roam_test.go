package redis_test

import (
	"fmt"
	"testing"
	"time"

	weir "github.com/weir-analytics/weir"
	"github.com/weir-analytics/weir/internal/hot"
	"github.com/weir-analytics/weir/internal/hot/redis"
	"github.com/weir-analytics/weir/internal/redistest"
)

// One request asks more shards for more ids than one round trip does.
func TestManyEventsThatRoamCountOnceOnManyShards(t *testing.T) {
	t.Parallel()
	s := storeOn(t, redistest.Start(t).URL(), redis.Options{Shards: 64})
	now := time.Now()
	const events = 500
	from := func(device string) (items []hot.Item) {
		for i := range events {
			items = append(items, hot.Item{Location: time.UTC, Event: &weir.Event{
				ID: fmt.Sprint("e", i), ProjectID: "p", Name: "x", Time: now, ReceivedAt: now, DeviceID: fmt.Sprint(device, i), Roams: true,
			}})
		}
		return items
	}
	for i, device := range []string{"home-", "office-", "train-"} {
		duplicates, err := s.Append(t.Context(), from(device))
		if err != nil {
			t.Fatal(err)
		}
		if want := min(i, 1) * events; len(duplicates) != want {
			t.Errorf("from %s: %d duplicates, want %d", device, len(duplicates), want)
		}
	}
}
