package httpd

import (
	"context"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"
	weir "github.com/weir-analytics/weir"
	"github.com/weir-analytics/weir/internal/fleet"
	"github.com/weir-analytics/weir/internal/meta"
)

// InvitationBody is an open invitation.
type InvitationBody struct {
	ID        string    `json:"id"`
	Email     string    `json:"email"`
	Admin     bool      `json:"admin" doc:"it makes an administrator of the server"`
	Project   string    `json:"project,omitempty" doc:"id of the project that it is to"`
	Role      string    `json:"role,omitempty" enum:"viewer,editor,admin" doc:"in the project"`
	CreatedAt time.Time `json:"created_at"`
	ExpiresAt time.Time `json:"expires_at"`
}

// NewInvitationBody is an invitation with its link, which is shown this once.
type NewInvitationBody struct {
	InvitationBody
	URL    string `json:"url" doc:"the link: who has it may accept"`
	Mailed bool   `json:"mailed" doc:"it is being sent by mail too"`
}

// OfferBody is what an invitation offers to whoever has its link.
type OfferBody struct {
	Email   string `json:"email"`
	Admin   bool   `json:"admin" doc:"it makes an administrator of the server"`
	Project string `json:"project,omitempty" doc:"name of the project"`
	Role    string `json:"role,omitempty" enum:"viewer,editor,admin" doc:"in the project"`
	Account bool   `json:"account" doc:"the address has an account: sign in, and accept then; otherwise accept with a name and a password"`
}

type (
	invitationsOutput struct {
		Body struct {
			Invitations []InvitationBody `json:"invitations" nullable:"false"`
		}
	}
	newInvitationOutput struct {
		CacheControl string `header:"Cache-Control"`
		Body         NewInvitationBody
	}
	inviteToProject struct {
		ID   string `path:"id" doc:"the project's id"`
		Body struct {
			Email string `json:"email"`
			Role  string `json:"role" enum:"viewer,editor,admin"`
		}
	}
	inviteAdmin struct {
		Body struct {
			Email string `json:"email"`
		}
	}
	projectInvitation struct {
		ID         string `path:"id" doc:"the project's id"`
		Invitation string `path:"invitation" doc:"its id"`
	}
	adminInvitation struct {
		Invitation string `path:"invitation" doc:"its id"`
	}
	invitationToken struct {
		Body struct {
			Token string `json:"token" doc:"what the link has after #invitation="`
		}
	}
	offerOutput struct {
		CacheControl string `header:"Cache-Control"`
		Body         OfferBody
	}
	acceptInput struct {
		Body struct {
			Token    string `json:"token" doc:"what the link has after #invitation="`
			Name     string `json:"name,omitempty" doc:"of a new account"`
			Password string `json:"password,omitempty" doc:"of a new account: at least 10 characters"`
		}
	}
)

func (s *Server) mountInvitations() {
	const once = "The link is shown this once. It works once, for 7 days. A former invitation of the address to the same is not good any more."
	handle(s, huma.Operation{
		OperationID: "invite", Method: "POST", Path: "/api/v1/projects/{id}/invitations", Summary: "Invite somebody to a project",
		Description: once, DefaultStatus: http.StatusCreated,
	}, s.inviteToProject)
	handle(s, huma.Operation{
		OperationID: "list-invitations", Method: "GET", Path: "/api/v1/projects/{id}/invitations", Summary: "Open invitations to a project",
	}, func(ctx context.Context, _ *ProjectPath) (*invitationsOutput, error) {
		return s.listInvitations(ctx, projectOf(ctx).ID)
	})
	handle(s, huma.Operation{
		OperationID: "withdraw-invitation", Method: "DELETE", Path: "/api/v1/projects/{id}/invitations/{invitation}", Summary: "Withdraw an invitation",
	}, func(ctx context.Context, in *projectInvitation) (*struct{}, error) {
		return nil, s.cfg.Directory.Withdraw(ctx, projectOf(ctx).ID, in.Invitation)
	})
	handle(s, huma.Operation{
		OperationID: "invite-admin", Method: "POST", Path: "/api/admin/invitations", Summary: "Invite an administrator of the server",
		Description: once, DefaultStatus: http.StatusCreated,
	}, func(ctx context.Context, in *inviteAdmin) (*newInvitationOutput, error) {
		return s.invite(ctx, meta.Invitation{Email: in.Body.Email})
	})
	handle(s, huma.Operation{
		OperationID: "list-admin-invitations", Method: "GET", Path: "/api/admin/invitations", Summary: "Open invitations of administrators",
	}, func(ctx context.Context, _ *struct{}) (*invitationsOutput, error) { return s.listInvitations(ctx, "") })
	handle(s, huma.Operation{
		OperationID: "withdraw-admin-invitation", Method: "DELETE", Path: "/api/admin/invitations/{invitation}", Summary: "Withdraw an invitation of an administrator",
	}, func(ctx context.Context, in *adminInvitation) (*struct{}, error) {
		return nil, s.cfg.Directory.Withdraw(ctx, "", in.Invitation)
	})
	handle(s, huma.Operation{
		OperationID: "get-invitation", Method: "POST", Path: "/api/v1/invitation", Summary: "What an invitation offers",
		Description: "A POST, so that the link's secret is in no address.",
	}, s.offer)
	handle(s, huma.Operation{
		OperationID: "accept-invitation", Method: "POST", Path: "/api/v1/invitation/accept", Summary: "Accept an invitation",
		Description: "With a name and a password it makes an account and signs in. If the address has an account, sign in first: then it gives that account the role.",
	}, s.acceptInvitation)
}

func (s *Server) inviteToProject(ctx context.Context, in *inviteToProject) (*newInvitationOutput, error) {
	role, _ := weir.ParseRole(in.Body.Role) // the schema has looked at it
	return s.invite(ctx, meta.Invitation{Email: in.Body.Email, ProjectID: projectOf(ctx).ID, Role: role})
}

func (s *Server) invite(ctx context.Context, n meta.Invitation) (*newInvitationOutput, error) {
	c := callOf(ctx)
	if u := c.who.user; u != nil {
		n.InvitedBy = u.ID
	}
	i, secret, err := s.cfg.Directory.Invite(ctx, n)
	if err != nil {
		return nil, err
	}
	out := &newInvitationOutput{CacheControl: "no-store"}
	out.Body.InvitationBody, out.Body.URL = invitationBody(i), s.link(c.request, "invitation", secret)
	if s.mails() {
		m := &Mail{
			Key: "invitation-" + fleet.Digest(secret), To: i.Email, Subject: "You are invited to Weir",
			Text: "You are invited to " + s.invitedTo(ctx) + ".\n\nAccept here: " + out.Body.URL + "\n\n" +
				"The link works once, until " + i.ExpiresAt.UTC().Format("2006-01-02 15:04 MST") + ".\n",
		}
		out.Body.Mailed = s.sendLater(ctx, func(context.Context) (*Mail, error) { return m, nil })
	}
	s.log.InfoContext(ctx, "invited", "invitation", i.ID, "project", i.ProjectID, "role", i.Role.String(), "by", c.who.name(), "request_id", c.id)
	return out, nil
}

// invitedTo names what the request invites to.
func (s *Server) invitedTo(ctx context.Context) string {
	if p := projectOf(ctx); p != nil {
		return "the project " + p.Name + " in Weir"
	}
	return "be an administrator of Weir"
}

func invitationBody(i *meta.Invitation) InvitationBody {
	b := InvitationBody{ID: i.ID, Email: i.Email, Admin: i.ProjectID == "", Project: i.ProjectID, CreatedAt: i.CreatedAt, ExpiresAt: i.ExpiresAt}
	if !b.Admin {
		b.Role = i.Role.String()
	}
	return b
}

func (s *Server) listInvitations(ctx context.Context, projectID string) (*invitationsOutput, error) {
	all, err := s.cfg.Directory.Invitations(ctx, projectID)
	if err != nil {
		return nil, err
	}
	out := &invitationsOutput{}
	out.Body.Invitations = []InvitationBody{}
	for _, i := range all {
		out.Body.Invitations = append(out.Body.Invitations, invitationBody(&i))
	}
	return out, nil
}

func (s *Server) offer(ctx context.Context, in *invitationToken) (*offerOutput, error) {
	out := &offerOutput{CacheControl: "no-store"}
	err := s.guesses.checkSecret(ctx, "invitation", callOf(ctx).ip, func() error {
		i, account, err := s.cfg.Directory.Invitation(ctx, in.Body.Token)
		if err != nil {
			return err
		}
		out.Body = OfferBody{Email: i.Email, Admin: i.ProjectID == "", Account: account}
		if i.ProjectID == "" {
			return nil
		}
		p, err := s.cfg.Directory.Project(ctx, i.ProjectID)
		if err == nil {
			out.Body.Project, out.Body.Role = p.Name, i.Role.String()
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	return out, nil
}

func (s *Server) acceptInvitation(ctx context.Context, in *acceptInput) (*sessionOutput, error) {
	c := callOf(ctx)
	u, by := c.who.user, meta.ByPassword
	switch {
	case c.who.session != nil:
		by = c.who.session.Method
	case c.who.known(): // a session may do more than a token
		return nil, weir.Errorf(weir.EINVALID, "send no token with it: sign in, or give a name and a password")
	}
	err := s.guesses.checkSecret(ctx, "invitation", c.ip, func() (err error) {
		if u != nil {
			return s.cfg.Directory.AcceptAs(ctx, in.Body.Token, u)
		}
		if err := s.takePasswords(ctx); err != nil {
			return err
		}
		u, err = s.cfg.Directory.AcceptNew(ctx, in.Body.Token, in.Body.Name, in.Body.Password)
		return err
	})
	if err != nil {
		return nil, err
	}
	s.log.InfoContext(ctx, "invitation accepted", "user", u.ID, "request_id", c.id)
	// A new session also for who had one: it may do more now.
	if u, err = s.cfg.Directory.User(ctx, u.ID); err != nil {
		return nil, err
	}
	return s.signInBy(ctx, u, by)
}
