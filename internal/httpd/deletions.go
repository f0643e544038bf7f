package httpd

import (
	"context"
	"net/http"
	"strconv"
	"time"

	"github.com/danielgtaylor/huma/v2"
	weir "github.com/weir-analytics/weir"
	"github.com/weir-analytics/weir/internal/deletion"
)

// Deletions deletes events. deletion.Deletions does.
type Deletions interface {
	Dry(ctx context.Context, p *weir.Project, s deletion.Spec) (deletion.Numbers, error)
	Begin(ctx context.Context, p *weir.Project, s deletion.Spec, confirm int64, by string) (*deletion.Deletion, error)
	List(ctx context.Context, p *weir.Project) ([]*deletion.Deletion, error)
	Get(ctx context.Context, p *weir.Project, id string) (*deletion.Deletion, error)
	Cancel(ctx context.Context, p *weir.Project, id string) (*deletion.Deletion, error)
}

// DeleteBody says which events to delete.
type DeleteBody struct {
	Filter   weir.Filter `json:"filter,omitempty" maxItems:"50" doc:"all must hold"`
	From     string      `json:"from,omitempty" doc:"inclusive; as in a query"`
	To       string      `json:"to,omitempty" doc:"exclusive, but a date, a word or whole days count to their end"`
	ImportID string      `json:"import_id,omitempty" maxLength:"200" doc:"events of this import"`
	DryRun   bool        `json:"dry_run,omitempty" doc:"only count the events"`
	Confirm  *int64      `json:"confirm,omitempty" nullable:"false" minimum:"0" doc:"how many events a dry run has counted; if there are more, none is deleted: 409. Needed without dry_run"`
}

// DeletionBody is a deletion as clients see it.
type DeletionBody struct {
	ID        string      `json:"id,omitempty" doc:"missing of a dry run"`
	State     string      `json:"state" enum:"dry_run,running,done,failed,cancelled"`
	Failure   string      `json:"failure,omitempty" doc:"why it failed: its filter is not valid any more, such as one by an action that was deleted. No event was deleted"`
	Filter    weir.Filter `json:"filter,omitempty"`
	From      *time.Time  `json:"from,omitempty"`
	To        *time.Time  `json:"to,omitempty"`
	ImportID  string      `json:"import_id,omitempty"`
	Events    int64       `json:"events" doc:"that are deleted, or would be"`
	Visits    int64       `json:"visits" doc:"that some of these events are in"`
	Days      int64       `json:"days" doc:"that some of these events are in"`
	Before    *time.Time  `json:"before,omitempty" doc:"only events that were received before are deleted"`
	By        string      `json:"by,omitempty"`
	ChangedAt *time.Time  `json:"changed_at,omitempty"`
}

type (
	deleteInput struct {
		ProjectPath
		Body DeleteBody
	}
	// DeletionPath is a path of a deletion. It is exported for huma, as ProjectPath is.
	DeletionPath struct {
		ProjectPath
		Deletion string `path:"deletion" doc:"the deletion's id"`
	}
	deletionOutput  struct{ Body DeletionBody }
	deletionsOutput struct {
		Body struct {
			Deletions []DeletionBody `json:"deletions" nullable:"false" doc:"the newest first, 200 at most"`
		}
	}
)

func (s *Server) mountDeletions() {
	const all, one = "/api/v1/projects/{id}/deletions", "/api/v1/projects/{id}/deletions/{deletion}"
	handle(s, huma.Operation{
		OperationID: "delete-events", Method: "POST", Path: all, Summary: "Delete events as if they had never come",
		Description: "At least one of filter, from, to and import_id is needed. Visits, counters, answers and reports follow. It goes on in the background: the deletion's state says when it is done. It cannot be undone. docs/deletions.md says what stays.",
	}, s.deleteEvents)
	handle(s, huma.Operation{OperationID: "list-deletions", Method: "GET", Path: all, Summary: "Deletions of events"}, func(ctx context.Context, _ *ProjectPath) (*deletionsOutput, error) {
		list, err := s.cfg.Deletions.List(ctx, projectOf(ctx))
		if err != nil {
			return nil, err
		}
		out := &deletionsOutput{}
		out.Body.Deletions = make([]DeletionBody, len(list))
		for i, d := range list {
			out.Body.Deletions[i] = deletionBody(d)
		}
		return out, nil
	})
	handle(s, huma.Operation{OperationID: "get-deletion", Method: "GET", Path: one, Summary: "A deletion and its state"}, func(ctx context.Context, in *DeletionPath) (*deletionOutput, error) {
		d, err := s.cfg.Deletions.Get(ctx, projectOf(ctx), in.Deletion)
		if err != nil {
			return nil, err
		}
		return &deletionOutput{deletionBody(d)}, nil
	})
	handle(s, huma.Operation{
		OperationID: "cancel-deletion", Method: "DELETE", Path: one, Summary: "Cancel a deletion that has not begun to delete",
		Description: "No event is deleted. One that has begun, or has ended, is a conflict (409).", DefaultStatus: http.StatusOK,
	}, func(ctx context.Context, in *DeletionPath) (*deletionOutput, error) {
		d, err := s.cfg.Deletions.Cancel(context.WithoutCancel(ctx), projectOf(ctx), in.Deletion)
		if err != nil {
			return nil, err
		}
		return &deletionOutput{deletionBody(d)}, nil
	})
}

func (s *Server) deleteEvents(ctx context.Context, in *deleteInput) (*deletionOutput, error) {
	p, b := projectOf(ctx), &in.Body
	spec := deletion.Spec{Filter: b.Filter, ImportID: b.ImportID}
	var err error
	if spec.From, spec.To, err = weir.ParseRange(b.From, b.To, s.cfg.Clock.Now(), p.Location()); err != nil {
		return nil, err
	}
	if b.DryRun {
		n, err := s.cfg.Deletions.Dry(ctx, p, spec)
		if err != nil {
			return nil, err
		}
		callOf(ctx).acted("", "dry_run", "true") // nothing was deleted
		out := deletionBody(&deletion.Deletion{Spec: spec, State: "dry_run", Numbers: n})
		return &deletionOutput{out}, nil
	}
	if b.Confirm == nil {
		return nil, weir.Errorf(weir.EINVALID, "confirm is missing: ask with dry_run, and confirm the number of events")
	}
	// A client that goes away must not leave it unknown whether it has begun.
	d, err := s.cfg.Deletions.Begin(context.WithoutCancel(ctx), p, spec, *b.Confirm, who(ctx))
	if err != nil {
		return nil, err
	}
	callOf(ctx).acted(d.ID, "events", strconv.FormatInt(d.Events, 10))
	return &deletionOutput{deletionBody(d)}, nil
}

func deletionBody(d *deletion.Deletion) DeletionBody {
	at := func(t time.Time) *time.Time {
		if t.IsZero() {
			return nil
		}
		return &t
	}
	return DeletionBody{
		ID: d.ID, State: d.State, Failure: d.Failure, Filter: d.Spec.Filter, From: at(d.Spec.From), To: at(d.Spec.To), ImportID: d.Spec.ImportID,
		Events: d.Events, Visits: d.Visits, Days: d.Days, Before: at(d.Before), By: d.By, ChangedAt: at(d.ChangedAt),
	}
}
