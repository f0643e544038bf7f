package cold_test

import (
	"fmt"
	"testing"
	"time"

	weir "github.com/weir-analytics/weir"
	"github.com/weir-analytics/weir/internal/cold"
)

func TestDeletionsAreGroupedWithinTheLimitsOfOneCall(t *testing.T) {
	noon := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	for _, c := range []struct{ deletions, times, goes int }{{0, 1, 0}, {1, 1, 1}, {500, 1, 1}, {501, 1, 2}, {32, 32, 1}, {33, 33, 2}, {10_000, 400, 20}} {
		var deletions []cold.Deletion
		for i := range c.deletions {
			deletions = append(deletions, cold.Deletion{ProjectID: fmt.Sprint(i), Before: noon.AddDate(0, 0, -i%c.times)})
		}
		goes := cold.GroupDeletions(deletions)
		if len(goes) != c.goes {
			t.Errorf("%d deletions of %d times: %d goes, want %d", c.deletions, c.times, len(goes), c.goes)
		}
		seen := map[string]bool{}
		for _, g := range goes {
			if _, err := cold.DeletionParts(g, "?"); err != nil {
				t.Errorf("%d deletions of %d times: %v", c.deletions, c.times, err)
			}
			for _, c := range g {
				seen[c.ProjectID] = true
			}
		}
		if len(seen) != c.deletions {
			t.Errorf("%d of %d deletions are in a go", len(seen), c.deletions)
		}
		if len(goes) > 1 {
			if _, err := cold.DeletionParts(deletions, "?"); weir.ErrorCode(err) != weir.EINVALID {
				t.Errorf("%d deletions of %d times at once: %v", c.deletions, c.times, err)
			}
		}
	}
}
