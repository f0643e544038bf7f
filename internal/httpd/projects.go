package httpd

import (
	"context"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"
	weir "github.com/weir-analytics/weir"
	"github.com/weir-analytics/weir/internal/meta"
)

// ProjectBody is a project as clients see one.
type ProjectBody struct {
	ID       string `json:"id"`
	Name     string `json:"name"`
	Timezone string `json:"timezone" doc:"IANA name"`
	Role     string `json:"role" enum:"viewer,editor,admin,owner" doc:"of who asks"`

	RetentionDays int `json:"retention_days" doc:"days before today that events are kept for; 0 is for ever"`
}

// NewProjectBody is a project just made.
type NewProjectBody struct {
	ID       string `json:"id"`
	Name     string `json:"name"`
	Timezone string `json:"timezone"`
	WriteKey string `json:"write_key" doc:"shown this once; a lost one is replaced by another"`

	RetentionDays int `json:"retention_days" doc:"days before today that events are kept for; 0 is for ever"`
}

// KeyBody is a write key, without itself.
type KeyBody struct {
	ID        string     `json:"id"`
	Last4     string     `json:"last4" doc:"the key's last characters"`
	CreatedAt time.Time  `json:"created_at"`
	RevokedAt *time.Time `json:"revoked_at,omitempty"`
}

// NewKeyBody is a write key just made.
type NewKeyBody struct {
	KeyBody
	WriteKey string `json:"write_key" doc:"shown this once"`
}

// ProjectPath is a path within a project. It is exported for huma, which
// overlooks parameters in embedded types that are not.
type ProjectPath struct {
	ID string `path:"id" doc:"the project's id"`
}

type (
	projectsOutput struct {
		Body struct {
			Projects []ProjectBody `json:"projects" nullable:"false"`
		}
	}
	projectOutput struct{ Body ProjectBody }
	createInput   struct {
		Body struct {
			Name     string `json:"name" doc:"1 to 100 characters"`
			Timezone string `json:"timezone,omitempty" doc:"IANA name, fixed from now on; UTC when missing"`
			StoreIP  bool   `json:"store_ip,omitempty" doc:"keep visitors' addresses in their events' properties"`

			RetentionDays int `json:"retention_days,omitempty" minimum:"0" maximum:"36500" doc:"days before today that events are kept for; 0 is for ever"`
		}
	}
	changeInput struct {
		ID   string `path:"id" doc:"the project's id"`
		Body struct {
			RetentionDays int `json:"retention_days" minimum:"0" maximum:"36500" doc:"days before today that events are kept for; 0 is for ever. What is older is deleted within the hour"`
		}
	}
	createOutput struct{ Body NewProjectBody }
	keysOutput   struct {
		Body struct {
			Keys []KeyBody `json:"keys" nullable:"false"`
		}
	}
	newKeyOutput struct{ Body NewKeyBody }
	keyInput     struct {
		ID  string `path:"id"`
		Key string `path:"key" doc:"the key's id"`
	}
)

func (s *Server) mountProjects() {
	handle(s, huma.Operation{
		OperationID: "list-projects", Method: "GET", Path: "/api/v1/projects", Summary: "The projects that you may see",
	}, s.listProjects)
	handle(s, huma.Operation{
		OperationID: "create-project", Method: "POST", Path: "/api/v1/projects", Summary: "Make a project and its first write key",
		DefaultStatus: http.StatusCreated,
	}, s.createProject)
	handle(s, huma.Operation{
		OperationID: "get-project", Method: "GET", Path: "/api/v1/projects/{id}", Summary: "A project",
	}, func(ctx context.Context, _ *ProjectPath) (*projectOutput, error) {
		return &projectOutput{projectBody(projectOf(ctx), callOf(ctx).role)}, nil
	})
	handle(s, huma.Operation{
		OperationID: "change-project", Method: "PATCH", Path: "/api/v1/projects/{id}", Summary: "Change how long a project's events are kept",
	}, s.changeProject)
	handle(s, huma.Operation{
		OperationID: "list-keys", Method: "GET", Path: "/api/v1/projects/{id}/keys", Summary: "A project's write keys, newest first",
	}, s.listKeys)
	handle(s, huma.Operation{
		OperationID: "create-key", Method: "POST", Path: "/api/v1/projects/{id}/keys", Summary: "Make one more write key",
		DefaultStatus: http.StatusCreated,
	}, s.createKey)
	handle(s, huma.Operation{
		OperationID: "revoke-key", Method: "DELETE", Path: "/api/v1/projects/{id}/keys/{key}", Summary: "Revoke a write key",
	}, func(ctx context.Context, in *keyInput) (*struct{}, error) {
		return nil, s.cfg.Directory.RevokeKey(ctx, projectOf(ctx).ID, in.Key)
	})
}

func (s *Server) listProjects(ctx context.Context, _ *struct{}) (*projectsOutput, error) {
	who := callOf(ctx).who
	all, err := s.visible(ctx, who)
	if err != nil {
		return nil, err
	}
	out := &projectsOutput{}
	out.Body.Projects = make([]ProjectBody, 0, len(all))
	for _, m := range all {
		out.Body.Projects = append(out.Body.Projects, projectBody(m.Project, m.Role))
	}
	return out, nil
}

// visible are the projects that one has a role in.
func (s *Server) visible(ctx context.Context, who principal) ([]meta.Membership, error) {
	switch {
	case who.user != nil && !who.user.Admin:
		return s.cfg.Directory.Memberships(ctx, who.user.ID)
	case who.token != nil && !who.token.Admin:
		p, err := s.cfg.Directory.Project(ctx, who.token.ProjectID)
		if err != nil {
			return nil, err
		}
		return []meta.Membership{{Project: p, Role: tokenRole(who.token, p.ID)}}, nil
	}
	projects, err := s.cfg.Directory.Projects(ctx)
	if err != nil {
		return nil, err
	}
	all := make([]meta.Membership, 0, len(projects))
	for _, p := range projects {
		role := weir.RoleOwner
		if who.token != nil {
			role = tokenRole(who.token, p.ID)
		}
		all = append(all, meta.Membership{Project: p, Role: role})
	}
	return all, nil
}

func (s *Server) createProject(ctx context.Context, in *createInput) (*createOutput, error) {
	n := meta.NewProject{Name: in.Body.Name, Timezone: in.Body.Timezone, StoreIP: in.Body.StoreIP, RetentionDays: in.Body.RetentionDays}
	if u := callOf(ctx).who.user; u != nil {
		n.OwnerID = u.ID
	}
	p, key, err := s.cfg.Directory.CreateProject(ctx, n)
	if err != nil {
		return nil, err
	}
	return &createOutput{NewProjectBody{ID: p.ID, Name: p.Name, Timezone: p.Timezone, WriteKey: key, RetentionDays: p.RetentionDays}}, nil
}

func (s *Server) changeProject(ctx context.Context, in *changeInput) (*projectOutput, error) {
	p := *projectOf(ctx) // which is shared
	if err := s.cfg.Directory.SetRetention(ctx, p.ID, in.Body.RetentionDays); err != nil {
		return nil, err
	}
	p.RetentionDays = in.Body.RetentionDays
	return &projectOutput{projectBody(&p, callOf(ctx).role)}, nil
}

func (s *Server) listKeys(ctx context.Context, _ *ProjectPath) (*keysOutput, error) {
	keys, err := s.cfg.Directory.Keys(ctx, projectOf(ctx).ID)
	if err != nil {
		return nil, err
	}
	out := &keysOutput{}
	out.Body.Keys = make([]KeyBody, 0, len(keys))
	for _, k := range keys {
		out.Body.Keys = append(out.Body.Keys, keyBody(&k))
	}
	return out, nil
}

func (s *Server) createKey(ctx context.Context, _ *ProjectPath) (*newKeyOutput, error) {
	k, key, err := s.cfg.Directory.CreateKey(ctx, projectOf(ctx).ID)
	if err != nil {
		return nil, err
	}
	return &newKeyOutput{NewKeyBody{KeyBody: keyBody(k), WriteKey: key}}, nil
}

func projectBody(p *weir.Project, role weir.Role) ProjectBody {
	return ProjectBody{ID: p.ID, Name: p.Name, Timezone: p.Timezone, Role: role.String(), RetentionDays: p.RetentionDays}
}

func keyBody(k *meta.Key) KeyBody {
	b := KeyBody{ID: k.ID, Last4: k.Last4, CreatedAt: k.CreatedAt}
	if !k.RevokedAt.IsZero() {
		b.RevokedAt = &k.RevokedAt
	}
	return b
}
