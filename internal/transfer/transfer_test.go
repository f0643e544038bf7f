package transfer_test

import (
	"testing"

	"github.com/weir-analytics/weir/internal/transfer"
)

func TestEverythingArrives(t *testing.T) {
	from, to := newFile(t), newFile(t)
	fill(t, from)
	rep := copyAll(t, from, to, small())
	same(t, from, to)
	if rep.Events != filled || rep.Projects != 2 || rep.Days != 5 || rep.Visits == 0 || rep.Links == 0 || rep.Dead == 0 {
		t.Errorf("report %+v", rep)
	}
}

func TestDefaults(t *testing.T) {
	from, to := newFile(t), newFile(t)
	fill(t, from)
	copyAll(t, from, to, transfer.Options{})
	same(t, from, to)
}
