package redis_test

import (
	"strconv"
	"strings"
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
	slot := now.UnixMicro() / (30 * time.Minute).Microseconds()
	views := []string{"{w0}:view:p:" + strconv.FormatInt(slot, 10), "{w0}:view:p:" + strconv.FormatInt(slot+1, 10)}
	server.Do("EVAL", `for i = 1, 100000 do
		redis.call('ZADD', KEYS[1], ARGV[1], 'invented-' .. i)
		redis.call('HSET', KEYS[2], 'invented-' .. i, '0')
		redis.call('HSET', KEYS[3], 'invented-' .. i, '0')
	end`, "3", "{w0}:live:p", views[0], views[1], strconv.FormatInt(now.Add(-20*time.Minute).UnixMilli(), 10))
	view := func(project, device string, at time.Time) {
		t.Helper()
		e := weir.Event{
			ID: device, ProjectID: project, Name: weir.NameScreenView, Time: at, ReceivedAt: at, DeviceID: device, Path: "/" + strings.Repeat("x", 1500),
		}
		if _, err := s.Append(t.Context(), []hot.Item{{Event: &e, Location: time.UTC}}); err != nil {
			t.Fatal(err)
		}
	}
	view("p", "invented-7", now.Add(-2*time.Second)) // behind the clock, so that it is compared with the one before
	view("p", "invented-8", time.Now())
	view("p", "further", time.Now())
	view("q", "further", time.Now())
	for _, want := range []struct {
		project, device string
		seen            bool
	}{{"p", "invented-7", true}, {"p", "invented-8", true}, {"p", "further", false}, {"q", "further", true}} {
		if seen, err := s.Seen(t.Context(), want.project, []hot.Sighting{{Device: want.device}}, now); err != nil || (seen[0] == hot.SeenDevice) != want.seen {
			t.Errorf("%s of %s was seen: %v (%v)", want.device, want.project, seen, err)
		}
		if want.project == "p" && !want.seen {
			if n := server.Do("HEXISTS", views[0], want.device); n != "0" {
				t.Errorf("the view of %s is remembered", want.device)
			}
			continue
		}
		v, ok, err := s.LastScreenView(t.Context(), want.project, want.device, now)
		if !ok || err != nil || len(v.Path) != hot.ViewText {
			t.Errorf("%s of %s: view %v with %d bytes of path (%v)", want.device, want.project, ok, len(v.Path), err)
		}
	}
	if n, err := s.Live(t.Context(), "p", time.Now()); n != 2 || err != nil {
		t.Errorf("%d live, want 2 (%v)", n, err)
	}
	if n := server.Do("XLEN", "{w0}:log"); n != "4" {
		t.Errorf("%s chunks in the log, want all 4", n)
	}
}
