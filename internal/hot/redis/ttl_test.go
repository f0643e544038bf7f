package redis_test

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	weir "github.com/weir-analytics/weir"
	"github.com/weir-analytics/weir/internal/hot"
	"github.com/weir-analytics/weir/internal/hot/redis"
	"github.com/weir-analytics/weir/internal/redistest"
)

// kind of a key, by its name: what follows the shard.
var (
	forEver = regexp.MustCompile(`^(w:log|\{w\d+\}(:log|:state)?)$`)
	idSet   = regexp.MustCompile(`^\{w\d+\}:[0-9a-z]+\.[0-9a-z]+$`)
	bucket  = regexp.MustCompile(`^\{w\d+\}:(num|mem|uni):.+:([mhd]):(-?\d+)$`)
	index   = regexp.MustCompile(`^\{w\d+\}:at:.+:([mhd])$`)
	live    = regexp.MustCompile(`^\{w\d+\}:live:`)
)

// expiries checks that each key has the expiry that is due at now, and returns
// how many keys of each kind there are.
func expiries(t *testing.T, s *redistest.Server, now time.Time) map[string]int {
	t.Helper()
	const slack = 10 // seconds that the test may take, and that may be cut off
	kinds := map[string]int{}
	for key := range strings.Lines(s.Do("KEYS", "*")) {
		key = strings.TrimSpace(key)
		ttl, err := strconv.ParseInt(s.Do("TTL", key), 10, 64)
		if err != nil {
			t.Fatal(err)
		}
		within := func(kind string, from, to time.Duration) {
			kinds[kind]++
			if ttl < int64(from/time.Second)-slack || ttl > int64(to/time.Second)+slack {
				t.Errorf("%s is kept for %d s, want %v to %v", key, ttl, from, to)
			}
		}
		bound := func(grain string) (from, to time.Duration) {
			kept := hot.Grain(grain[0]).Kept()
			return kept, kept + 3*24*time.Hour
		}
		switch m := bucket.FindStringSubmatch(key); {
		case forEver.MatchString(key), idSet.MatchString(key):
			kind := "for ever"
			if idSet.MatchString(key) {
				kind = "ids"
			}
			if kinds[kind]++; ttl != -1 {
				t.Errorf("%s is kept for %d s, want for ever", key, ttl)
			}
		case m != nil:
			start, err := strconv.ParseInt(m[3], 10, 64)
			if err != nil {
				t.Fatal(err)
			}
			from, to := bound(m[2])
			age := now.Sub(time.Unix(start, 0))
			within(m[1], max(from-age, time.Minute), to-age)
		case index.MatchString(key):
			from, to := bound(index.FindStringSubmatch(key)[1])
			within("at", min(from, time.Minute), to)
		case live.MatchString(key):
			within("live", hot.DeviceKept, 2*time.Hour)
		default:
			t.Errorf("a key of no known kind: %s", key)
		}
	}
	return kinds
}

func TestWhatIsCountedExpires(t *testing.T) {
	t.Parallel()
	server := redistest.Start(t)
	s := storeOn(t, server.URL(), redis.Options{})
	now := time.Now()
	ages := []time.Duration{
		-time.Hour, 0, time.Minute, 29 * time.Minute, 31 * time.Minute, 7*24*time.Hour + 23*time.Hour, 9 * 24 * time.Hour,
		29*24*time.Hour + 23*time.Hour, 31 * 24 * time.Hour, 364*24*time.Hour + 23*time.Hour, 366 * 24 * time.Hour, 30 * 365 * 24 * time.Hour,
	}
	n := 0
	for round := range 3 {
		var items []hot.Item
		for p, project := range []string{"p", "q", "r:s", "ü ü"} {
			for a, age := range ages {
				n++
				e := &weir.Event{
					ID: strconv.Itoa(n), ProjectID: project, Name: weir.NameScreenView, Time: now.Add(-age), ReceivedAt: now,
					DeviceID: fmt.Sprint("d", (n+round)%5), Path: "/",
				}
				if a%2 == p%2 {
					e.Name, e.Call = weir.NameCall, &weir.Call{Route: fmt.Sprint("/", n%9), Status: 200, Consumer: fmt.Sprint("c", n%3)}
				}
				if round == 2 {
					e.Name, e.Call = weir.NameScreenView, nil
				}
				items = append(items, hot.Item{Event: e, Location: time.UTC})
			}
		}
		if _, err := s.Append(t.Context(), items); err != nil {
			t.Fatal(err)
		}
		kinds := expiries(t, server, now)
		for _, kind := range []string{"for ever", "ids", "num", "mem", "uni", "at", "live"} {
			if kinds[kind] == 0 {
				t.Errorf("no key of kind %s: %v", kind, kinds)
			}
		}
	}
}

func TestACounterThatIsFullAtItsFirstAppendExpires(t *testing.T) {
	server := redistest.Start(t)
	s := storeOn(t, server.URL(), redis.Options{MaxMembers: 3})
	now := time.Now()
	call := func(i int, route string) hot.Item {
		return hot.Item{Location: time.UTC, Event: &weir.Event{
			ID: fmt.Sprint(i, route), ProjectID: "p", Name: weir.NameCall, Time: now, ReceivedAt: now, DeviceID: "d",
			Call: &weir.Call{Route: route, Status: 200, Consumer: route},
		}}
	}
	want := 0
	for i := range 3 {
		var items []hot.Item
		routes := []string{"/a", "/b", "/c", "/d", "/e", "/f"}
		if i > 0 { // one of them is called what the rest is called
			routes = append(routes, hot.Other, hot.Other)
		}
		for _, route := range routes {
			items = append(items, call(10*i+len(items), route))
		}
		if _, err := s.Append(t.Context(), items); err != nil {
			t.Fatal(err)
		}
		want += len(items)
		expiries(t, server, now)
		countersAgree(t, s, want)
	}
	for _, d := range []hot.Dimension{hot.Route, hot.Consumer} {
		members, err := s.Members(t.Context(), "p", hot.Day, d, now.Add(-48*time.Hour), now.Add(time.Hour), 0)
		if err != nil || len(members) != 4 || !members[3].Rest {
			t.Errorf("%c: %v (%v), want three and the rest", d, members, err)
		}
	}
}

// The day on which clocks are set back has 25 hours.
func TestALateEventOfALongDayExpires(t *testing.T) {
	server := redistest.Start(t)
	berlin, err := time.LoadLocation("Europe/Berlin")
	if err != nil {
		t.Fatal(err)
	}
	last := time.Date(2025, 10, 26, 23, 59, 30, 0, berlin)
	for i, age := range []time.Duration{hot.Day.Kept() - time.Minute, hot.Hour.Kept() - time.Minute, hot.Minute.Kept() - time.Minute} {
		now := last.Add(age)
		s := storeOn(t, fmt.Sprint(server.URL(), "?prefix=w", i), redis.Options{Clock: func() time.Time { return now }})
		e := &weir.Event{ID: "1", ProjectID: "p", Name: "x", Time: last, ReceivedAt: now, DeviceID: "d"}
		if _, err := s.Append(t.Context(), []hot.Item{{Event: e, Location: berlin}}); err != nil {
			t.Fatal(err)
		}
		points, err := s.Series(t.Context(), "p", hot.Day, hot.Total, "", last.Add(-48*time.Hour), last)
		if err != nil || len(points) != 1 || points[0].Count != 1 {
			t.Errorf("after %v: %v (%v), want the event in its day", age, points, err)
		}
		for key := range strings.Lines(server.Do("KEYS", fmt.Sprintf("{w%d*", i))) {
			key = strings.TrimSpace(key)
			if !strings.Contains(key, ":d:") && !strings.HasSuffix(key, ":d") {
				continue
			}
			if ttl := server.Do("TTL", key); strings.HasPrefix(ttl, "-") || ttl == "0" {
				t.Errorf("after %v: the TTL of %s is %s", age, key, ttl)
			}
		}
		server.Do("FLUSHALL")
	}
}
