package local_test

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/weir-analytics/weir/internal/fleet"
	"github.com/weir-analytics/weir/internal/fleet/local"
)

func TestALockIsHeldForAsLongAsItIsNeeded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		locks := local.New(local.Options{}).Locks
		release, mine, err := fleet.Hold(t.Context(), locks, "x", 30*time.Second)
		if err != nil || !mine {
			t.Fatal(mine, err)
		}
		<-time.After(10 * time.Minute)
		if _, mine, _ := fleet.Hold(t.Context(), locks, "x", time.Second); mine {
			t.Error("it was lost")
		}
		release()
		again, mine, err := fleet.Hold(t.Context(), locks, "x", time.Second)
		if err != nil || !mine {
			t.Fatal("it was not given up", err)
		}
		again()
	})
}
