package httpd

import (
	"context"
	"encoding/json"
	"net/http"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"
	weir "github.com/weir-analytics/weir"
	"github.com/weir-analytics/weir/internal/insight"
)

type (
	queryInput struct {
		ProjectPath
		Body QuestionBody
	}
	eventsInput struct {
		ProjectPath
		From      string `query:"from" doc:"inclusive; as in a query"`
		To        string `query:"to" doc:"exclusive, but a bare date counts to its end"`
		Name      string `query:"name"`
		ProfileID string `query:"profile_id"`
		DeviceID  string `query:"device_id"`
		Limit     int    `query:"limit" minimum:"1" maximum:"1000" default:"50"`
		Cursor    string `query:"cursor" doc:"next_cursor of the page before"`
		Freshness string `query:"freshness" doc:"how stale the answer may be, in seconds or as 1m30s"`
	}
)

func (s *Server) mountInsights() {
	handle(s, s.answeringWith(huma.Operation{
		OperationID: "query", Method: "POST", Path: "/api/v1/projects/{id}/query", Summary: "Ask for an insight",
		Description: "What a question takes, and the answer's form, depend on the kind.", SkipValidateBody: true, // see checkQuestion
	}, answerSchema(s.api.OpenAPI().Components.Schemas)), s.query)
	handle(s, huma.Operation{
		OperationID: "list-events", Method: "GET", Path: "/api/v1/projects/{id}/events", Summary: "Events, newest first",
	}, s.events)
}

// queryOutput is the answer of whatever kind was asked for.
type queryOutput struct {
	CacheControl string `header:"Cache-Control"`
	Body         any
}

func (s *Server) query(ctx context.Context, in *queryInput) (*queryOutput, error) {
	p := projectOf(ctx)
	in.Body.raw = insight.Tidy(in.Body.raw)
	if err := s.checkQuestion(&in.Body); err != nil {
		return nil, err
	}
	if isReader(ctx) {
		if err := checkReaderQuestion(in.Body.raw); err != nil {
			return nil, err
		}
	}
	if !seesPeople(ctx) {
		if column := columnOfPeople(in.Body.raw); column != "" {
			return nil, weir.Errorf(weir.EFORBIDDEN, "a question that names %s is for those who may see people", column)
		}
	}
	var asker struct {
		Freshness Freshness `json:"freshness"`
	}
	if err := json.Unmarshal(in.Body.raw, &asker); err != nil {
		return nil, schemaError(http.StatusUnprocessableEntity, "validation failed", &huma.ErrorDetail{Location: "body", Message: err.Error()})
	}
	q, err := insight.Decode(in.Body.raw, s.cfg.Clock.Now(), p.Location())
	if err != nil {
		return nil, err
	}
	if isReader(ctx) {
		asker.Freshness = Freshness(readerFreshness)
	}
	answer, err := s.cfg.Insights.Ask(ctx, p, q, time.Duration(asker.Freshness))
	if err != nil {
		return nil, err
	}
	return &queryOutput{CacheControl: "no-store", Body: answer}, nil
}

func (s *Server) events(ctx context.Context, in *eventsInput) (*output[insight.EventPage], error) {
	p := projectOf(ctx)
	q := insight.EventsQuery{Name: in.Name, ProfileID: in.ProfileID, DeviceID: in.DeviceID, Limit: in.Limit, Cursor: in.Cursor}
	var err error
	if q.From, q.To, err = weir.ParseRange(in.From, in.To, s.cfg.Clock.Now(), p.Location()); err != nil {
		return nil, err
	}
	var fresh Freshness
	if in.Freshness != "" {
		if fresh, err = parseFreshness(in.Freshness); err != nil {
			return nil, err
		}
	}
	return passOn(s.cfg.Insights.Events(ctx, p, q, time.Duration(fresh)))
}

// columnOfPeople returns a column that identifies people which a question names, as a
// breakdown, in a filter or elsewhere, or "".
func columnOfPeople(raw []byte) string {
	var question any
	if json.Unmarshal(raw, &question) != nil {
		return "" // it is refused later
	}
	return namedColumn(question)
}

func namedColumn(v any) string {
	var inside []any
	switch v := v.(type) {
	case string:
		if insight.IdentifiesPeople(v) {
			return v
		}
	case []any:
		inside = v
	case map[string]any:
		for name, member := range v {
			if n := strings.ToLower(name); n != "value" && n != "values" { // a value is what a column is compared with
				inside = append(inside, member)
			}
		}
	}
	for _, one := range inside {
		if column := namedColumn(one); column != "" {
			return column
		}
	}
	return ""
}
