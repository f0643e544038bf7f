package httpd

import (
	"context"
	"encoding/json"
	"reflect"
	"slices"
	"time"

	weir "github.com/weir-analytics/weir"
	"github.com/weir-analytics/weir/internal/stats"
)

// readerFreshness is how stale the answers to readers of a shared link may be at least, so that many
// of them cost no more than one.
const readerFreshness = 30 * time.Second

// readerQuestions are all questions of a shared overview, but for their periods and filters. The page
// (web/src/api/insight.ts) asks just these. None of them names people or who calls an API.
var readerQuestions = parsedQuestions(
	`{"kind":"trend","interval":"hour","series":[{"math":"total"},{"math":"unique"}],"compare":"previous"}`,
	`{"kind":"trend","interval":"day","series":[{"math":"total"},{"math":"unique"}],"compare":"previous"}`,
	`{"kind":"pages","limit":8}`,
	`{"kind":"calls","breakdown":"route","sort":"calls","limit":10}`,
	`{"kind":"calls","breakdown":"route","sort":"errors","limit":10}`,
	`{"kind":"calls","breakdown":"route","sort":"latency","limit":10}`,
	`{"kind":"trend","interval":"month","series":[{"math":"total"}],"breakdown":"path","limit":8}`,
	`{"kind":"trend","interval":"month","series":[{"math":"total"}],"breakdown":"channel","limit":8}`,
	`{"kind":"trend","interval":"month","series":[{"math":"total"}],"breakdown":"referrer","limit":8}`,
	`{"kind":"trend","interval":"month","series":[{"math":"total"}],"breakdown":"country","limit":8}`,
	`{"kind":"trend","interval":"month","series":[{"math":"total"}],"breakdown":"city","limit":8}`,
	`{"kind":"trend","interval":"month","series":[{"math":"total"}],"breakdown":"browser","limit":8}`,
	`{"kind":"trend","interval":"month","series":[{"math":"total"}],"breakdown":"os","limit":8}`,
	`{"kind":"trend","interval":"month","series":[{"math":"total"}],"breakdown":"device_type","limit":8}`,
	`{"kind":"trend","interval":"month","series":[{"event":"api_call","math":"total"}],"breakdown":"status","limit":8}`,
	`{"kind":"trend","interval":"month","series":[{"event":"api_call","math":"total"}],"breakdown":"method","limit":8}`,
)

// Periods and filters of these questions.
var (
	readerPeriods = []any{"today", "-7d", "-30d"}
	readerFilters = []any{[]any{}, []any{map[string]any{"column": "bot", "op": "=", "value": "false"}}}
)

func parsedQuestions(texts ...string) (all []any) {
	for _, text := range texts {
		var q any
		if err := json.Unmarshal([]byte(text), &q); err != nil {
			panic(err)
		}
		all = append(all, q)
	}
	return all
}

func oneOf(v any, of []any) bool {
	return slices.ContainsFunc(of, func(one any) bool { return reflect.DeepEqual(v, one) })
}

// checkReaderQuestion refuses a question that no shared overview asks. Error: EFORBIDDEN.
func checkReaderQuestion(raw []byte) error {
	var q map[string]any
	if json.Unmarshal(raw, &q) == nil && oneOf(q["from"], readerPeriods) && (q["filter"] == nil || oneOf(q["filter"], readerFilters)) {
		delete(q, "from")
		delete(q, "filter")
		if oneOf(any(q), readerQuestions) {
			return nil
		}
	}
	return weir.Errorf(weir.EFORBIDDEN, "a shared link asks only what its page shows")
}

// isReader reports whether a shared link calls.
func isReader(ctx context.Context) bool { return callOf(ctx).who.share != nil }

// forReader returns an overview as readers of a shared link get it: without who calls an API, since
// that may be a person's id.
func forReader(ctx context.Context, o *stats.Overview, err error) (*stats.Overview, error) {
	if err != nil || !isReader(ctx) {
		return o, err
	}
	shown := *o
	shown.TopConsumers = []stats.Consumer{}
	return &shown, nil
}
