package httpd

import (
	"context"
	"strconv"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/weir-analytics/weir/internal/meta"
)

// AccountBody is an account as administrators of the server see it.
type AccountBody struct {
	UserBody
	Active    bool      `json:"active" doc:"an inactive account may not sign in"`
	CreatedAt time.Time `json:"created_at"`
}

// LinkBody is a link that lets its holder do something once. It is shown this once.
type LinkBody struct {
	URL       string    `json:"url" doc:"the link: who has it may use it"`
	ExpiresAt time.Time `json:"expires_at"`
	Mailed    bool      `json:"mailed" doc:"it is being sent by mail too"`
}

type (
	// UserPath is of what is about one account.
	UserPath struct {
		User string `path:"user" doc:"the account's id"`
	}
	accountsOutput struct {
		Body struct {
			Users []AccountBody `json:"users" nullable:"false"`
		}
	}
	accountOutput struct{ Body AccountBody }
	changeUser    struct {
		UserPath
		Body struct {
			Active *bool `json:"active,omitempty" nullable:"false" doc:"false deactivates the account: its sessions and live streams end at once; true lets it sign in again"`
		} `doc:"what is missing stays"`
	}
	linkOutput struct {
		CacheControl string `header:"Cache-Control"`
		Body         LinkBody
	}
)

func (s *Server) mountPeople() {
	handle(s, huma.Operation{
		OperationID: "list-users", Method: "GET", Path: "/api/admin/users", Summary: "All accounts",
	}, s.listUsers)
	handle(s, huma.Operation{
		OperationID: "get-user", Method: "GET", Path: "/api/admin/users/{user}", Summary: "An account",
	}, s.getUser)
	handle(s, huma.Operation{
		OperationID: "change-user", Method: "PATCH", Path: "/api/admin/users/{user}", Summary: "Deactivate or activate an account",
		Description: "The last active administrator of the server cannot be deactivated.",
	}, s.changeUser)
	handle(s, huma.Operation{
		OperationID: "reset-user", Method: "POST", Path: "/api/admin/users/{user}/reset", Summary: "Make a link to choose a new password",
		Description: "The password until now stays good until the link is used. A former link of the account is not good any more.",
	}, s.resetUser)
	handle(s, huma.Operation{
		OperationID: "end-user-sessions", Method: "DELETE", Path: "/api/admin/users/{user}/sessions", Summary: "Sign somebody out everywhere",
	}, s.endUserSessions)
}

func accountBody(a *meta.Account) AccountBody {
	return AccountBody{UserBody: *userBody(a), Active: !a.Inactive, CreatedAt: a.CreatedAt}
}

func (s *Server) listUsers(ctx context.Context, _ *struct{}) (*accountsOutput, error) {
	all, err := s.cfg.Directory.Users(ctx)
	if err != nil {
		return nil, err
	}
	out := &accountsOutput{}
	out.Body.Users = []AccountBody{}
	for _, a := range all {
		out.Body.Users = append(out.Body.Users, accountBody(&a))
	}
	return out, nil
}

func (s *Server) getUser(ctx context.Context, in *UserPath) (*accountOutput, error) {
	a, err := s.cfg.Directory.User(ctx, in.User)
	if err != nil {
		return nil, err
	}
	return &accountOutput{accountBody(a)}, nil
}

func (s *Server) changeUser(ctx context.Context, in *changeUser) (*accountOutput, error) {
	if active := in.Body.Active; active != nil {
		callOf(ctx).acted("", "active", strconv.FormatBool(*active))
		if err := s.cfg.Directory.SetActive(ctx, in.User, *active); err != nil {
			return nil, err
		}
		s.log.InfoContext(ctx, "account changed", "user", in.User, "active", *active, "by", callOf(ctx).who.name(), "request_id", callOf(ctx).id)
		s.accessEnded(ctx)
	}
	return s.getUser(ctx, &in.UserPath)
}

func (s *Server) resetUser(ctx context.Context, in *UserPath) (*linkOutput, error) {
	u, err := s.cfg.Directory.User(ctx, in.User)
	if err != nil {
		return nil, err
	}
	secret, until, err := s.cfg.Directory.CreateReset(ctx, u.ID)
	if err != nil {
		return nil, err
	}
	c := callOf(ctx)
	s.log.InfoContext(ctx, "link to reset a password made", "user", u.ID, "by", c.who.name(), "request_id", c.id)
	return &linkOutput{CacheControl: "no-store", Body: LinkBody{URL: s.link(c.request, "reset", secret), ExpiresAt: until}}, nil
}

func (s *Server) endUserSessions(ctx context.Context, in *UserPath) (*struct{}, error) {
	u, err := s.cfg.Directory.User(ctx, in.User)
	if err != nil {
		return nil, err
	}
	if err := s.cfg.Directory.EndSessions(ctx, u.ID); err != nil {
		return nil, err
	}
	s.notify(ctx, u, signedOut)
	c := callOf(ctx)
	s.log.InfoContext(ctx, "signed out everywhere", "user", in.User, "by", c.who.name(), "request_id", c.id)
	s.accessEnded(ctx)
	return nil, nil //nolint:nilnil // 204
}
