package httpd

import (
	"context"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"
	weir "github.com/weir-analytics/weir"
)

// ActionBody is an action as clients see one.
type ActionBody struct {
	ID string `json:"id"`
	ActionFields
	CreatedAt time.Time `json:"created_at"`
	UpdatedAt time.Time `json:"updated_at"`
}

// ActionFields are what a client says of an action.
type ActionFields struct {
	Name    string              `json:"name" maxLength:"400" doc:"1 to 100 characters, one action's alone in the project"`
	Any     []weir.ActionEvent  `json:"any" nullable:"false" minItems:"1" maxItems:"10" doc:"an event is one of the action if one of these selects it"`
	Revenue *weir.ActionRevenue `json:"revenue,omitempty" doc:"what a conversion is worth; {} is the event's own revenue. Missing: it is not counted"`
}

// ChangeActionBody changes an action. What is missing stays.
type ChangeActionBody struct {
	Name    *string             `json:"name,omitempty" nullable:"false" maxLength:"400"`
	Any     []weir.ActionEvent  `json:"any,omitempty" nullable:"false" minItems:"1" maxItems:"10"`
	Revenue *weir.ActionRevenue `json:"revenue,omitempty" nullable:"false"`
	// NoRevenue takes the revenue away: a missing one stays.
	NoRevenue bool `json:"no_revenue,omitempty" doc:"true: a conversion is worth nothing"`
}

type (
	// ActionPath is a path of an action. It is exported for huma, as ProjectPath is.
	ActionPath struct {
		ProjectPath
		Action string `path:"action" doc:"the action's id"`
	}
	createActionInput struct {
		ProjectPath
		Body ActionFields
	}
	changeActionInput struct {
		ActionPath
		Body ChangeActionBody
	}
	actionOutput  struct{ Body ActionBody }
	actionsOutput struct {
		Body struct {
			Actions []ActionBody `json:"actions" nullable:"false"`
		}
	}
)

func (s *Server) mountActions() {
	const all, one = "/api/v1/projects/{id}/actions", "/api/v1/projects/{id}/actions/{action}"
	handle(s, huma.Operation{
		OperationID: "list-actions", Method: "GET", Path: all, Summary: "A project's actions, by name",
		Description: "An action is a saved name for events: a series of a trend takes its id as action, a filter as the column action, pages as goal.",
	}, s.listActions)
	handle(s, huma.Operation{
		OperationID: "create-action", Method: "POST", Path: all, Summary: "Make an action", DefaultStatus: http.StatusCreated,
	}, s.createAction)
	handle(s, huma.Operation{OperationID: "get-action", Method: "GET", Path: one, Summary: "An action"},
		func(ctx context.Context, in *ActionPath) (*actionOutput, error) {
			return showAction(s.cfg.Directory.Action(ctx, projectOf(ctx).ID, in.Action))
		})
	handle(s, huma.Operation{
		OperationID: "change-action", Method: "PATCH", Path: one, Summary: "Change an action", Description: "What is missing stays.",
	}, s.changeAction)
	handle(s, huma.Operation{
		OperationID: "delete-action", Method: "DELETE", Path: one, Summary: "Delete an action",
		Description: "Refused with 409 while an alert's filter names it; the answer says which.",
	}, s.deleteAction)
}

func showAction(a *weir.Action, err error) (*actionOutput, error) {
	if err != nil {
		return nil, err
	}
	return &actionOutput{actionBody(a)}, nil
}

func actionBody(a *weir.Action) ActionBody {
	return ActionBody{
		ID: a.ID, ActionFields: ActionFields{Name: a.Name, Any: a.Any, Revenue: a.Revenue},
		CreatedAt: a.CreatedAt, UpdatedAt: a.UpdatedAt,
	}
}

func (s *Server) listActions(ctx context.Context, _ *ProjectPath) (*actionsOutput, error) {
	actions, err := s.cfg.Directory.Actions(ctx, projectOf(ctx).ID)
	if err != nil {
		return nil, err
	}
	out := &actionsOutput{}
	out.Body.Actions = make([]ActionBody, len(actions))
	for i := range actions {
		out.Body.Actions[i] = actionBody(&actions[i])
	}
	return out, nil
}

// checkAction refuses what no question could ask for.
func (s *Server) checkAction(ctx context.Context, spec weir.ActionSpec) error {
	spec, err := spec.Normal()
	if err != nil {
		return err
	}
	return s.cfg.Insights.CheckAction(projectOf(ctx), spec)
}

func (s *Server) createAction(ctx context.Context, in *createActionInput) (*actionOutput, error) {
	spec := weir.ActionSpec{Name: in.Body.Name, Any: in.Body.Any, Revenue: in.Body.Revenue}
	if err := s.checkAction(ctx, spec); err != nil {
		return nil, err
	}
	return showAction(s.cfg.Directory.CreateAction(ctx, projectOf(ctx).ID, spec))
}

func (s *Server) changeAction(ctx context.Context, in *changeActionInput) (*actionOutput, error) {
	b := &in.Body
	if b.Name == nil && b.Any == nil && b.Revenue == nil && !b.NoRevenue {
		return nil, weir.Errorf(weir.EINVALID, "say what to change: name, any, revenue or no_revenue")
	}
	return showAction(s.cfg.Directory.ChangeAction(ctx, projectOf(ctx).ID, in.Action, func(spec *weir.ActionSpec) error {
		if b.Name != nil {
			spec.Name = *b.Name
		}
		if b.Any != nil {
			spec.Any = b.Any
		}
		if b.Revenue != nil {
			spec.Revenue = b.Revenue
		}
		if b.NoRevenue {
			spec.Revenue = nil
		}
		return s.checkAction(ctx, *spec)
	}))
}

func (s *Server) deleteAction(ctx context.Context, in *ActionPath) (*struct{}, error) {
	p := projectOf(ctx)
	alerts, err := s.cfg.Alerts.List(ctx, p)
	if err != nil {
		return nil, err
	}
	var used []string
	for _, a := range alerts {
		if slices.Contains(weir.Filter(a.Measure.Filter).Actions(), in.Action) {
			used = append(used, a.Name)
		}
	}
	if len(used) > 0 {
		return nil, weir.Errorf(weir.ECONFLICT, "the action is used by the alerts %s: change them first", strings.Join(used, ", "))
	}
	return nil, s.cfg.Directory.DeleteAction(ctx, p.ID, in.Action)
}
