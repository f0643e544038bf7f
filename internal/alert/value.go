package alert

import (
	"context"
	"fmt"
	"slices"
	"strings"

	weir "github.com/weir-analytics/weir"
	"github.com/weir-analytics/weir/internal/insight"
)

// Values are the values that an alert can measure of an insight, in the order in which
// people read them; none if it has none.
func Values(kind weir.Kind) (names []weir.AlertValue) {
	for _, m := range insight.Measures(kind) {
		names = append(names, m.Name)
	}
	return names
}

// measureOf returns what a measure of an insight's totals is; the zero value for any other.
func measureOf(m *weir.AlertMeasure) insight.Measure {
	for _, of := range insight.Measures(m.Insight) {
		if of.Name == m.Value {
			return of
		}
	}
	return insight.Measure{}
}

func unitOf(m *weir.AlertMeasure) insight.Unit {
	if m.Kind == weir.MeasureErrorRate || m.Kind == weir.MeasureSuccessRate {
		return insight.Share
	}
	return measureOf(m).Unit
}

// isAmount says whether a measure is how much there was, so that a small value has a small
// volume.
func isAmount(m *weir.AlertMeasure) bool {
	switch m.Kind {
	case weir.MeasureErrorRate, weir.MeasureSuccessRate:
		return false
	case weir.MeasureInsight:
		return measureOf(m).Amount
	}
	return true
}

// insights lists the insights that alerts can measure: "trend, calls or pages".
func insights(others []string) string {
	last := len(others) - 1
	return strings.Join(append([]string{string(weir.KindTrend)}, others[:last]...), ", ") + " or " + others[last]
}

// checkInsight checks what a measure takes of its insight.
func checkInsight(m *weir.AlertMeasure) error {
	if m.Kind != weir.MeasureInsight {
		if m.Insight != "" || m.Value != "" {
			return invalid("measure: only the kind insight takes insight and value")
		}
		return nil
	}
	var measured []string
	for _, k := range insight.MeasuredKinds() {
		measured = append(measured, string(k))
	}
	switch {
	case m.Insight == "" || m.Insight == weir.KindTrend:
		m.Insight = ""
		if m.Value != "" {
			return invalid("measure: a trend takes event, math, property and filter; value is of the insights %s", strings.Join(measured, " and "))
		}
		return nil
	case m.Insight == weir.KindGrowth:
		return invalid("measure: growth is counted by days, weeks or months and has no value for a window of minutes; insight is %s", insights(measured))
	case !slices.Contains(measured, string(m.Insight)):
		return invalid("measure: insight is %s", insights(measured))
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

// fromTotals returns a value of the totals of an insight.
func (r *meter) fromTotals(ctx context.Context, p *weir.Project, m *weir.AlertMeasure, w window) (*float64, int64, error) {
	q, err := insight.MeasureQuestion(m.Insight, weir.Common{From: w.from, To: w.to, Filter: m.Filter})
	if err != nil {
		return nil, 0, err
	}
	value, volume, asOf, err := r.insights.Value(ctx, p, q, m.Value, fresh)
	if err = complete(w, asOf, err); err != nil {
		return nil, 0, err
	}
	return value, volume, nil
}
