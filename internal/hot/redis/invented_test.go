package redis_test

import (
	"strconv"
	"testing"
	"time"

	weir "github.com/weir-analytics/weir"
	"github.com/weir-analytics/weir/internal/hot"
	"github.com/weir-analytics/weir/internal/hot/redis"
	"github.com/weir-analytics/weir/internal/redistest"
)

func TestInventedDevicesFillPresenceUpToItsBound(t *testing.T) {
	server := redistest.Start(t)
	s := storeOn(t, server.URL(), redis.Options{Shards: 1})
	now := time.Now()
	server.Do("EVAL", `for i = 1, 100000 do
		redis.call('ZADD', KEYS[1], ARGV[1], 'invented-' .. i)
	end`, "1", "{w0}:live:p", strconv.FormatInt(now.Add(-20*time.Minute).UnixMilli(), 10))
	add := func(project, device string, at time.Time) {
		t.Helper()
		e := weir.Event{ID: device, ProjectID: project, Name: weir.NameScreenView, Time: at, ReceivedAt: at, DeviceID: device, Path: "/"}
		if _, err := s.Append(t.Context(), []hot.Item{{Event: &e, Location: time.UTC}}); err != nil {
			t.Fatal(err)
		}
	}
	add("p", "invented-7", now.Add(-2*time.Second))
	add("p", "invented-8", time.Now())
	add("p", "further", time.Now())
	add("q", "further", time.Now())
	for _, want := range []struct {
		project, device string
		seen            bool
	}{{"p", "invented-7", true}, {"p", "invented-8", true}, {"p", "further", false}, {"q", "further", true}} {
		if seen, err := s.Seen(t.Context(), want.project, []hot.SeenQuery{{Device: want.device}}, now); err != nil || (seen[0] == hot.SeenDevice) != want.seen {
			t.Errorf("%s of %s was seen: %v (%v)", want.device, want.project, seen, err)
		}
	}
	if n, err := s.Live(t.Context(), "p", time.Now()); n != 2 || err != nil {
		t.Errorf("%d live, want 2 (%v)", n, err)
	}
	if n := server.Do("XLEN", "{w0}:log"); n != "4" {
		t.Errorf("%s chunks in the log, want all 4", n)
	}
}
