package insight

import (
	weir "github.com/weir-analytics/weir"
	"github.com/weir-analytics/weir/internal/sqlgate"
)

// StatementSchema is what statements may name, for editors.
type StatementSchema struct {
	Tables    []StatementTable    `json:"tables" nullable:"false"`
	Functions []StatementFunction `json:"functions" nullable:"false"`
	Types     []string            `json:"types" nullable:"false" doc:"for CAST"`
}

// StatementTable is a table that statements may name.
type StatementTable struct {
	Name        string                 `json:"name"`
	Description string                 `json:"description"`
	Columns     []StatementTableColumn `json:"columns" nullable:"false"`
}

// StatementTableColumn is a column of such a table.
type StatementTableColumn struct {
	StatementColumn
	Description string `json:"description"`
}

// StatementFunction is a function that statements may call.
type StatementFunction struct {
	Name        string `json:"name"`
	Arguments   string `json:"arguments"`
	Kind        string `json:"kind" enum:"scalar,aggregate,window" doc:"an aggregate takes OVER too; window takes nothing else"`
	Description string `json:"description"`
}

// StatementSchema returns what statements of an asker may name.
func (e *Engine) StatementSchema(p *weir.Project, people bool) (*StatementSchema, error) {
	r := &reader{Engine: e, project: p}
	s := &StatementSchema{Types: []string{"text", "integer", "double", "boolean", "timestamp", "date"}}
	for _, t := range r.catalog(people).Tables {
		out := StatementTable{Name: t.Name, Description: t.Doc}
		for _, c := range t.Columns {
			out.Columns = append(out.Columns, StatementTableColumn{StatementColumn{c.Name, c.Kind.String()}, c.Doc})
		}
		s.Tables = append(s.Tables, out)
	}
	for _, f := range sqlgate.Functions {
		if f.Name == "->>" {
			continue
		}
		s.Functions = append(s.Functions, StatementFunction{f.Name, f.Args, [...]string{sqlgate.Scalar: "scalar", sqlgate.Aggregate: "aggregate", sqlgate.WindowOnly: "window"}[f.Kind], f.Doc})
	}
	return s, nil
}
