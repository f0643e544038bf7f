package transfer_test

import (
	"testing"

	weir "github.com/weir-analytics/weir"
	"github.com/weir-analytics/weir/internal/transfer"
)

func TestEverythingArrives(t *testing.T) {
	from, to := newFilled(t), newFile(t)
	rep := copyAll(t, from, to, small())
	same(t, from, to)
	if rep.Events != filled || rep.Projects != 2 || rep.Days != 3 || rep.Visits == 0 || rep.Links == 0 || rep.Dead == 0 {
		t.Errorf("report %+v", rep)
	}
}

func TestDaysWithFewRowsAreCopiedTogether(t *testing.T) {
	from, to := newFilled(t), newFile(t)
	// Over the end of a month, too.
	newDrain("month").write(t, from, []weir.Event{
		{ID: "1", ProjectID: "shop", DeviceID: "d", Time: monday.AddDate(0, 0, 29), ReceivedAt: monday},
		{ID: "2", ProjectID: "shop", DeviceID: "d", Time: monday.AddDate(0, 0, 30), ReceivedAt: monday},
	}, 10)
	writes := &unreliable{Store: to}
	rep := copyAll(t, from, writes, transfer.Options{})
	same(t, from, to)
	// Three units: two marks each, events of 3 shards, visits, links, aliases, dead letters.
	if rep.Days != 5 || rep.Before != 0 || writes.writes > 3*9 {
		t.Errorf("%d writes, report %+v", writes.writes, rep)
	}
	if got := rowsOf(t, to, "SELECT token FROM batches WHERE token LIKE 'migrate-begun/%'"); len(got) != 3 {
		t.Errorf("units %q", got)
	}
	if rep := copyAll(t, from, writes, transfer.Options{}); rep.Before != 5 {
		t.Errorf("again: report %+v", rep)
	}
}
