package httpd

import (
	"context"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"
	weir "github.com/weir-analytics/weir"
	"github.com/weir-analytics/weir/internal/meta"
)

// MemberBody is a user with a role in a project.
type MemberBody struct {
	ID    string `json:"id" doc:"the user's"`
	Email string `json:"email"`
	Name  string `json:"name"`
	Role  string `json:"role" enum:"viewer,editor,admin"`
}

// AdminBody is an administrator of the whole server.
type AdminBody struct {
	ID        string    `json:"id" doc:"the user's"`
	Email     string    `json:"email"`
	Name      string    `json:"name"`
	Owner     bool      `json:"owner" doc:"true of one: nobody can take their rights away, only they can hand them over"`
	CreatedAt time.Time `json:"created_at" doc:"of the account"`
}

type (
	// MemberPath is a member of a project. It is exported for huma, as ProjectPath is.
	MemberPath struct {
		ProjectPath
		User string `path:"user" doc:"the user's id"`
	}
	membersOutput struct {
		Body struct {
			Members []MemberBody `json:"members" nullable:"false" doc:"by address"`
		}
	}
	memberOutput   struct{ Body MemberBody }
	addMemberInput struct {
		ProjectPath
		Body struct {
			Email string `json:"email" doc:"of somebody who has an account here"`
			Role  string `json:"role" enum:"viewer,editor,admin"`
		}
	}
	changeMemberInput struct {
		MemberPath
		Body struct {
			Role string `json:"role" enum:"viewer,editor,admin"`
		}
	}
	adminsOutput struct {
		Body struct {
			Admins []AdminBody `json:"admins" nullable:"false" doc:"by address"`
		}
	}
	adminOutput   struct{ Body AdminBody }
	addAdminInput struct {
		Body struct {
			Email string `json:"email" doc:"of somebody who has an account here"`
		}
	}
	// AdminPath is an administrator. It is exported for huma, as ProjectPath is.
	AdminPath struct {
		User string `path:"user" doc:"the user's id"`
	}
)

func (s *Server) mountMembers() {
	const all, one = "/api/v1/projects/{id}/members", "/api/v1/projects/{id}/members/{user}"
	handle(s, huma.Operation{
		OperationID: "list-members", Method: "GET", Path: all, Summary: "Who has a role in a project",
		Description: "Administrators of the server are listed only if they have a role of their own.",
	}, s.listMembers)
	handle(s, huma.Operation{
		OperationID: "add-member", Method: "POST", Path: all, Summary: "Give somebody who has an account a role in a project",
		DefaultStatus: http.StatusCreated,
	}, s.addMember)
	handle(s, huma.Operation{
		OperationID: "change-member", Method: "PATCH", Path: one, Summary: "Change a member's role",
		Description: "It counts from the next request on, also for the member's tokens and open live streams. Only an administrator of the server can leave a project without an admin (409).",
	}, s.changeMember)
	handle(s, huma.Operation{
		OperationID: "remove-member", Method: "DELETE", Path: one, Summary: "Take a member off a project",
		Description: "Their tokens for it are revoked, and their live streams end. Tokens of the project stay. Only an administrator of the server can leave a project without an admin (409).",
	}, func(ctx context.Context, in *MemberPath) (*struct{}, error) {
		return nil, s.cfg.Directory.RemoveMember(ctx, projectOf(ctx).ID, in.User, callOf(ctx).who.admin())
	})
}

func (s *Server) listMembers(ctx context.Context, _ *ProjectPath) (*membersOutput, error) {
	members, err := s.cfg.Directory.Members(ctx, projectOf(ctx).ID)
	if err != nil {
		return nil, err
	}
	out := &membersOutput{}
	out.Body.Members = make([]MemberBody, len(members))
	for i := range members {
		out.Body.Members[i] = memberBody(&members[i])
	}
	return out, nil
}

func (s *Server) addMember(ctx context.Context, in *addMemberInput) (*memberOutput, error) {
	role, _ := weir.ParseRole(in.Body.Role) // the schema has checked it
	m, err := s.cfg.Directory.AddMember(ctx, projectOf(ctx).ID, in.Body.Email, role)
	if err != nil {
		return nil, err
	}
	callOf(ctx).acted(m.ID, "role", m.Role.String())
	return &memberOutput{memberBody(m)}, nil
}

func (s *Server) changeMember(ctx context.Context, in *changeMemberInput) (*memberOutput, error) {
	role, _ := weir.ParseRole(in.Body.Role)
	m, err := s.cfg.Directory.ChangeMember(ctx, projectOf(ctx).ID, in.User, role, callOf(ctx).who.admin())
	if err != nil {
		return nil, err
	}
	callOf(ctx).acted(m.ID, "role", m.Role.String())
	return &memberOutput{memberBody(m)}, nil
}

func memberBody(m *meta.Member) MemberBody {
	return MemberBody{ID: m.ID, Email: m.Email, Name: m.Name, Role: m.Role.String()}
}

func (s *Server) mountAdmins() {
	const all, one = "/api/v1/admins", "/api/v1/admins/{user}"
	handle(s, huma.Operation{
		OperationID: "list-admins", Method: "GET", Path: all, Summary: "The administrators of the server",
	}, s.listAdmins)
	handle(s, huma.Operation{
		OperationID: "add-admin", Method: "POST", Path: all, Summary: "Make somebody who has an account an administrator of the server",
		Description: "An administrator may do everything in all projects.", DefaultStatus: http.StatusCreated,
	}, func(ctx context.Context, in *addAdminInput) (*adminOutput, error) {
		a, err := s.cfg.Directory.AddAdmin(ctx, in.Body.Email)
		if err != nil {
			return nil, err
		}
		callOf(ctx).acted(a.ID)
		return &adminOutput{adminBody(a)}, nil
	})
	handle(s, huma.Operation{
		OperationID: "remove-admin", Method: "DELETE", Path: one, Summary: "Make an administrator an ordinary user",
		Description: "The roles that they have in projects stay. The owner stays an administrator (409).",
	}, func(ctx context.Context, in *AdminPath) (*struct{}, error) {
		return nil, s.cfg.Directory.RemoveAdmin(ctx, in.User)
	})
	handle(s, huma.Operation{
		OperationID: "hand-over", Method: "POST", Path: one + "/owner", Summary: "Hand the server over to another administrator",
		Description: "For the owner, signed in, or who has the server's admin token.",
	}, s.handOver)
}

func (s *Server) listAdmins(ctx context.Context, _ *struct{}) (*adminsOutput, error) {
	admins, err := s.cfg.Directory.Admins(ctx)
	if err != nil {
		return nil, err
	}
	out := &adminsOutput{}
	out.Body.Admins = make([]AdminBody, len(admins))
	for i := range admins {
		out.Body.Admins[i] = adminBody(&admins[i])
	}
	return out, nil
}

func adminBody(a *meta.Admin) AdminBody {
	return AdminBody{ID: a.ID, Email: a.Email, Name: a.Name, Owner: a.Owner, CreatedAt: a.CreatedAt}
}

func (s *Server) handOver(ctx context.Context, in *AdminPath) (*struct{}, error) {
	by := ""
	if who := callOf(ctx).who; who.user != nil {
		if who.token != nil {
			return nil, weir.Errorf(weir.EFORBIDDEN, "a token does not hand the server over: sign in")
		}
		by = who.user.ID
	}
	return nil, s.cfg.Directory.HandOver(ctx, by, in.User)
}
