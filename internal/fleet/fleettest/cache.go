package fleettest

import (
	"bytes"
	"fmt"
	"testing"
	"time"

	"github.com/weir-analytics/weir/internal/fleet"
)

func (s suite) testCache(t *testing.T) {
	t.Run("a value is there for all nodes until another is set", func(t *testing.T) {
		a, b := s.two(t, nil)
		wantValue(t, a.Cache, "k", nil)
		for _, value := range []string{"one", "", "\x00\xff\r\n", "four"} {
			set(t, a.Cache, "k", value, long)
			wantValue(t, a.Cache, "k", &value)
			wantValue(t, b.Cache, "k", &value)
		}
		wantValue(t, a.Cache, "K", nil)
		wantValue(t, a.Cache, "", nil)
	})
	t.Run("a value goes when its time is over", func(t *testing.T) {
		a, b := s.two(t, nil)
		set(t, a.Cache, "short", "v", short)
		set(t, a.Cache, "long", "v", long)
		eventually(t, "the value is gone", func() bool {
			_, ok, err := b.Cache.Get(t.Context(), "short")
			if err != nil {
				t.Fatal(err)
			}
			return !ok
		})
		wantValue(t, a.Cache, "long", new("v"))
	})
	t.Run("the last time to live counts", func(t *testing.T) {
		a, _ := s.two(t, nil)
		set(t, a.Cache, "k", "v", long)
		set(t, a.Cache, "k", "v", short)
		eventually(t, "the value is gone", func() bool {
			_, ok, err := a.Cache.Get(t.Context(), "k")
			return !ok && err == nil
		})
	})
	t.Run("nothing is kept for no time", func(t *testing.T) {
		a, _ := s.two(t, nil)
		for _, ttl := range []time.Duration{-long, 0, time.Microsecond} {
			if a.Cache.Set(t.Context(), "k", []byte("v"), ttl) == nil {
				t.Errorf("ttl %v was taken", ttl)
			}
		}
		wantValue(t, a.Cache, "k", nil)
	})
	t.Run("who reads while others write gets a whole value", func(t *testing.T) {
		a, b := s.two(t, nil)
		together(20, func(i int) {
			c := []fleet.Cache{a.Cache, b.Cache}[i%2]
			key := fmt.Sprint(i % 3)
			for range 20 {
				if err := c.Set(t.Context(), key, bytes.Repeat([]byte{byte(i)}, 1000), long); err != nil {
					t.Error(err)
				}
				v, ok, err := c.Get(t.Context(), key)
				if err != nil || !ok || len(v) != 1000 || bytes.Count(v, v[:1]) != 1000 || int(v[0])%3 != i%3 {
					t.Errorf("%.10q… of %d bytes, %v, %v", v, len(v), ok, err)
				}
			}
		})
	})
}

func set(t *testing.T, c fleet.Cache, key, value string, ttl time.Duration) {
	t.Helper()
	if err := c.Set(t.Context(), key, []byte(value), ttl); err != nil {
		t.Fatal(err)
	}
}

// wantValue says what is kept under a key; nil is nothing.
func wantValue(t *testing.T, c fleet.Cache, key string, want *string) {
	t.Helper()
	v, ok, err := c.Get(t.Context(), key)
	switch {
	case err != nil:
		t.Fatal(err)
	case ok != (want != nil), ok && string(v) != *want:
		t.Fatalf("value of %q = %q, %v", key, v, ok)
	}
}
