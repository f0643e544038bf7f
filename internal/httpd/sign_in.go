package httpd

import (
	"context"

	"github.com/danielgtaylor/huma/v2"
	weir "github.com/weir-analytics/weir"
	"github.com/weir-analytics/weir/internal/meta"
)

// SignInBody is how people sign in to the server.
type SignInBody struct {
	RequireSecondFactor bool          `json:"require_second_factor" doc:"people who sign in with a password must set a second factor up before anything else"`
	NoPasswords         bool          `json:"no_passwords" doc:"people sign in with the provider only"`
	Provider            *ProviderBody `json:"provider" doc:"null: none"`
}

// ProviderBody is an identity provider (OpenID Connect).
type ProviderBody struct {
	Name         string      `json:"name" doc:"of the button, such as Example Inc."`
	Issuer       string      `json:"issuer" doc:"its address, as it writes it itself: https://id.example.org"`
	ClientID     string      `json:"client_id"`
	ClientSecret string      `json:"client_secret,omitempty" doc:"stored encrypted and never shown; a change without it keeps it"`
	Scopes       []string    `json:"scopes,omitempty" doc:"besides openid; email and profile when missing"`
	GroupsClaim  string      `json:"groups_claim,omitempty" doc:"claim that lists a person's groups, such as groups"`
	Domains      []string    `json:"domains,omitempty" doc:"people with a verified address of these get an account when they sign in; others need an invitation"`
	Groups       []GroupBody `json:"groups,omitempty" doc:"what groups give, at each sign-in. In the projects that are named here groups alone decide; if a group makes admins, groups alone make them, but for the owner"`
}

// GroupBody is what the members of a group at the provider get.
type GroupBody struct {
	Group   string `json:"group"`
	Admin   bool   `json:"admin,omitempty" doc:"administrator of the server"`
	Project string `json:"project,omitempty" doc:"id of a project, unless admin"`
	Role    string `json:"role,omitempty" enum:"viewer,editor,admin" doc:"in the project"`
}

type (
	signInOutput struct{ Body SignInBody }
	changeSignIn struct {
		Body struct {
			RequireSecondFactor *bool         `json:"require_second_factor,omitempty" nullable:"false" doc:"people who sign in with a password must set a second factor up before anything else"`
			NoPasswords         *bool         `json:"no_passwords,omitempty" nullable:"false" doc:"people sign in with the provider only; the admin token still works"`
			Provider            *ProviderBody `json:"provider,omitempty" nullable:"false" doc:"all of its settings, in the place of those before"`
			NoProvider          bool          `json:"no_provider,omitempty" doc:"true takes the provider off"`
		} `doc:"what is missing stays"`
	}
)

func (s *Server) mountSignIn() {
	handle(s, huma.Operation{
		OperationID: "get-sign-in", Method: "GET", Path: "/api/admin/sign-in", Summary: "How people sign in",
	}, s.getSignIn)
	handle(s, huma.Operation{
		OperationID: "change-sign-in", Method: "PATCH", Path: "/api/admin/sign-in", Summary: "Change how people sign in",
	}, s.changeSignIn)
}

func signInBody(in *meta.SignIn) SignInBody {
	b := SignInBody{RequireSecondFactor: in.RequireSecondFactor, NoPasswords: in.NoPasswords}
	if p := in.Provider; p != nil {
		b.Provider = &ProviderBody{
			Name: p.Name, Issuer: p.Issuer, ClientID: p.ClientID, Scopes: p.Scopes, GroupsClaim: p.GroupsClaim, Domains: p.Domains,
		}
		for _, g := range p.Groups {
			item := GroupBody{Group: g.Group, Admin: g.Admin, Project: g.ProjectID}
			if !g.Admin {
				item.Role = g.Role.String()
			}
			b.Provider.Groups = append(b.Provider.Groups, item)
		}
	}
	return b
}

// setting returns the provider as it is stored; before is the one before, or nil.
func (b *ProviderBody) setting(before *meta.Provider) *meta.Provider {
	p := &meta.Provider{
		Name: b.Name, Issuer: b.Issuer, ClientID: b.ClientID, ClientSecret: b.ClientSecret, Scopes: b.Scopes, GroupsClaim: b.GroupsClaim, Domains: b.Domains,
	}
	if p.Scopes == nil {
		p.Scopes = []string{"email", "profile"}
	}
	// Not for another provider, which would get to know it.
	if p.ClientSecret == "" && before != nil && before.Issuer == p.Issuer {
		p.ClientSecret = before.ClientSecret
	}
	for _, g := range b.Groups {
		role, _ := weir.ParseRole(g.Role) // the schema has looked at it
		p.Groups = append(p.Groups, meta.GroupRole{Group: g.Group, Admin: g.Admin, ProjectID: g.Project, Role: role})
	}
	return p
}

func (s *Server) getSignIn(ctx context.Context, _ *struct{}) (*signInOutput, error) {
	in, err := s.cfg.Directory.SignIn(ctx)
	if err != nil {
		return nil, err
	}
	return &signInOutput{signInBody(in)}, nil
}

func (s *Server) changeSignIn(ctx context.Context, in *changeSignIn) (*signInOutput, error) {
	now, err := s.cfg.Directory.ChangeSignIn(ctx, func(x *meta.SignIn) error {
		if b := in.Body.RequireSecondFactor; b != nil {
			x.RequireSecondFactor = *b
		}
		if b := in.Body.NoPasswords; b != nil {
			x.NoPasswords = *b
		}
		if in.Body.Provider != nil {
			x.Provider = in.Body.Provider.setting(x.Provider)
		}
		if in.Body.NoProvider {
			x.Provider = nil
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	c := callOf(ctx)
	s.log.InfoContext(ctx, "sign-in changed", "by", c.who.name(), "request_id", c.id)
	return &signInOutput{signInBody(now)}, nil
}
