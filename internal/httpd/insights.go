package httpd

import (
	"context"
	"time"

	"github.com/danielgtaylor/huma/v2"
	weir "github.com/weir-analytics/weir"
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
	handle(s, answers[QueryAnswer](s, huma.Operation{
		OperationID: "query", Method: "POST", Path: "/api/v1/projects/{id}/query", Summary: "Ask for an insight",
	}, 200), s.query)
	handle(s, answers[EventsAnswer](s, huma.Operation{
		OperationID: "list-events", Method: "GET", Path: "/api/v1/projects/{id}/events", Summary: "Events, newest first",
	}, 200), s.events)
}

func (s *Server) query(ctx context.Context, in *queryInput) (*anyOutput, error) {
	p := projectOf(ctx)
	q, err := in.Body.query(s.cfg.Clock.Now(), p.Location())
	if err != nil {
		return nil, err
	}
	return passOn(s.cfg.Insights.Query(ctx, p, q, time.Duration(in.Body.Freshness)))
}

func (s *Server) events(ctx context.Context, in *eventsInput) (*anyOutput, error) {
	p := projectOf(ctx)
	q := EventsQuery{Name: in.Name, ProfileID: in.ProfileID, DeviceID: in.DeviceID, Limit: in.Limit, Cursor: in.Cursor}
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
