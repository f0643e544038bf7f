package insight

import (
	"strconv"
	"strings"
	"time"
)

// apdexT is the latency up to which a caller is satisfied; up to four times of it
// is tolerated (Apdex specification 1.1, apdex.org).
const apdexT = 500 * time.Millisecond

// measured selects what callScan scans of the groups of a table with status and
// latency_ms, after the columns of the group: each is an expression with a name of
// its own, a space between.
func (e *Engine) measured(columns []string, from fragment, groupBy string) fragment {
	names := make([]string, len(columns))
	for i, c := range columns {
		names[i] = c[strings.LastIndexByte(c, ' ')+1:]
	}
	// The quantiles are one value within, since each of them alone would sort all
	// latencies again.
	return sql("SELECT "+strings.Join(names, ", ")+", calls, known, ok, refused, failed, timed, halves, mean, q[1], q[2], q[3], q[4] FROM (SELECT "+
		strings.Join(append(columns, e.callMeasures()...), ", ")+" FROM @ GROUP BY "+groupBy+") AS measured", from)
}

func (e *Engine) callMeasures() []string {
	count := func(condition string) string { return "SUM(CASE WHEN " + condition + " THEN 1 ELSE 0 END)" }
	ms := func(d time.Duration) string { return strconv.FormatInt(d.Milliseconds(), 10) }
	number := func(expr string) string { return "CAST(COALESCE(" + expr + ", 0) AS BIGINT)" } // NULL is of no call at all
	return []string{
		"COUNT(*) AS calls", "COUNT(status) AS known", number(count("status < 400")) + " AS ok",
		number(count("status >= 400 AND status < 500")) + " AS refused", number(count("status >= 500")) + " AS failed",
		"COUNT(latency_ms) AS timed",
		// Two for a satisfied call, one for a tolerated one. An error of the server
		// satisfies nobody, be it fast; one of the caller's own is as good as its latency.
		number("SUM(CASE WHEN status >= 500 THEN 0 WHEN latency_ms <= "+ms(apdexT)+" THEN 2 WHEN latency_ms <= "+ms(4*apdexT)+" THEN 1 ELSE 0 END)") + " AS halves",
		"AVG(latency_ms) AS mean", e.d.Quantiles("latency_ms", 0.5, 0.9, 0.95, 0.99) + " AS q",
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

// values are the row's, but for the rate.
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
