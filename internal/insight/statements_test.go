package insight_test

import (
	"context"
	"database/sql"
	"strings"
	"testing"
	"time"

	weir "github.com/weir-analytics/weir"
	"github.com/weir-analytics/weir/internal/cold"
	"github.com/weir-analytics/weir/internal/insight"
)

// recorded is a store that keeps the statements that it was asked.
type recorded struct {
	cold.Store
	statements []string
}

func (r *recorded) Query(ctx context.Context, query string, args ...any) (*sql.Rows, error) {
	r.statements = append(r.statements, query)
	return r.Store.Query(ctx, query, args...)
}

// What a question costs is mostly how often it reads the events, and how often it parses their
// properties. Neither depends on the machine.
func TestAQuestionReadsTheEventsNoMoreOftenThanItMust(t *testing.T) {
	total, unique := weir.Series{Math: weir.MathTotal}, weir.Series{Math: weir.MathUnique}
	by := func(column string, s weir.Series) weir.Question {
		q := dayQuery(s)
		q.Breakdown = column
		return q
	}
	filtered := dayQuery(total)
	filtered.Filter = weir.Filter{{Column: "properties.plan", Op: "in", Values: []string{"pro", "free"}}}
	for name, tt := range map[string]struct {
		q weir.Question
		// How many statements there are, how often they read events, and how often they
		// parse properties.
		statements, events, parsed int
	}{
		"a total":                   {dayQuery(total), 1, 0, 0},
		"a total by a column":       {by("country", total), 2, 1, 0},
		"a total by a property":     {by("properties.plan", total), 2, 1, 1},
		"a total under a property":  {filtered, 1, 1, 1},
		"unique":                    {dayQuery(unique), 4, 2, 0},
		"unique by a property":      {by("properties.plan", unique), 4, 3, 2},
		"a median by a property":    {by("properties.plan", weir.Series{Math: weir.MathMedian, Property: "properties.n"}), 3, 2, 3},
		"a sum of a property alone": {dayQuery(weir.Series{Math: weir.MathSum, Property: "properties.n"}), 1, 1, 1},
		"pages":                     {dayPages(), 6, 7, 0},
		"calls":                     {weir.Calls{Common: weir.Common{From: dayQuery().From, To: dayQuery().To}}, 3, 2, 0},
		"a funnel":                  {weir.Funnel{Common: dayQuery().Common, Steps: []weir.Step{{Event: "a"}, {Event: "b"}}, Breakdown: "properties.plan"}, 3, 2, 1},
		"growth":                    {weir.Growth{Common: dayQuery().Common}, 7, 4, 0},
	} {
		t.Run(name, func(t *testing.T) {
			s := &recorded{Store: newStore(t, weir.EventRow{Event: weir.Event{ID: "1", Name: weir.NameScreenView, Path: "/", DeviceID: "d", Time: noon.AddDate(0, 0, -2), Properties: []byte(`{"plan":"pro","n":1}`)}})}
			e := insight.New(s, &barrier{}, func() time.Time { return noon }, insight.Options{Parallel: 1})
			if _, err := e.Ask(t.Context(), berlin(t), tt.q, 0); err != nil {
				t.Fatal(err)
			}
			all := strings.Join(s.statements, ";\n")
			got := [...]int{len(s.statements), strings.Count(all, "FROM events"), strings.Count(all, "json_extract_string")}
			if want := [...]int{tt.statements, tt.events, tt.parsed}; got != want {
				t.Errorf("statements, reads of events, properties parsed: %v, want %v:\n%s", got, want, all)
			}
		})
	}
}
