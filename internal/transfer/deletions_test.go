package transfer_test

import (
	"errors"
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/weir-analytics/weir/internal/cold"
	"github.com/weir-analytics/weir/internal/transfer"
)

func TestACopyHasTheListOfDeletionsAndWaitsForTheirEnd(t *testing.T) {
	from, to := newFilled(t), newFile(t)
	note := func(s transfer.Store, id string, step int32) {
		t.Helper()
		row := cold.DeletionStep{ProjectID: "shop", ID: id, Step: step, Before: monday, Spec: `{"import_id":"march"}`, By: "ada", Events: 7, ChangedAt: monday}
		if err := s.Add(t.Context(), fmt.Sprint(id, step), cold.Additions{Steps: []cold.DeletionStep{row}}); err != nil {
			t.Fatal(err)
		}
	}
	for step := range int32(3) {
		note(from, "ended", step)
	}
	note(from, "cancelled", 0)
	note(from, "cancelled", 4)
	copyAll(t, from, to, small())
	copyAll(t, from, to, small()) // adds nothing
	same(t, from, to)
	const last = "SELECT id, MAX(step) AS step, MAX(spec) AS spec, MAX(deleted_by) AS deleted_by, MAX(events) AS events FROM deletions GROUP BY id"
	if d := cmp.Diff(rowsOf(t, from, last), rowsOf(t, to, last)); d != "" {
		t.Error(d)
	}
	if rows := rowsOf(t, to, "SELECT id FROM deletions"); len(rows) != 2 {
		t.Errorf("%d rows, want one for each deletion", len(rows))
	}
	for step := range int32(2) {
		for side, s := range map[string]transfer.Store{"source": from, "destination": to} {
			id := fmt.Sprint(side, step)
			note(s, id, step)
			if _, err := transfer.Run(t.Context(), from, to, small()); !errors.Is(err, transfer.ErrDeleting) {
				t.Errorf("one in the %s that has reached step %d: %v", side, step, err)
			}
			note(s, id, 2)
		}
	}
	copyAll(t, from, to, small())
}
