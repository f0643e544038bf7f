package redistest_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/weir-analytics/weir/internal/redistest"
)

func TestAClusterSpreadsItsSlots(t *testing.T) {
	c := redistest.StartCluster(t, 3, 1)
	if want := "redis+cluster://" + strings.Join(c.Addrs[:3], ","); c.URL() != want {
		t.Errorf("URL %q, want %q", c.URL(), want)
	}
	for slot, node := range map[int]int{0: 0, 5460: 0, 5461: 1, 10922: 2, 16383: 2} {
		if got := c.Owner(slot); got != c.Nodes[node] {
			t.Errorf("slot %d is of %s, want %s", slot, got.Addr, c.Nodes[node].Addr)
		}
	}
	if got := c.Slot("123456789"); got != 12739 { // of the specification
		t.Errorf("slot of a key is %d", got)
	}
	for _, s := range c.Nodes[3:] {
		if !strings.Contains(s.Do("INFO", "replication"), "role:slave") {
			t.Errorf("%s is no replica", s.Addr)
		}
	}

	old := c.Owner(0)
	old.Kill()
	promoted := c.Owner(0)
	if promoted == old || promoted == c.Nodes[1] || promoted == c.Nodes[2] {
		t.Errorf("after the death of %s slot 0 is of %s", old.Addr, promoted.Addr)
	}
	c.WaitOK()
	old.Restart()
	c.WaitOK()
	if got := c.Owner(0); got != promoted {
		t.Errorf("when the old master is back slot 0 is of %s", got.Addr)
	}
}

func TestASlotMovesWithItsKeys(t *testing.T) {
	c := redistest.StartCluster(t, 2, 0)
	slot := c.Slot("{w3}")
	from := c.Owner(slot)
	to := c.Nodes[0]
	if to == from {
		to = c.Nodes[1]
	}
	for i := range 3 {
		from.Do("SET", fmt.Sprint("{w3}:", i), fmt.Sprint(i))
	}

	var left []string
	c.MoveSlotSlowly(slot, to, func() {
		left = append(left, from.Do("CLUSTER", "COUNTKEYSINSLOT", fmt.Sprint(slot)))
		if _, err := from.Try("GET", "{w3}:new"); err == nil || !strings.Contains(err.Error(), "ASK "+fmt.Sprint(slot)+" "+to.Addr) {
			t.Errorf("in the middle a new key's error is %v", err)
		}
	})
	if got := strings.Join(left, " "); got != "3 2 1 0" {
		t.Errorf("keys left at each step: %s", got)
	}
	if got := c.Owner(slot); got != to {
		t.Errorf("the slot is of %s, want %s", got.Addr, to.Addr)
	}
	for i := range 3 {
		if got := to.Do("GET", fmt.Sprint("{w3}:", i)); got != fmt.Sprint(i) {
			t.Errorf("key %d is %q", i, got)
		}
	}
	if _, err := from.Try("GET", "{w3}:0"); err == nil || !strings.Contains(err.Error(), "MOVED") {
		t.Errorf("the old master's error is %v", err)
	}

	c.MoveSlot(slot, from)
	if got := from.Do("GET", "{w3}:2"); got != "2" {
		t.Errorf("after the way back the key is %q", got)
	}
}
