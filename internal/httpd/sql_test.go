package httpd_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	weir "github.com/weir-analytics/weir"
	"github.com/weir-analytics/weir/internal/insight"
)

func (b insights) Run(_ context.Context, p *weir.Project, st insight.Statement) (*insight.StatementAnswer, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.statement = st
	return &insight.StatementAnswer{
		Columns: []insight.StatementColumn{{Name: "name", Type: "text"}, {Name: "n", Type: "number"}},
		Rows:    [][]any{{"=a,b", 1.5}, {nil, int64(2)}, {"true", true}}, Truncated: true, AsOf: asOf(p),
	}, b.asked(p)
}

func (b insights) StatementSchema(_ *weir.Project, people bool) (*insight.StatementSchema, error) {
	s := &insight.StatementSchema{Tables: []insight.StatementTable{{Name: "events", Columns: []insight.StatementTableColumn{}}}, Functions: []insight.StatementFunction{}, Types: []string{"text"}}
	if people {
		s.Tables = append(s.Tables, insight.StatementTable{Name: "profiles", Columns: []insight.StatementTableColumn{}})
	}
	return s, nil
}

func TestSQLIsAnsweredAsJSONAndCSV(t *testing.T) {
	f := start(t)
	a := f.as(f.admin, "POST", f.path("/sql"), `{"sql":"SELECT 1","params":["a",1,1.5,true,null,1e300],"limit":7,"timeout_ms":1500}`)
	wantStatus(t, a, 200)
	want := insight.Statement{SQL: "SELECT 1", Params: []any{"a", int64(1), 1.5, true, nil, 1e300}, Limit: 7, Timeout: 1500 * time.Millisecond, People: true}
	if d := cmp.Diff(want, f.statement); d != "" {
		t.Errorf("(-want +got):\n%s", d)
	}
	if !strings.Contains(a.body, `"rows":[["=a,b",1.5],[null,2],["true",true]],"truncated":true`) {
		t.Errorf("JSON: %s", a.body)
	}
	csv := f.do("POST", f.path("/sql"), `{"sql":"SELECT 1"}`, "Authorization", "Bearer "+f.admin, "Accept", "text/csv")
	wantStatus(t, csv, 200)
	if csv.body != "name,n\n\"'=a,b\",1.5\n,2\ntrue,true\n" || csv.header.Get("Weir-Truncated") != "true" {
		t.Errorf("CSV: %q, %v", csv.body, csv.header)
	}
	for _, body := range []string{`{}`, `{"sql":"SELECT 1","limit":10001}`, `{"sql":"SELECT 1","limit":0}`, `{"sql":"SELECT 1","more":1}`, `{"sql":1}`} {
		if a := f.as(f.admin, "POST", f.path("/sql"), body); a.status != 422 && a.status != 400 {
			t.Errorf("%s: %d %s", body, a.status, a.body)
		}
	}
	wantError(t, f.as(f.admin, "POST", f.path("/sql"), `{"sql":"SELECT 1","params":[[1]]}`), 400, weir.EINVALID)
}
