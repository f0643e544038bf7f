package httpd

import (
	"context"
	"reflect"
	"time"

	"github.com/danielgtaylor/huma/v2"
	weir "github.com/weir-analytics/weir"
	"github.com/weir-analytics/weir/internal/insight"
)

type (
	queryInput struct {
		ProjectPath
		Body QueryBody
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
	handle(s, s.answering(huma.Operation{
		OperationID: "query", Method: "POST", Path: "/api/v1/projects/{id}/query", Summary: "Ask for an insight",
		Description: "The answer's form depends on the kind.",
	}, reflect.TypeFor[insight.Trend](), reflect.TypeFor[insight.Pages](), reflect.TypeFor[insight.Calls](), reflect.TypeFor[insight.Growth]()), s.query)
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
	q, err := in.Body.query(s.cfg.Clock.Now(), p.Location())
	if err != nil {
		return nil, err
	}
	answer, err := s.ask(ctx, p, q, time.Duration(in.Body.Freshness))
	if err != nil {
		return nil, err
	}
	return &queryOutput{CacheControl: "no-store", Body: answer}, nil
}

// ask is where a kind meets what answers it. Errors: EINVALID for a kind that
// nothing answers.
func (s *Server) ask(ctx context.Context, p *weir.Project, q weir.Query, freshness time.Duration) (any, error) {
	switch q.Kind {
	case weir.KindTrend:
		return s.cfg.Insights.Trend(ctx, p, q, freshness)
	case weir.KindPages:
		return s.cfg.Insights.Pages(ctx, p, q, freshness)
	case weir.KindCalls:
		return s.cfg.Insights.Calls(ctx, p, q, freshness)
	case weir.KindGrowth:
		return s.cfg.Insights.Growth(ctx, p, q, freshness)
	}
	return nil, weir.Errorf(weir.EINVALID, "unknown kind %q: use trend, pages, calls or growth", clip(string(q.Kind)))
}

func (s *Server) events(ctx context.Context, in *eventsInput) (*output[insight.EventPage], error) {
	p := projectOf(ctx)
	q := insight.EventsQuery{Name: in.Name, ProfileID: in.ProfileID, DeviceID: in.DeviceID, Limit: in.Limit, Cursor: in.Cursor}
	now := s.cfg.Clock.Now()
	for _, bound := range []struct {
		name, text string
		to         *time.Time
		end        bool
	}{{"from", in.From, &q.From, false}, {"to", in.To, &q.To, true}} {
		if bound.text == "" {
			continue
		}
		t, err := parseInstant(bound.text, now, p.Location(), bound.end)
		if err != nil {
			return nil, weir.Wrap(err, weir.EINVALID, "%s: %s", bound.name, weir.ErrorMessage(err))
		}
		*bound.to = t
	}
	if !q.From.IsZero() && !q.To.IsZero() && !q.From.Before(q.To) {
		return nil, weir.Errorf(weir.EINVALID, "from must be before to")
	}
	var fresh Freshness
	if in.Freshness != "" {
		var err error
		if fresh, err = parseFreshness(in.Freshness); err != nil {
			return nil, err
		}
	}
	return passOn(s.cfg.Insights.Events(ctx, p, q, time.Duration(fresh)))
}
