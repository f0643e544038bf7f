package coldtest

import (
	"fmt"
	"math"
	"testing"
	"time"

	weir "github.com/weir-analytics/weir"
	"github.com/weir-analytics/weir/internal/cold"
	"github.com/weir-analytics/weir/internal/insight"
)

// testMoney compares sums of revenue with what they are to the last digit.
func testMoney(t *testing.T, open func(t *testing.T, dir string) cold.Store, _ Part) {
	s := open(t, t.TempDir())
	defer s.Close()
	at := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	var rows []weir.EventRow
	for name, amounts := range map[string][]float64{
		"tenths":   {0.1, 0.1, 0.1, 0.1, 0.1, 0.1, 0.1, 0.1, 0.1, 0.1},
		"refunded": {0.1, 0.2, 1e6, -1e6},
		"free":     {0, 0},
		"large":    {1e20, 1e20},
		"too much": {math.MaxFloat64, math.MaxFloat64},
	} {
		for i, amount := range amounts {
			rows = append(rows, weir.EventRow{
				Event: weir.Event{
					ID: fmt.Sprint(name, i), ProjectID: "money", Name: name, Time: at.Add(time.Duration(i) * time.Hour), ReceivedAt: at,
					Revenue: weir.Known(amount), Currency: "EUR",
				},
				Seq: uint64(len(rows) + 1),
			})
		}
	}
	if err := s.Write(t.Context(), &cold.Batch{Token: "money", Last: uint64(len(rows)), First: 1, Events: rows}); err != nil {
		t.Fatal(err)
	}
	e := insight.New(s, written{time.Now()}, time.Now, insight.Options{})
	p := &weir.Project{ID: "money", Timezone: "UTC"}
	for name, want := range map[string]*float64{"tenths": new(1.0), "refunded": new(0.3), "free": new(0.0), "large": new(2e20), "too much": nil, "nothing": new(0.0)} {
		q := weir.Trend{Series: []weir.Series{{Event: name, Math: weir.MathSum, Property: "revenue"}}}
		q.From, q.To, q.Interval = at, at.Add(24*time.Hour), weir.Hour
		a, err := insight.Ask[insight.Trend](t.Context(), e, p, q, 0)
		if err != nil {
			t.Fatal(err)
		}
		if got := a.Series[0].Total; (got == nil) != (want == nil) || got != nil && *got != *want {
			t.Errorf("%s: the sum is %v, want %v", name, valueOf(got), valueOf(want))
		}
	}
}

func valueOf(f *float64) string {
	if f == nil {
		return "null"
	}
	return fmt.Sprint(*f)
}
