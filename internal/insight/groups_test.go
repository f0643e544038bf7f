package insight_test

import (
	"encoding/json"
	"testing"

	weir "github.com/weir-analytics/weir"
	"github.com/weir-analytics/weir/internal/insight"
)

func TestGroupsAreCountedInPlaceOfPersons(t *testing.T) {
	var rows []weir.EventRow
	for i, properties := range []string{
		`{"$groups":{"company":"acme"}}`, `{"$groups":{"company":"acme","team":["t1","t2"]}}`, `{"$groups":{"company":7}}`, `{"$groups":{"company":""}}`, `{"$groups":"acme"}`, `{"company":"x"}`,
		`{"group_type":"company","group_id":"new"}`, `{"group_type":"team","group_id":"t3"}`,
	} {
		e := view("d"+string(rune('0'+i)), "/", float64(i))
		e.Properties = json.RawMessage(properties)
		if i >= 6 {
			e.Name = weir.NameGroup
		}
		rows = append(rows, e)
	}
	e := newEngine(t, &barrier{}, rows...)
	for of, want := range map[string]float64{"groups.company": 3, "groups.team": 2, "groups.none": 0, "path": 1, "": 8} { // acme, 7, new; t1, t3
		a, err := insight.Ask[insight.Trend](t.Context(), e, berlin(t), dayQuery(weir.Series{Math: weir.MathUnique, Of: of}), 0)
		if err != nil {
			t.Fatal(err)
		}
		if got := *a.Series[0].Total; got != want || a.Series[0].Of != of {
			t.Errorf("%v different of %q, want %v", got, of, want)
		}
	}
	for _, s := range []weir.Series{{Math: weir.MathUnique, Of: "bot"}, {Math: weir.MathUnique, Of: "status"}, {Math: weir.MathUnique, Of: "groups."}, {Math: weir.MathUnique, Of: "traits.plan"}, {Math: weir.MathTotal, Of: "path"}} {
		if _, err := e.Ask(t.Context(), berlin(t), dayQuery(s), 0); weir.ErrorCode(err) != weir.EINVALID {
			t.Errorf("%+v: %v, want EINVALID", s, err)
		}
	}
}
