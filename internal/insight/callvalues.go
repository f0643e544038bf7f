package insight

import (
	"strconv"
	"time"
)

// apdexT is the latency up to which a caller is satisfied; up to four times of it
// is tolerated (Apdex specification 1.1, apdex.org).
const apdexT = 500 * time.Millisecond

// callMeasures are what callScan scans of a group of rows with status and
// latency_ms.
func (e *Engine) callMeasures() []string {
	count := func(condition string) string { return "SUM(CASE WHEN " + condition + " THEN 1 ELSE 0 END)" }
	ms := func(d time.Duration) string { return strconv.FormatInt(d.Milliseconds(), 10) }
	number := func(expr string) string { return "CAST(COALESCE(" + expr + ", 0) AS BIGINT)" } // NULL is of no call at all
	return []string{
		"COUNT(*)", "COUNT(status)", number(count("status < 400")), number(count("status >= 400 AND status < 500")), number(count("status >= 500")),
		"COUNT(latency_ms)",
		// Two for a satisfied call, one for a tolerated one. An error of the server
		// satisfies nobody, be it fast; one of the caller's own is as good as its latency.
		number("SUM(CASE WHEN status >= 500 THEN 0 WHEN latency_ms <= " + ms(apdexT) + " THEN 2 WHEN latency_ms <= " + ms(4*apdexT) + " THEN 1 ELSE 0 END)"),
		"AVG(latency_ms)",
		e.d.Quantile("latency_ms", 0.5), e.d.Quantile("latency_ms", 0.9), e.d.Quantile("latency_ms", 0.95), e.d.Quantile("latency_ms", 0.99),
	}
}

// callScan is a row of callMeasures.
type callScan struct {
	calls, known, ok, refused, failed, timed, halves int64

	mean, p50, p90, p95, p99 *float64
}

func (s *callScan) into() []any {
	return []any{&s.calls, &s.known, &s.ok, &s.refused, &s.failed, &s.timed, &s.halves, &s.mean, &s.p50, &s.p90, &s.p95, &s.p99}
}

// values are the row's, but for the rate.
func (s *callScan) values() CallValues {
	return CallValues{
		Calls: s.calls, Unknown: s.calls - s.known,
		SuccessRate: ratio(s.ok, s.known), ErrorRate4xx: ratio(s.refused, s.known), ErrorRate5xx: ratio(s.failed, s.known),
		LatencyMean: finite(s.mean), P50: finite(s.p50), P90: finite(s.p90), P95: finite(s.p95), P99: finite(s.p99),
		Apdex: ratio(s.halves, 2*s.timed),
	}
}
