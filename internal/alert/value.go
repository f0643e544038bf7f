package alert

import (
	"context"
	"fmt"
	"slices"
	"strings"

	weir "github.com/weir-analytics/weir"
)

// Values are those that an alert can measure of an insight of calls or pages, in
// the order that people are told them; none of any other kind.
func Values(insight weir.Kind) []weir.AlertValue {
	switch insight {
	case weir.KindCalls:
		return []weir.AlertValue{
			weir.ValueApdex, weir.ValueSuccessRate, weir.ValueErrorRate4xx, weir.ValueErrorRate5xx, weir.ValueRate, weir.ValueLatencyMean,
			weir.ValueLatencyP50, weir.ValueLatencyP90, weir.ValueLatencyP95, weir.ValueLatencyP99, weir.ValueNewConsumers,
		}
	case weir.KindPages:
		return []weir.AlertValue{weir.ValueViews, weir.ValueVisitors, weir.ValueVisits, weir.ValueBounceRate, weir.ValueVisitDuration}
	}
	return nil
}

// unit is what a measure's numbers are.
type unit int

const (
	plainNumber unit = iota
	ofOne            // a share, 0 to 1, that people read in percent
	index            // 0 to 1, that they read as it is
	millis           // milliseconds
)

func unitOf(m *weir.AlertMeasure) unit {
	if m.Kind == weir.MeasureErrorRate || m.Kind == weir.MeasureSuccessRate {
		return ofOne
	}
	switch m.Value {
	case weir.ValueSuccessRate, weir.ValueErrorRate4xx, weir.ValueErrorRate5xx, weir.ValueBounceRate:
		return ofOne
	case weir.ValueApdex:
		return index
	case weir.ValueLatencyMean, weir.ValueLatencyP50, weir.ValueLatencyP90, weir.ValueLatencyP95, weir.ValueLatencyP99, weir.ValueVisitDuration:
		return millis
	}
	return plainNumber
}

// sizes says whether a measure tells how much there was, so that a small one has a
// small volume.
func sizes(m *weir.AlertMeasure) bool {
	switch m.Kind {
	case weir.MeasureErrorRate, weir.MeasureSuccessRate:
		return false
	case weir.MeasureInsight:
		return slices.Contains([]weir.AlertValue{weir.ValueRate, weir.ValueViews, weir.ValueVisitors, weir.ValueVisits}, m.Value)
	}
	return true
}

// checkInsight looks at what a measure takes of which insight.
func checkInsight(m *weir.AlertMeasure) error {
	if m.Kind != weir.MeasureInsight {
		if m.Insight != "" || m.Value != "" {
			return invalid("measure: only the kind insight takes insight and value")
		}
		return nil
	}
	switch m.Insight {
	case weir.KindTrend:
		m.Insight = ""
	case "", weir.KindCalls, weir.KindPages:
	case weir.KindGrowth:
		return invalid("measure: growth is counted by days, weeks or months and has no value for a window of minutes; insight is trend, calls or pages")
	default:
		return invalid("measure: insight is trend, calls or pages")
	}
	if m.Insight == "" {
		if m.Value != "" {
			return invalid("measure: a trend takes event, math, property and filter; value is of the insights calls and pages")
		}
		return nil
	}
	var names []string
	for _, v := range Values(m.Insight) {
		names = append(names, string(v))
	}
	may := fmt.Sprintf("measure: the insight %s takes filter, and value: %s", m.Insight, strings.Join(names, ", "))
	switch {
	case m.Event != "" || m.Route != "" || m.Math != "" || m.Property != "":
		return invalid("%s; event, route, math and property are not of it", may)
	case !slices.Contains(names, string(m.Value)):
		return invalid("%s", may)
	}
	return nil
}

// fromTotals is a value of the insights of calls and pages.
func (r *meter) fromTotals(ctx context.Context, p *weir.Project, m *weir.AlertMeasure, w window) (*float64, int64, error) {
	// Only the totals count: of groups or pages the fewest are asked for.
	q := weir.Query{Kind: m.Insight, From: w.from, To: w.to, Filter: m.Filter, Limit: 1}
	value, volume, asOf, err := r.insights.Value(ctx, p, q, m.Value, fresh)
	if err = complete(q, asOf, err); err != nil {
		return nil, 0, err
	}
	return value, volume, nil
}
