package httpd

import (
	"context"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"math"
	"net/http"
	"reflect"
	"strconv"
	"time"

	"github.com/danielgtaylor/huma/v2"
	weir "github.com/weir-analytics/weir"
	"github.com/weir-analytics/weir/internal/insight"
	"github.com/weir-analytics/weir/internal/report"
)

// Statements runs SQL over one project's rows. *insight.Engine does.
type Statements interface {
	// Run runs a statement. Error: EINVALID for one that is not allowed.
	Run(ctx context.Context, p *weir.Project, st insight.Statement) (*insight.StatementAnswer, error)
	// StatementSchema returns what statements may name.
	StatementSchema(p *weir.Project, people bool) (*insight.StatementSchema, error)
}

type sqlInput struct {
	ProjectPath
	Accept string `header:"Accept"`
	Body   SQLBody
}

// SQLBody is a statement.
type SQLBody struct {
	SQL       string `json:"sql" maxLength:"32768" doc:"one SELECT; see the manual for what it may name"`
	Params    []any  `json:"params,omitempty" maxItems:"100" nullable:"false" doc:"values of $1, $2 … or of each ?: text, number, boolean or null"`
	Limit     int    `json:"limit,omitempty" minimum:"1" maximum:"10000" doc:"most rows; 1000 when missing"`
	TimeoutMS int    `json:"timeout_ms,omitempty" minimum:"1" maximum:"600000" doc:"at most the server's own limit, which holds when missing"`
}

func (s *Server) mountSQL() {
	op := s.answeringWith(huma.Operation{
		OperationID: "sql", Method: "POST", Path: "/api/v1/projects/{id}/sql", Summary: "Ask in SQL",
		Description: "One SELECT over the project's events, visits and, for those who may see people, profiles and traits. It is read-only.",
	}, s.schema(reflect.TypeFor[insight.StatementAnswer]()))
	op.Responses["200"].Content["text/csv"] = &huma.MediaType{Schema: &huma.Schema{Type: huma.TypeString}}
	handle(s, op, s.sql)
	handle(s, huma.Operation{
		OperationID: "sql-schema", Method: "GET", Path: "/api/v1/projects/{id}/sql/schema", Summary: "What SQL may name: tables, columns, functions, types",
		Description: "For editors that complete what is typed.",
	}, func(ctx context.Context, _ *ProjectPath) (*output[insight.StatementSchema], error) {
		return passOn(s.cfg.Insights.StatementSchema(projectOf(ctx), seesPeople(ctx)))
	})
}

func (s *Server) sql(ctx context.Context, in *sqlInput) (*huma.StreamResponse, error) {
	st := insight.Statement{SQL: in.Body.SQL, Limit: in.Body.Limit, Timeout: time.Duration(in.Body.TimeoutMS) * time.Millisecond, People: seesPeople(ctx)}
	for i, v := range in.Body.Params {
		switch v := v.(type) {
		case nil, string, bool:
			st.Params = append(st.Params, v)
		case float64:
			if v == math.Trunc(v) && math.Abs(v) < 1<<53 {
				st.Params = append(st.Params, int64(v))
			} else {
				st.Params = append(st.Params, v)
			}
		default:
			return nil, weir.Errorf(weir.EINVALID, "params: value %d is neither text, number, boolean nor null", i+1)
		}
	}
	a, err := s.cfg.Insights.Run(ctx, projectOf(ctx), st)
	if err != nil {
		return nil, err
	}
	return &huma.StreamResponse{Body: func(ctx huma.Context) {
		ctx.SetHeader("Cache-Control", "no-store")
		ctx.SetHeader("Vary", "Accept")
		if prefersCSV(in.Accept) {
			ctx.SetHeader("Content-Type", "text/csv; charset=utf-8; header=present")
			ctx.SetHeader("Weir-Truncated", strconv.FormatBool(a.Truncated))
			ctx.SetStatus(http.StatusOK)
			writeStatementCSV(ctx, a)
			return
		}
		ctx.SetHeader("Content-Type", "application/json")
		ctx.SetStatus(http.StatusOK)
		_ = json.NewEncoder(ctx.BodyWriter()).Encode(a) // who does not read it is gone
	}}, nil
}

func writeStatementCSV(ctx huma.Context, a *insight.StatementAnswer) {
	w := csv.NewWriter(ctx.BodyWriter())
	fields := make([]string, len(a.Columns))
	for i, c := range a.Columns {
		fields[i] = report.Text(c.Name)
	}
	_ = w.Write(fields)
	for _, row := range a.Rows {
		for i, v := range row {
			switch v := v.(type) {
			case nil:
				fields[i] = ""
			case float64:
				fields[i] = strconv.FormatFloat(v, 'f', -1, 64)
			case string:
				fields[i] = report.Text(v)
			default:
				fields[i] = fmt.Sprint(v)
			}
		}
		_ = w.Write(fields)
	}
	w.Flush()
}
