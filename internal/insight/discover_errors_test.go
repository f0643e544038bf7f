package insight_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	weir "github.com/weir-analytics/weir"
	"github.com/weir-analytics/weir/internal/insight"
)

// Messages that differ in a number are one value: their shape.
func TestValuesOfErrorsAreTheirShapes(t *testing.T) {
	e := newEngine(t, &barrier{},
		called(1, weir.Call{Route: "/a", Error: "timeout after 30.5s"}), called(2, weir.Call{Route: "/a", Error: "timeout after 2s"}),
		called(3, weir.Call{Route: "/a", Error: "order 17 not found"}), called(4, weir.Call{Route: "/a"}))
	q := insight.Discovery{From: dayQuery().From, To: dayQuery().To}
	for part, want := range map[string][]insight.CountedText{
		"":         {{Value: weir.ErrorShape("timeout after 2s"), Count: 2}, {Value: weir.ErrorShape("order 1 not found"), Count: 1}},
		"order":    {{Value: weir.ErrorShape("order 1 not found"), Count: 1}},
		"order 17": {},
	} {
		q.Contains = part
		a, err := e.ColumnValues(t.Context(), berlin(t), "error", q, 0)
		if err != nil {
			t.Fatal(err)
		}
		if d := cmp.Diff(want, a.Values); d != "" || a.Approximate.Approximate {
			t.Errorf("values with %q (-want +got):\n%s", part, d)
		}
	}
}
