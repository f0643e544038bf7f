package insight

import (
	"strconv"
	"strings"
	"time"

	"github.com/weir-analytics/weir/internal/cold"
)

// apdexT is the latency up to which a caller is satisfied; up to four times of it is
// tolerated (Apdex specification 1.1, apdex.org).
const apdexT = 500 * time.Millisecond

// measured selects the columns of the groups, and then what callScan scans, from a table
// with status and latency_ms. Each column of the groups is an expression, a space, and a
// name: "GROUPING(o) AS total".
//
// A new measure is a column of callMeasures, a field of callScan and its into, in the same
// order, and a field of CallValues, which values fills in.
func (r *reader) measured(columns []string, from fragment, groupBy string) fragment {
	columns = append(columns, callMeasures(r.d)...)
	var selected []string
	for _, c := range columns {
		selected = append(selected, c[strings.LastIndexByte(c, ' ')+1:])
	}
	// The four quantiles are one list, q, the last column: four separate ones would sort all
	// latencies four times.
	selected[len(selected)-1] = "q[1], q[2], q[3], q[4]"
	measured := selection{columns: names(columns...), from: from, groupBy: groupBy}
	return selection{columns: names(selected...), from: measured.as("measured")}.statement()
}

func callMeasures(d cold.Dialect) []string {
	ms := func(d time.Duration) string { return strconv.FormatInt(d.Milliseconds(), 10) }
	return []string{
		"COUNT(*) AS calls", "COUNT(status) AS known", whole(countIf("status < 400")) + " AS ok",
		whole(countIf("status >= 400 AND status < 500")) + " AS refused", whole(countIf("status >= 500")) + " AS failed",
		"COUNT(latency_ms) AS timed",
		// Two halves for a satisfied call, one for a tolerated one, none for a frustrated
		// one. An error of the server frustrates, however fast it is; an error of the
		// caller counts by its latency.
		whole("SUM(CASE WHEN status >= 500 THEN 0 WHEN latency_ms <= "+ms(apdexT)+" THEN 2 WHEN latency_ms <= "+ms(4*apdexT)+" THEN 1 ELSE 0 END)") + " AS halves",
		"AVG(latency_ms) AS mean", d.Quantiles("latency_ms", 0.5, 0.9, 0.95, 0.99) + " AS q",
	}
}

// callScan is a group as measured selects it.
type callScan struct {
	calls, known, ok, refused, failed, timed, halves int64

	mean, p50, p90, p95, p99 *float64
}

func (s *callScan) into() []any {
	return []any{&s.calls, &s.known, &s.ok, &s.refused, &s.failed, &s.timed, &s.halves, &s.mean, &s.p50, &s.p90, &s.p95, &s.p99}
}

// values returns the measures of the group, without the rate.
func (s *callScan) values() CallValues {
	v := CallValues{
		Calls: s.calls, Unknown: s.calls - s.known,
		SuccessRate: ratio(s.ok, s.known), ErrorRate4xx: ratio(s.refused, s.known), ErrorRate5xx: ratio(s.failed, s.known),
		Apdex: ratio(s.halves, 2*s.timed),
	}
	if s.timed > 0 {
		v.LatencyMean, v.P50, v.P90, v.P95, v.P99 = finite(s.mean), finite(s.p50), finite(s.p90), finite(s.p95), finite(s.p99)
	}
	return v
}
