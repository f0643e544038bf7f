package fleettest

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/weir-analytics/weir/internal/fleet"
)

func (s suite) testRoster(t *testing.T) {
	t.Run("who announces itself learns who is alive", func(t *testing.T) {
		c := newClock()
		a, b := s.two(t, c.Now)
		wantNames(t, a.Roster, "g", "n2", 10*time.Minute, "n2")
		wantNames(t, b.Roster, "g", "n1", 30*time.Minute, "n1", "n2")
		wantNames(t, b.Roster, "other", "n3", 30*time.Minute, "n3")
		c.Add(10*time.Minute - time.Microsecond)
		wantNames(t, b.Roster, "g", "n10", 10*time.Minute, "n1", "n10", "n2")
		c.Add(time.Microsecond) // the end is not in it
		wantNames(t, b.Roster, "g", "n10", 10*time.Minute, "n1", "n10")
		c.Add(9 * time.Minute)
		wantNames(t, a.Roster, "g", "n10", 20*time.Minute, "n1", "n10") // announced in time
		c.Add(15 * time.Minute)
		wantNames(t, a.Roster, "g", "", time.Minute, "", "n10")
		c.Add(time.Hour)
		wantNames(t, a.Roster, "g", "n2", time.Minute, "n2")
	})
	t.Run("a shorter announcement replaces a longer one", func(t *testing.T) {
		c := newClock()
		a, b := s.two(t, c.Now)
		wantNames(t, a.Roster, "g", "a", long, "a")
		wantNames(t, a.Roster, "g", "a", time.Minute, "a")
		c.Add(time.Minute)
		wantNames(t, b.Roster, "g", "b", long, "b")
	})
	t.Run("who leaves is gone at once", func(t *testing.T) {
		a, b := s.two(t, nil)
		wantNames(t, a.Roster, "g", "a", long, "a")
		wantNames(t, b.Roster, "g", "b", long, "a", "b")
		for _, who := range []string{"a", "a", "never there"} {
			if err := b.Roster.Leave(t.Context(), "g", who); err != nil {
				t.Fatal(err)
			}
		}
		wantNames(t, b.Roster, "g", "b", long, "b")
		if err := a.Roster.Leave(t.Context(), "no group", "a"); err != nil {
			t.Fatal(err)
		}
	})
	t.Run("who is silent is gone after a while", func(t *testing.T) {
		a, b := s.two(t, nil)
		announce(t, a.Roster, "g", "a", short)
		eventually(t, "a is gone", func() bool {
			return slices.Equal(announce(t, b.Roster, "g", "b", long), []string{"b"})
		})
	})
	t.Run("many announce themselves at once", func(t *testing.T) {
		a, b := s.two(t, nil)
		want := make([]string, 20)
		for i := range want {
			want[i] = fmt.Sprintf("n%02d", i)
		}
		together(20, func(i int) {
			names, err := []Node{a, b}[i%2].Roster.Announce(t.Context(), "g", want[i], long)
			if err != nil || !slices.Contains(names, want[i]) {
				t.Errorf("%q, %v", names, err)
			}
		})
		wantNames(t, a.Roster, "g", want[0], long, want...)
	})
	t.Run("nobody is alive for no time", func(t *testing.T) {
		a, _ := s.two(t, nil)
		for _, ttl := range []time.Duration{-long, 0, time.Microsecond} {
			if _, err := a.Roster.Announce(t.Context(), "g", "a", ttl); err == nil {
				t.Errorf("ttl %v was taken", ttl)
			}
		}
		wantNames(t, a.Roster, "g", "b", long, "b")
	})
}

func announce(t *testing.T, r fleet.Roster, group, name string, ttl time.Duration) []string {
	t.Helper()
	names, err := r.Announce(t.Context(), group, name, ttl)
	if err != nil {
		t.Fatal(err)
	}
	return names
}

func wantNames(t *testing.T, r fleet.Roster, group, name string, ttl time.Duration, want ...string) {
	t.Helper()
	if names := announce(t, r, group, name, ttl); !slices.Equal(names, want) {
		t.Fatalf("alive in %s: %q, want %q", group, names, want)
	}
}
