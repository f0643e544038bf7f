package httpd

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"
	"net/http"
	"reflect"
	"strconv"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"
	weir "github.com/weir-analytics/weir"
	"github.com/weir-analytics/weir/internal/report"
)

// Reports computes and reads daily reports. *report.Reporter is one.
type Reports interface {
	Daily(ctx context.Context, p *weir.Project, d weir.Date) (*weir.Report, error)
	Days(ctx context.Context, p *weir.Project, first, last weir.Date) (iter.Seq2[*weir.Report, error], error)
	Compute(ctx context.Context, p *weir.Project, d weir.Date) (*weir.Report, error)
	Schedule(ctx context.Context, p *weir.Project) (*report.Schedule, error)
	SetSchedule(ctx context.Context, p *weir.Project, at string) (*report.Schedule, error)
}

const (
	reportsRoute = "GET /api/v1/projects/{id}/reports/daily"
	// reportDays is how many days before today are answered when from is missing.
	reportDays = 30
	// reportWithin is how long a report may take that somebody waits for: less than
	// an answer may. The night's may take longer.
	reportWithin = 90 * time.Second
)

type (
	reportInput struct {
		ProjectPath
		Date string `path:"date" doc:"a day in the project's timezone, such as 2026-03-10"`
	}
	scheduleInput struct {
		ProjectPath
		Body struct {
			At string `json:"at" maxLength:"5" doc:"HH:MM in the project's timezone, or off; empty for the server's time"`
		}
	}
)

func (s *Server) mountReports() {
	s.mountReportDays()
	read := func(f func(context.Context, *weir.Project, weir.Date) (*weir.Report, error)) func(context.Context, *reportInput) (*output[weir.Report], error) {
		return func(ctx context.Context, in *reportInput) (*output[weir.Report], error) {
			d, err := weir.ParseDate(in.Date)
			if err != nil {
				return nil, err
			}
			return passOn(f(ctx, projectOf(ctx), d))
		}
	}
	handle(s, huma.Operation{
		OperationID: "get-report", Method: "GET", Path: "/api/v1/projects/{id}/reports/daily/{date}", Summary: "A day's report",
	}, read(func(ctx context.Context, p *weir.Project, d weir.Date) (*weir.Report, error) {
		return s.cfg.Reports.Daily(ctx, p, d)
	}))
	handle(s, huma.Operation{
		OperationID: "compute-report", Method: "POST", Path: "/api/v1/projects/{id}/reports/daily/{date}", Summary: "Compute a day's report now",
		Description: "Its revision grows if a number changed.",
	}, read(func(ctx context.Context, p *weir.Project, d weir.Date) (*weir.Report, error) {
		ctx, cancel := context.WithTimeout(ctx, reportWithin)
		defer cancel()
		return s.cfg.Reports.Compute(ctx, p, d)
	}))
	handle(s, huma.Operation{
		OperationID: "report-schedule", Method: "GET", Path: "/api/v1/projects/{id}/reports/schedule", Summary: "When reports are computed",
	}, func(ctx context.Context, _ *ProjectPath) (*output[report.Schedule], error) {
		return passOn(s.cfg.Reports.Schedule(ctx, projectOf(ctx)))
	})
	handle(s, huma.Operation{
		OperationID: "set-report-schedule", Method: "PUT", Path: "/api/v1/projects/{id}/reports/schedule", Summary: "Change when reports are computed",
	}, func(ctx context.Context, in *scheduleInput) (*output[report.Schedule], error) {
		return passOn(s.cfg.Reports.SetSchedule(ctx, projectOf(ctx), in.Body.At))
	})
}

// mountReportDays mounts what is written while it is read, which huma would gather
// first.
func (s *Server) mountReportDays() {
	text := func(name, in, doc string, values ...any) *huma.Param {
		return &huma.Param{
			Name: name, In: in, Required: in == "path", Description: doc, Schema: &huma.Schema{Type: huma.TypeString, Enum: values},
		}
	}
	op := huma.Operation{
		OperationID: "list-reports", Method: "GET", Path: "/api/v1/projects/{id}/reports/daily", Summary: "Daily reports, oldest first",
		Description: fmt.Sprintf("At most %d days; days without a report are left out.", report.MaxDays),
		Parameters: []*huma.Param{
			text("id", "path", "the project's id"),
			text("from", "query", fmt.Sprintf("the first day: a date, RFC 3339, a time ago such as -7d, or a word such as last_month, which is its whole period; -%dd when missing", reportDays)),
			text("to", "query", "the last day, in the same forms; yesterday when missing"),
			text("format", "query", "what Accept asks for when missing", "json", "csv"),
			text("by_api", "query", "csv: rows of APIs after each day's own", "true", "false"),
		},
		Responses: map[string]*huma.Response{
			"200": {Description: "OK", Content: map[string]*huma.MediaType{
				"application/json": {Schema: &huma.Schema{
					Type: huma.TypeObject, Required: []string{"reports"},
					Properties: map[string]*huma.Schema{"reports": {Type: huma.TypeArray, Items: s.schema(reflect.TypeFor[weir.Report]())}},
				}},
				"text/csv": {Schema: &huma.Schema{Type: huma.TypeString}},
			}},
			"default": s.errorResponse(),
		},
	}
	s.describe(&op)
	s.mux.HandleFunc(reportsRoute, s.reportDays)
	s.api.OpenAPI().AddOperation(&op)
}

// reportsQuery is what is asked of reportDays.
type reportsQuery struct {
	first, last weir.Date
	csv, byAPI  bool
}

func (s *Server) reportsQuery(r *http.Request, p *weir.Project) (q reportsQuery, err error) {
	in, now, loc := r.URL.Query(), s.cfg.Clock.Now(), p.Location()
	today := weir.DateOf(now, loc)
	q.first, q.last = today.Add(-reportDays), today.Add(-1)
	from, to, err := weir.ParseRange(in.Get("from"), in.Get("to"), now, loc)
	if err != nil {
		return q, err
	}
	if !from.IsZero() {
		q.first = weir.DateOf(from, loc)
	}
	if !to.IsZero() {
		last := weir.DateOf(to.Add(-time.Nanosecond), loc) // it is exclusive
		if in.Get("to") == "" {
			last = max(q.first, min(last, q.last)) // this_month ends after the last report
		}
		q.last = last
	}
	switch format := in.Get("format"); format {
	case "":
		q.csv = prefersCSV(strings.Join(r.Header.Values("Accept"), ","))
	case "json", "csv":
		q.csv = format == "csv"
	default:
		return q, weir.Errorf(weir.EINVALID, "format %.40q: use json or csv", format)
	}
	if text := in.Get("by_api"); text != "" {
		if q.byAPI, err = strconv.ParseBool(text); err != nil {
			return q, weir.Errorf(weir.EINVALID, "by_api: use true or false")
		}
	}
	return q, nil
}

// prefersCSV says whether who sends the Accept header would rather have CSV than
// JSON, which is what those get who do not care.
func prefersCSV(accept string) bool {
	csv, json, jsonNamed := 0.0, 0.0, false
	for part := range strings.SplitSeq(accept, ",") {
		kind, params, _ := strings.Cut(part, ";")
		q := 1.0
		for param := range strings.SplitSeq(params, ";") {
			if v, ok := strings.CutPrefix(strings.TrimSpace(param), "q="); ok {
				if f, err := strconv.ParseFloat(v, 64); err == nil {
					q = f
				}
			}
		}
		switch strings.ToLower(strings.TrimSpace(kind)) {
		case "text/csv":
			csv = q
		case "application/json":
			json, jsonNamed = q, true
		case "*/*", "application/*":
			if !jsonNamed {
				json = q
			}
		}
	}
	return csv > json || csv > 0 && csv == json && !jsonNamed
}

func (s *Server) reportDays(w http.ResponseWriter, r *http.Request) {
	p := projectOf(r.Context())
	q, err := s.reportsQuery(r, p)
	if err != nil {
		s.fail(w, r, err)
		return
	}
	days, err := s.cfg.Reports.Days(r.Context(), p, q.first, q.last)
	if err != nil {
		s.fail(w, r, err)
		return
	}
	out := reportWriter(newJSONReports(w))
	if q.csv {
		out = report.NewCSV(w, q.byAPI)
	}
	begun := false
	begin := func() error {
		if begun {
			return nil
		}
		begun = true
		h := w.Header()
		h.Set("Cache-Control", "no-store")
		h.Set("Vary", "Accept")
		h.Set("Content-Type", "application/json")
		if q.csv {
			h.Set("Content-Type", "text/csv; charset=utf-8; header=present")
			h.Set("Content-Disposition", fmt.Sprintf(`attachment; filename="reports-%s-%s.csv"`, q.first, q.last))
		}
		return out.Header()
	}
	for a, err := range days {
		if err == nil {
			if err := errors.Join(begin(), out.Report(a)); err != nil {
				return // the client is gone
			}
			continue
		}
		if !begun {
			s.fail(w, r, err)
			return
		}
		// An answer that ends early must not look like a whole one.
		s.logFailure(r.Context(), asError(err))
		panic(http.ErrAbortHandler)
	}
	_ = errors.Join(begin(), out.Flush()) // who does not read it is gone
}

// reportWriter writes reports as they come.
type reportWriter interface {
	Header() error
	Report(a *weir.Report) error
	Flush() error
}

// jsonReports writes them as {"reports":[…]}.
type jsonReports struct {
	w   io.Writer
	sep string
}

func newJSONReports(w io.Writer) *jsonReports { return &jsonReports{w: w} }

func (j *jsonReports) Header() error {
	_, err := io.WriteString(j.w, `{"reports":[`)
	return err
}

func (j *jsonReports) Report(a *weir.Report) error {
	b, err := json.Marshal(a)
	if err != nil {
		return err
	}
	_, err = io.WriteString(j.w, j.sep+string(b))
	j.sep = ","
	return err
}

func (j *jsonReports) Flush() error {
	_, err := io.WriteString(j.w, "]}\n")
	return err
}
