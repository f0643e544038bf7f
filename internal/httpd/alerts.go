package httpd

import (
	"context"
	"net/http"
	"strconv"
	"time"

	"github.com/danielgtaylor/huma/v2"
	weir "github.com/weir-analytics/weir"
	"github.com/weir-analytics/weir/internal/alert"
)

// Alerts makes, changes and shows a project's alerts. *alert.Rules does.
type Alerts interface {
	List(ctx context.Context, p *weir.Project) ([]*weir.Alert, error)
	Get(ctx context.Context, p *weir.Project, id string) (*weir.Alert, error)
	Create(ctx context.Context, p *weir.Project, spec weir.AlertSpec) (*weir.Alert, error)
	Change(ctx context.Context, p *weir.Project, id string, fn func(*weir.AlertSpec) error) (*weir.Alert, error)
	Delete(ctx context.Context, p *weir.Project, id string) error
	Silence(ctx context.Context, p *weir.Project, id string, until time.Time) (*weir.Alert, error)
	History(ctx context.Context, p *weir.Project, id string, before int64, limit int) (entries []weir.AlertEntry, next int64, err error)
	Test(ctx context.Context, p *weir.Project, id string) ([]alert.Tried, error)
}

type (
	alertsOutput struct {
		Body struct {
			Alerts []AlertBody `json:"alerts" nullable:"false"`
		}
	}
	alertOutput      struct{ Body AlertBody }
	createAlertInput struct {
		ProjectPath
		Body NewAlertBody
	}
	// AlertPath is a path of an alert. It is exported for huma, as ProjectPath is.
	AlertPath struct {
		ID    string `path:"id" doc:"the project's id"`
		Alert string `path:"alert" doc:"the alert's id"`
	}
	changeAlertInput struct {
		AlertPath
		Body ChangeAlertBody
	}
	silenceInput struct {
		AlertPath
		Body struct {
			Until   *time.Time `json:"until,omitempty" doc:"a time that is past ends the silence"`
			Minutes *int       `json:"minutes,omitempty" minimum:"0" maximum:"527040" doc:"from now, in place of until; 0 ends the silence"`
		}
	}
	historyInput struct {
		AlertPath
		Limit  int    `query:"limit" minimum:"1" maximum:"500" default:"50"`
		Cursor string `query:"cursor" doc:"next_cursor of the page before"`
	}
	historyOutput struct {
		Body struct {
			Entries    []AlertEntryBody `json:"entries" nullable:"false" doc:"newest first"`
			NextCursor string           `json:"next_cursor,omitempty"`
		}
	}
	testOutput struct {
		Body struct {
			Deliveries []AlertTestBody `json:"deliveries" nullable:"false"`
		}
	}
)

func (s *Server) mountAlerts() {
	const all, one = "/api/v1/projects/{id}/alerts", "/api/v1/projects/{id}/alerts/{alert}"
	handle(s, huma.Operation{
		OperationID: "list-alerts", Method: "GET", Path: all, Summary: "A project's alerts, oldest first",
	}, s.listAlerts)
	handle(s, huma.Operation{
		OperationID: "create-alert", Method: "POST", Path: all, Summary: "Make an alert",
		Description: "The secrets of its webhooks are shown this once.", DefaultStatus: http.StatusCreated,
	}, s.createAlert)
	handle(s, huma.Operation{OperationID: "get-alert", Method: "GET", Path: one, Summary: "An alert and where it stands"},
		func(ctx context.Context, in *AlertPath) (*alertOutput, error) {
			return s.showAlert(ctx, func(p *weir.Project) (*weir.Alert, error) { return s.cfg.Alerts.Get(ctx, p, in.Alert) })
		})
	handle(s, huma.Operation{
		OperationID: "change-alert", Method: "PATCH", Path: one, Summary: "Change an alert",
		Description: "What is left out stays. A change of what is measured, or when it fires, begins anew.",
	}, s.changeAlert)
	handle(s, huma.Operation{OperationID: "delete-alert", Method: "DELETE", Path: one, Summary: "Delete an alert and its history"},
		func(ctx context.Context, in *AlertPath) (*struct{}, error) {
			return nil, s.cfg.Alerts.Delete(ctx, projectOf(ctx), in.Alert)
		})
	handle(s, huma.Operation{
		OperationID: "silence-alert", Method: "POST", Path: one + "/silence", Summary: "Tell nobody of an alert for a while",
		Description: "It is checked meanwhile. If it fires when the silence ends, people are told then.",
	}, s.silenceAlert)
	handle(s, huma.Operation{
		OperationID: "test-alert", Method: "POST", Path: one + "/test", Summary: "Send a test message to each of an alert's channels, now",
	}, s.testAlert)
	handle(s, huma.Operation{
		OperationID: "alert-history", Method: "GET", Path: one + "/history", Summary: "What happened to an alert, newest first",
		Description: "The last 90 days, and 1,000 entries at most.",
	}, s.alertHistory)
}

func (s *Server) listAlerts(ctx context.Context, _ *ProjectPath) (*alertsOutput, error) {
	alerts, err := s.cfg.Alerts.List(ctx, projectOf(ctx))
	if err != nil {
		return nil, err
	}
	out := &alertsOutput{}
	out.Body.Alerts = make([]AlertBody, len(alerts))
	for i, a := range alerts {
		out.Body.Alerts[i] = s.alertBody(ctx, a)
	}
	return out, nil
}

func (s *Server) showAlert(ctx context.Context, get func(*weir.Project) (*weir.Alert, error)) (*alertOutput, error) {
	a, err := get(projectOf(ctx))
	if err != nil {
		return nil, err
	}
	return &alertOutput{s.alertBody(ctx, a)}, nil
}

func (s *Server) createAlert(ctx context.Context, in *createAlertInput) (*alertOutput, error) {
	spec, err := in.Body.spec()
	if err != nil {
		return nil, err
	}
	return s.showAlert(ctx, func(p *weir.Project) (*weir.Alert, error) { return s.cfg.Alerts.Create(ctx, p, spec) })
}

func (s *Server) changeAlert(ctx context.Context, in *changeAlertInput) (*alertOutput, error) {
	return s.showAlert(ctx, func(p *weir.Project) (*weir.Alert, error) {
		return s.cfg.Alerts.Change(ctx, p, in.Alert, in.Body.apply)
	})
}

func (s *Server) silenceAlert(ctx context.Context, in *silenceInput) (*alertOutput, error) {
	var until time.Time
	switch b := in.Body; {
	case b.Until != nil && b.Minutes == nil:
		until = *b.Until
	case b.Until == nil && b.Minutes != nil:
		until = s.cfg.Clock.Now().Add(time.Duration(*b.Minutes) * time.Minute)
	default:
		return nil, weir.Errorf(weir.EINVALID, "give either until or minutes")
	}
	return s.showAlert(ctx, func(p *weir.Project) (*weir.Alert, error) { return s.cfg.Alerts.Silence(ctx, p, in.Alert, until) })
}

// testAlert sends a test message to each channel, and answers with the result of each.
func (s *Server) testAlert(ctx context.Context, in *AlertPath) (*testOutput, error) {
	tried, err := s.cfg.Alerts.Test(ctx, projectOf(ctx), in.Alert)
	if err != nil {
		return nil, err
	}
	out := &testOutput{}
	out.Body.Deliveries = make([]AlertTestBody, len(tried))
	for i, t := range tried {
		b := AlertTestBody{Channel: s.channelBody(ctx, t.Channel), Delivered: t.Err == nil}
		if t.Err != nil {
			b.Error = t.Err.Error()
		}
		out.Body.Deliveries[i] = b
	}
	return out, nil
}

func (s *Server) alertHistory(ctx context.Context, in *historyInput) (*historyOutput, error) {
	var before int64
	if in.Cursor != "" {
		var err error
		if before, err = strconv.ParseInt(in.Cursor, 10, 64); err != nil || before < 1 {
			return nil, weir.Errorf(weir.EINVALID, "cursor: the next_cursor of the page before")
		}
	}
	p := projectOf(ctx)
	entries, next, err := s.cfg.Alerts.History(ctx, p, in.Alert, before, in.Limit)
	if err != nil {
		return nil, err
	}
	out := &historyOutput{}
	out.Body.Entries = make([]AlertEntryBody, len(entries))
	for i, e := range entries {
		out.Body.Entries[i] = AlertEntryBody{
			Kind: e.Kind, At: e.At.In(p.Location()), From: string(e.From), To: string(e.To), Incident: e.Incident,
			Silenced: e.Silenced, AlertReading: e.Reading, Detail: e.Detail,
		}
	}
	if next != 0 {
		out.Body.NextCursor = strconv.FormatInt(next, 10)
	}
	return out, nil
}
