package httpd

import (
	"context"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/weir-analytics/weir/internal/meta"
)

// ProjectDeletionBody is a project that is being deleted, or was.
type ProjectDeletionBody struct {
	Project     string    `json:"project" doc:"its id"`
	Name        string    `json:"name"`
	RequestedAt time.Time `json:"requested_at"`
	Step        string    `json:"step" enum:"waiting,drain,cold,hot,deleted,done" doc:"what it waits for: a node; events that were acknowledged; the cold tier; the hot tier. deleted: nothing is left, and what comes late will be deleted too; done: nothing can come any more"`
	Passes      int       `json:"passes" doc:"how often all stores were passed over"`
	Error       string    `json:"error,omitempty" doc:"why the last try failed; it is tried again"`
}

type (
	deleteProjectInput struct {
		ID   string `path:"id" doc:"the project's id"`
		Body struct {
			Name string `json:"name" doc:"the project's name, repeated"`
		}
	}
	projectDeletionOutput  struct{ Body ProjectDeletionBody }
	projectDeletionsOutput struct {
		Body struct {
			Deletions []ProjectDeletionBody `json:"deletions" nullable:"false" doc:"the last thousand, newest first"`
		}
	}
)

func (s *Server) mountProjectDeletion() {
	handle(s, huma.Operation{
		OperationID: "delete-project", Method: "DELETE", Path: "/api/v1/projects/{id}", Summary: "Delete a project and all that it has",
		Description:   "Its keys and tokens get 401 from then on. Its events are deleted in the background: list-project-deletions says how far that is. It cannot be undone.",
		DefaultStatus: http.StatusAccepted,
	}, s.deleteProject)
	handle(s, huma.Operation{
		OperationID: "list-project-deletions", Method: "GET", Path: "/api/v1/project-deletions", Summary: "Projects that are being deleted, or were",
	}, s.listProjectDeletions)
}

func (s *Server) deleteProject(ctx context.Context, in *deleteProjectInput) (*projectDeletionOutput, error) {
	d, err := s.cfg.Directory.DeleteProject(ctx, projectOf(ctx).ID, in.Body.Name)
	if err != nil {
		return nil, err
	}
	callOf(ctx).acted("", "name", d.Name)
	return &projectDeletionOutput{projectDeletionBody(d)}, nil
}

func (s *Server) listProjectDeletions(ctx context.Context, _ *struct{}) (*projectDeletionsOutput, error) {
	all, err := s.cfg.Directory.ProjectDeletions(ctx)
	if err != nil {
		return nil, err
	}
	out := &projectDeletionsOutput{}
	out.Body.Deletions = make([]ProjectDeletionBody, len(all))
	for i := range all {
		out.Body.Deletions[i] = projectDeletionBody(&all[i])
	}
	return out, nil
}

func projectDeletionBody(d *meta.ProjectDeletion) ProjectDeletionBody {
	return ProjectDeletionBody{Project: d.ProjectID, Name: d.Name, RequestedAt: d.RequestedAt, Step: d.Step, Passes: d.Passes, Error: d.Error}
}
