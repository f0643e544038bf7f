package insight_test

import (
	"encoding/json"
	"fmt"
	"math"
	"testing"

	weir "github.com/weir-analytics/weir"
	"github.com/weir-analytics/weir/internal/insight"
)

func paid(hour int, amount float64, currency string) weir.EventRow {
	r := called(float64(hour), weir.Call{})
	r.Name, r.Call, r.Revenue, r.Currency = "buy", nil, weir.Known(amount), currency
	r.ID = fmt.Sprint("buy-", hour, amount, currency)
	return r
}

func askSum(t *testing.T, e *insight.Engine, change func(*weir.Trend)) (*insight.Trend, error) {
	t.Helper()
	c := callsQuery(func(*weir.Calls) {}).Common
	q := weir.Trend{Common: c, Series: []weir.Series{{Event: "buy", Math: weir.MathSum, Property: "revenue"}}}
	q.Interval, q.Compare = weir.Day, weir.CompareNone
	change(&q)
	return insight.Ask[insight.Trend](t.Context(), e, berlin(t), q, 0)
}

func TestRevenueInSeveralCurrenciesIsRefused(t *testing.T) {
	e := newEngine(t, &barrier{}, paid(1, 100, "EUR"), paid(2, 15000, "JPY"), paid(3, -100, "EUR"), paid(4, 0, ""))
	for _, m := range []weir.Math{weir.MathSum, weir.MathAvg, weir.MathMin, weir.MathMax, weir.MathMedian, weir.MathP95} {
		_, err := askSum(t, e, func(q *weir.Trend) { q.Series[0].Math = m })
		if weir.ErrorCode(err) != weir.EINVALID {
			t.Errorf("%s: %v, want a refusal", m, err)
		}
	}
	if _, err := askSum(t, e, func(q *weir.Trend) { q.Breakdown = "name" }); weir.ErrorCode(err) != weir.EINVALID {
		t.Errorf("by another column: %v, want a refusal", err)
	}
	a, err := askSum(t, e, func(q *weir.Trend) { q.Filter = weir.Filter{{Column: "currency", Op: "=", Values: []string{"JPY"}}} })
	if err != nil || *a.Series[0].Total != 15000 {
		t.Errorf("with a filter: %+v %v", a, err)
	}
	a, err = askSum(t, e, func(q *weir.Trend) { q.Breakdown = "currency" })
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]float64{}
	for _, s := range a.Series {
		got[s.Breakdown.Value] = *s.Total
	}
	if got["EUR"] != 0 || got["JPY"] != 15000 {
		t.Errorf("by currency: %v", got)
	}
	a, err = askSum(t, e, func(q *weir.Trend) { q.Breakdown, q.Limit = "currency", 1 })
	if err != nil || *a.Series[0].Total != 0 || a.Series[1].Total != nil {
		t.Errorf("other currencies together: %+v %v, want null", a.Series, err)
	}
}

func TestMoneyIsSummedExactly(t *testing.T) {
	var rows []weir.EventRow
	for i := range 10 {
		rows = append(rows, paid(1+i*4, 0.1, "EUR")) // on two days
	}
	a, err := askSum(t, newEngine(t, &barrier{}, rows...), func(*weir.Trend) {})
	if err != nil || *a.Series[0].Total != 1 {
		t.Errorf("ten times 0.1 is %v %v", *a.Series[0].Total, err)
	}
	a, err = askSum(t, newEngine(t, &barrier{}, paid(1, 0.1, "EUR"), paid(2, 0.2, "EUR"), paid(3, 1e6, "EUR"), paid(4, -1e6, "EUR")), func(*weir.Trend) {})
	if err != nil || *a.Series[0].Total != 0.3 {
		t.Errorf("0.1 + 0.2 is %v %v", *a.Series[0].Total, err)
	}
}

func TestSumThatOverflowsIsNullAndCounted(t *testing.T) {
	e := newEngine(t, &barrier{}, paid(1, math.MaxFloat64, "EUR"), paid(2, math.MaxFloat64, "EUR"), paid(30, 5, "EUR"))
	a, err := askSum(t, e, func(*weir.Trend) {})
	if err != nil {
		t.Fatal(err)
	}
	if s := a.Series[0]; s.Total != nil || s.Points[0].Value != nil || *s.Points[1].Value != 5 || s.Overflowed != 2 {
		t.Errorf("%+v", s)
	}
}

func TestNumbersOfOneValueAreOneGroup(t *testing.T) {
	var rows []weir.EventRow
	for i, v := range []string{`1000`, `1000.0`, `1e3`, `"1000"`, `"1e3"`, `10.00E2`, `0`, `-0.0`, `"0.0"`, `""`, `"1,000"`, `12345678901234567`, `12345678901234568`} {
		r := paid(1, float64(i), "EUR")
		r.Properties = json.RawMessage(`{"n":` + v + `}`)
		rows = append(rows, r)
	}
	e := newEngine(t, &barrier{}, rows...)
	ask := func(change func(*weir.Trend)) map[string]float64 {
		a, err := askSum(t, e, func(q *weir.Trend) {
			q.Series[0].Math, q.Series[0].Property = weir.MathTotal, ""
			change(q)
		})
		if err != nil {
			t.Fatal(err)
		}
		got := map[string]float64{}
		for _, s := range a.Series {
			name := "all"
			if s.Breakdown != nil {
				name = s.Breakdown.Value
			}
			got[name] = *s.Total
		}
		return got
	}
	by := ask(func(q *weir.Trend) { q.Breakdown, q.Limit = "properties.n", 50 })
	want := map[string]float64{"1000": 6, "0": 3, "": 1, "1,000": 1, "12345678901234567": 1, "12345678901234568": 1}
	for k, n := range want {
		if by[k] != n {
			t.Errorf("group %q has %v events, want %v: %v", k, by[k], n, by)
		}
	}
	for _, v := range []string{"1000", "1000.0", "1e3", "1E+3"} {
		for op, n := range map[string]float64{"=": 6, "!=": 7, "in": 6} {
			got := ask(func(q *weir.Trend) { q.Filter = weir.Filter{{Column: "properties.n", Op: op, Values: []string{v}}} })
			if got["all"] != n {
				t.Errorf("%s %s: %v events, want %v", op, v, got["all"], n)
			}
		}
	}
}
