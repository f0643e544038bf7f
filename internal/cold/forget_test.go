package cold_test

import (
	"fmt"
	"testing"
	"time"

	weir "github.com/weir-analytics/weir"
	"github.com/weir-analytics/weir/internal/cold"
)

func TestCutsArePutTogetherAsOneForgetTakesThem(t *testing.T) {
	noon := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	for _, c := range []struct{ cuts, times, goes int }{{0, 1, 0}, {1, 1, 1}, {500, 1, 1}, {501, 1, 2}, {32, 32, 1}, {33, 33, 2}, {10_000, 400, 20}} {
		var cuts []cold.Cut
		for i := range c.cuts {
			cuts = append(cuts, cold.Cut{ProjectID: fmt.Sprint(i), Before: noon.AddDate(0, 0, -i%c.times)})
		}
		goes := cold.Goes(cuts)
		if len(goes) != c.goes {
			t.Errorf("%d cuts of %d times: %d goes, want %d", c.cuts, c.times, len(goes), c.goes)
		}
		seen := map[string]bool{}
		for _, g := range goes {
			if _, err := cold.ForgetParts(g, "?"); err != nil {
				t.Errorf("%d cuts of %d times: %v", c.cuts, c.times, err)
			}
			for _, c := range g {
				seen[c.ProjectID] = true
			}
		}
		if len(seen) != c.cuts {
			t.Errorf("%d of %d cuts are in a go", len(seen), c.cuts)
		}
		if len(goes) > 1 {
			if _, err := cold.ForgetParts(cuts, "?"); weir.ErrorCode(err) != weir.EINVALID {
				t.Errorf("%d cuts of %d times at once: %v", c.cuts, c.times, err)
			}
		}
	}
}
