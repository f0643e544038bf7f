package redis_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	weir "github.com/weir-analytics/weir"
	"github.com/weir-analytics/weir/internal/hot"
	"github.com/weir-analytics/weir/internal/hot/redis"
	"github.com/weir-analytics/weir/internal/redistest"
)

// sized returns an event of a device with properties of so many bytes, which
// compress well or not at all.
func sized(id string, bytes int, dense bool) hot.Item {
	it := item(id, "d")
	text := strings.Repeat("x", bytes)
	if dense {
		random := rand.New(rand.NewPCG(1, uint64(len(id)))) //nolint:gosec // the same in each run
		b := make([]byte, bytes)
		for i := range b {
			b[i] = byte('0' + random.IntN(64))
		}
		text = strings.Map(func(r rune) rune {
			if r == '"' || r == '\\' {
				return '-'
			}
			return r
		}, string(b))
	}
	p, err := json.Marshal(map[string]string{"p": text})
	if err != nil {
		panic(err)
	}
	it.Event.Properties = p
	return it
}

// A request may have a hundred MiB, and an event of it one: see wire.Limits.
func TestLargeEventsAreReadBack(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		events, bytes int
		dense         bool
	}{
		"many that compress":  {95, 1 << 20, false},
		"many that do not":    {20, 1 << 20, true},
		"one that is larger":  {1, 5 << 20, false},
		"all of one MiB less": {3, 1<<20 - 12, true},
	} {
		t.Run(name, func(t *testing.T) {
			server := redistest.Start(t, "--appendonly", "no")
			s := storeOn(t, server.URL(), redis.Options{Shards: 1, Timeout: 30 * time.Second})
			var items []hot.Item
			for i := range c.events {
				items = append(items, sized(fmt.Sprint(i), c.bytes, c.dense))
			}
			if _, err := s.Append(t.Context(), items); err != nil {
				t.Fatal(err)
			}
			records, err := s.Read(t.Context(), 0, 0, hot.Limit{Events: c.events, Bytes: 1 << 30})
			if err != nil || len(records) != c.events {
				t.Fatalf("%d of %d events: %v", len(records), c.events, err)
			}
			for i, r := range records {
				want := items[i].Event
				if r.Seq != uint64(i+1) || r.Event.ID != want.ID || !bytes.Equal(r.Event.Properties, want.Properties) {
					t.Fatalf("event %d is %s at %d", i, r.Event.ID, r.Seq)
				}
			}
			// No call was so large that Redis had to work on it for long.
			var longest int64
			for line := range strings.Lines(server.Do("INFO", "clients")) {
				if _, err := fmt.Sscanf(line, "client_recent_max_input_buffer:%d", &longest); err == nil {
					break
				}
			}
			if longest > 17<<20 {
				t.Errorf("a call had %d bytes", longest)
			}
		})
	}
}

func TestAReadBeginsAndEndsAnywhere(t *testing.T) {
	t.Parallel()
	s := storeOn(t, redistest.Start(t).URL(), redis.Options{Shards: 1})
	n := 0
	for _, size := range []int{1, 2, 50, 1, 300, 7} { // a chunk each
		var items []hot.Item
		for range size {
			n++
			items = append(items, item(fmt.Sprint(n), "d"))
		}
		if _, err := s.Append(t.Context(), items); err != nil {
			t.Fatal(err)
		}
	}
	for after := range n + 2 {
		for _, limit := range []int{1, 2, 3, 49, 50, 51, 300, 1000} {
			records, err := s.Read(t.Context(), 0, uint64(after), hot.Limit{Events: limit})
			if err != nil {
				t.Fatalf("after %d, %d: %v", after, limit, err)
			}
			if want := min(limit, max(0, n-after)); len(records) != want {
				t.Fatalf("after %d, %d: %d records, want %d", after, limit, len(records), want)
			}
			for i, r := range records {
				if r.Seq != uint64(after+1+i) || r.Event.ID != fmt.Sprint(r.Seq) {
					t.Fatalf("after %d, %d: record %d is seq %d, event %s", after, limit, i, r.Seq, r.Event.ID)
				}
			}
		}
	}
}

func TestAChunkThatIsDamagedIsSaidToBe(t *testing.T) {
	server := redistest.Start(t)
	s := storeOn(t, server.URL(), redis.Options{Shards: 1})
	read := func() error {
		_, err := s.Read(t.Context(), 0, 0, hot.Limit{Events: 10})
		return err
	}
	for name, c := range map[string]struct{ id, chunk, want string }{
		"empty":            {"1-1", "", "corrupt"},
		"cut":              {"1-1", "\x01\x05abc", "corrupt"},
		"no length":        {"1-1", "\x01\xff", "corrupt"},
		"not compressed":   {"1-1", "\x02abc", "corrupt"},
		"too large":        {"1-1", "\x02\xff\xff\xff\xff\x0f", "corrupt"},
		"too few":          {"2-2", "\x01\x02ab", "record 1"},
		"none of two":      {"2-2", "\x01", "corrupt"},
		"no record":        {"1-1", "\x01\x02ab", "record 1"},
		"a gap":            {"5-1", "\x01", "records 1 to 4 are missing"},
		"no count":         {"5-0", "\x01", "corrupt"},
		"more than there ": {"1-9", "\x01", "corrupt"},
		"newer":            {"1-1", "\x09", "newer version"},
	} {
		server.Do("DEL", "{w0}:log")
		server.Do("XADD", "{w0}:log", c.id, "r", c.chunk)
		if err := read(); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want %q in it", name, err, c.want)
		}
		if err := read(); name == "newer" && !errors.Is(err, hot.ErrNewer) {
			t.Errorf("%v, want ErrNewer", err)
		}
	}
	server.Do("DEL", "{w0}:log")
	server.Do("XADD", "{w0}:log", "1-1", "other", "x")
	if err := read(); err == nil || !strings.Contains(err.Error(), "corrupt") {
		t.Errorf("%v", err)
	}
	server.Do("HSET", "{w0}", "intent", "1 2")
	if _, err := s.Progress(t.Context(), 0); err == nil || !strings.Contains(err.Error(), "intent of shard 0") {
		t.Errorf("%v", err)
	}
}

func TestAnEventOfAnySizeIsPackedAndUnpacked(t *testing.T) {
	for _, size := range []int{0, 1, 100, 127, 128, 1 << 14, 1<<21 - 200, 1<<21 - 100, 1 << 21, 1<<21 + 1, 1 << 23} {
		it := sized("1", size, false)
		want := []weir.Event{*it.Event, *item("2", "d").Event}
		b := redis.AppendRecord(redis.AppendRecord(nil, &want[0]), &want[1])
		got, err := redis.Unpack("2-2", redis.AppendChunk(nil, b), 1, 10)
		if err != nil || len(got) != 2 {
			t.Fatalf("%d bytes: %d records: %v", size, len(got), err)
		}
		for i := range want {
			if !bytes.Equal(want[i].Properties, got[i].Event.Properties) {
				t.Fatalf("%d bytes: event %d has other properties", size, i)
			}
			want[i].Properties, got[i].Event.Properties = nil, nil // cmp takes long over what is large
			want[i].Time, want[i].ReceivedAt = want[i].Time.Truncate(time.Microsecond).UTC(), want[i].ReceivedAt.Truncate(time.Microsecond).UTC()
			if d := cmp.Diff(hot.Record{Seq: uint64(i + 1), Event: want[i]}, got[i]); d != "" {
				t.Fatalf("%d bytes: event %d: %s", size, i, d)
			}
		}
	}
}
