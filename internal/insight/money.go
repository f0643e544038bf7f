package insight

import (
	"context"
	"strings"

	weir "github.com/weir-analytics/weir"
	"github.com/weir-analytics/weir/internal/cold"
)

// Sums of money of several currencies mean nothing, and so do means and percentiles. So a
// series of revenue needs events of one currency, or a breakdown by currency.
const (
	revenueColumn  = "revenue"
	currencyColumn = "currency"
)

// moneyAggregates are the sum and the mean of money. They are made in SQL for the buckets and
// for the range, and not from the buckets, so that each is exact.
var moneyAggregates = map[weir.Math]aggregate{
	weir.MathSum: {sql: func(d cold.Dialect) string { return moneySum(d, "v") }, zero: true, added: true},
	weir.MathAvg: {sql: func(d cold.Dialect) string { return moneySum(d, "v") + " / NULLIF(COUNT(v), 0)" }, added: true},
}

// moneySum is the sum of a column of amounts. It adds whole billionths, which has the same
// exact result in any order and on every engine. Amounts from 1e18 on are added as doubles.
func moneySum(d cold.Dialect, column string) string {
	const billionths = "1000000000.0"
	whole := d.Int128("ROUND(CASE WHEN ABS(" + column + ") < 1e18 THEN " + column + " ELSE 0 END * " + billionths + ")")
	return "(CASE WHEN MAX(ABS(" + column + ")) >= 1e18 THEN " + d.Sum(column) + " ELSE CAST(SUM(" + whole + ") AS DOUBLE) / " + billionths + " END)"
}

// ofMoney says whether the values of a series are amounts of money.
func (s seriesPlan) ofMoney() bool { return s.value != nil && s.value.name == revenueColumn }

// byCurrency says whether each group of the breakdown has one currency.
func (t *trendPlan) byCurrency() bool { return t.by != nil && t.by.name == currencyColumn }

// oneCurrency refuses a series of revenue in several currencies. A revenue of 0 without a
// currency fits each. Error: EINVALID.
func (t *trendPlan) oneCurrency(ctx context.Context, r *reader, s seriesPlan) error {
	if !s.ofMoney() || t.byCurrency() {
		return nil
	}
	var found []string
	for _, b := range t.ranges() {
		q := selection{
			columns: raw(currencyColumn), from: t.rowsOf(r, "events", b),
			where:   all(t.where(r, s.Event, b), raw("revenue IS NOT NULL AND (revenue <> 0 OR currency <> '')")),
			groupBy: currencyColumn, orderBy: currencyColumn, limit: 4,
		}
		err := r.each(ctx, q.statement(), func(scan func(...any) error) error {
			var code string
			if err := scan(&code); err != nil {
				return err
			}
			found = append(found, code)
			return nil
		})
		if err != nil {
			return err
		}
	}
	return refuseCurrencies(found)
}

func refuseCurrencies(found []string) error {
	var names []string
	seen := map[string]bool{}
	for _, code := range found {
		if seen[code] {
			continue
		}
		seen[code] = true
		if code == "" {
			code = "none"
		}
		names = append(names, code)
	}
	if len(names) < 2 {
		return nil
	}
	return weir.Errorf(weir.EINVALID, `revenue is in several currencies (%s): filter by currency, as {"column":"currency","op":"=","value":"EUR"}, or use "breakdown":"currency"`, strings.Join(names, ", "))
}
