package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/weir-analytics/weir/internal/clickhousetest"
	"github.com/weir-analytics/weir/internal/redistest"
)

// brings starts a server, sends it n events, and stops it when all are drained.
func brings(t *testing.T, data string, key *string, n int, args ...string) {
	t.Helper()
	r := serves(t, data, args...)
	if *key == "" {
		_, *key = r.shop()
	}
	for i := range n {
		if status, _ := r.asks("POST", "/v1/events", *key, fmt.Sprintf(`{"name":"x","device_id":"d%d"}`, i)); status != 200 {
			t.Fatalf("an event is answered with %d", status)
		}
	}
	if got := r.stops(); got != 0 || strings.Contains(r.log.String(), "not drained") {
		t.Fatalf("ended with %d: %s", got, r.log)
	}
}

// starts says how a start ends: "" when it serves, and is stopped.
func starts(t *testing.T, data string, args ...string) string {
	t.Helper()
	r := launches(t, data, args...)
	var status int
	ended := false
	r.until("it serves or ends", func() bool {
		select {
		case status = <-r.status:
			ended = true
		default:
		}
		return ended || strings.Contains(r.out.String(), " is at ")
	})
	if !ended {
		if status = r.stops(); status == 0 {
			return ""
		}
	}
	r.status <- status
	lines := strings.Split(strings.TrimSpace(r.log.String()), "\n")
	return lines[len(lines)-1]
}

func TestPartsOfTwoMomentsAreRefused(t *testing.T) {
	asAdmin(t, adminToken)
	data, kept := t.TempDir(), t.TempDir()
	key := ""
	hot, cold := filepath.Join(data, "hot"), filepath.Join(data, "cold.duckdb")
	keep := func(as string) {
		copyFolder(t, hot, filepath.Join(kept, as+".hot"))
		copyFolder(t, cold, filepath.Join(kept, as+".cold"))
	}
	put := func(hotOf, coldOf string) {
		copyFolder(t, filepath.Join(kept, hotOf+".hot"), hot)
		copyFolder(t, filepath.Join(kept, coldOf+".cold"), cold)
	}
	brings(t, data, &key, 6, "--shards", "2")
	keep("early")
	brings(t, data, &key, 20)
	keep("late")
	brings(t, data, &key, 0)
	for _, x := range []struct{ hot, cold, want string }{
		{"early", "early", ""},
		{"late", "late", ""},
		{"early", "late", "the hot tier is older than the cold tier"},
		{"late", "early", "the cold tier is older than the hot tier"},
	} {
		put(x.hot, x.cold)
		got := starts(t, data)
		if x.want == "" && got != "" || !strings.Contains(got, x.want) || x.want != "" && !strings.Contains(got, "--accept-mismatch") {
			t.Errorf("%s hot tier and %s cold tier: %q, want %q", x.hot, x.cold, got, x.want)
		}
		if x.want == "" {
			continue
		}
		if got := starts(t, data, "--accept-mismatch"); got != "" {
			t.Errorf("accepted: %s", got)
		}
		if got := starts(t, data); got != "" {
			t.Errorf("after it was accepted: %s", got)
		}
	}
	put("late", "late")
	if err := os.Remove(cold); err != nil {
		t.Fatal(err)
	}
	if got := starts(t, data); !strings.Contains(got, "the cold tier has nothing of this hot tier") {
		t.Errorf("without the cold tier: %q", got)
	}
	put("late", "late")
	if err := os.RemoveAll(hot); err != nil {
		t.Fatal(err)
	}
	if got := starts(t, data); got != "" {
		t.Errorf("a new hot tier: %q", got)
	}
}

func TestARedisOfAnotherMomentThanItsClickHouseIsRefused(t *testing.T) {
	asAdmin(t, adminToken)
	redis := redistest.Start(t, "--appendonly", "no")
	ch := clickhousetest.Start(t)
	args := []string{"--hot", redis.URL(), "--cold", ch.URL("weir"), "--shards", "2"}
	data, key := t.TempDir(), ""
	brings(t, data, &key, 6, args...)
	redis.Do("SAVE")
	dump := filepath.Join(redis.Dir, "dump.rdb")
	early := filepath.Join(t.TempDir(), "early.rdb")
	copyFolder(t, dump, early)
	brings(t, data, &key, 20, args...)
	if got := starts(t, data, args...); got != "" {
		t.Fatalf("as it was left: %s", got)
	}
	redis.Do("SAVE")
	late := filepath.Join(t.TempDir(), "late.rdb")
	copyFolder(t, dump, late)

	redis.Kill()
	copyFolder(t, early, dump)
	redis.Restart()
	if got := starts(t, data, args...); !strings.Contains(got, "the hot tier is older than the cold tier") {
		t.Errorf("an earlier Redis: %q", got)
	}
	if got := starts(t, data, append(args, "--accept-mismatch")...); got != "" {
		t.Errorf("accepted: %s", got)
	}
	if got := starts(t, data, args...); got != "" {
		t.Errorf("after it was accepted: %s", got)
	}

	redis.Do("FLUSHALL")
	if got := starts(t, data, args...); got != "" {
		t.Errorf("a new Redis: %q", got)
	}
}
