package redis_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	weir "github.com/weir-analytics/weir"
	"github.com/weir-analytics/weir/internal/hot"
	"github.com/weir-analytics/weir/internal/hot/redis"
	"github.com/weir-analytics/weir/internal/redistest"
)

func TestADroppedProjectLeavesNoKey(t *testing.T) {
	t.Parallel()
	server := redistest.Start(t)
	s := storeOn(t, server.URL(), redis.Options{Shards: 4})
	now := time.Now()
	for i := range 40 {
		e := weir.Event{ID: fmt.Sprint(i), ProjectID: "gone-project", Name: "x", Time: now.AddDate(0, 0, -i%3), ReceivedAt: now, DeviceID: fmt.Sprint("d", i), ProfileID: "u", Bot: i%4 == 0}
		if i%5 == 0 {
			e.Call = &weir.Call{Method: "GET", Route: "/r", Status: 500, Consumer: "c"}
		}
		if _, err := s.Append(t.Context(), []hot.Item{{Event: &e, Location: time.UTC}}); err != nil {
			t.Fatal(err)
		}
	}
	of := func() (all []string) {
		for key := range strings.FieldsSeq(server.Do("KEYS", "*")) {
			if strings.Contains(key, "gone-project") {
				all = append(all, key)
			}
		}
		return all
	}
	if len(of()) == 0 {
		t.Fatal("the project has no keys")
	}
	if err := s.DropProject(t.Context(), "gone-project"); err != nil {
		t.Fatal(err)
	}
	if left := of(); len(left) > 0 {
		t.Errorf("left: %q", left)
	}
}
