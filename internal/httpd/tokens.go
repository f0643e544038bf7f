package httpd

import (
	"context"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"
	weir "github.com/weir-analytics/weir"
	"github.com/weir-analytics/weir/internal/meta"
)

// TokenBody is an API token, without its secret.
type TokenBody struct {
	ID         string     `json:"id"`
	Name       string     `json:"name"`
	Last4      string     `json:"last4" doc:"the token's last characters"`
	Scopes     []string   `json:"scopes" nullable:"false" enum:"read,persons,write,ingest,admin" doc:"what it may do at most"`
	Project    string     `json:"project,omitempty" doc:"the id of the only project that it is good for"`
	CreatedAt  time.Time  `json:"created_at"`
	ExpiresAt  *time.Time `json:"expires_at,omitempty" doc:"missing: it does not end"`
	LastUsedAt *time.Time `json:"last_used_at,omitempty" doc:"to the minute; missing: nobody used it yet"`
}

// NewTokenBody is a token just made.
type NewTokenBody struct {
	TokenBody
	Token string `json:"token" doc:"shown this once"`
}

// TokenRequest is a token to make. It is exported for huma, as ProjectPath is.
type TokenRequest struct {
	Name      string     `json:"name" doc:"1 to 100 characters"`
	Scopes    []string   `json:"scopes" nullable:"false" minItems:"1" maxItems:"5" enum:"read,persons,write,ingest,admin" doc:"what it may do at most; a token makes none that may do more than itself"`
	ExpiresAt *time.Time `json:"expires_at,omitempty" doc:"missing: it does not end"`
}

type (
	tokensOutput struct {
		Body struct {
			Tokens []TokenBody `json:"tokens" nullable:"false" doc:"newest first"`
		}
	}
	newTokenOutput struct {
		CacheControl string `header:"Cache-Control"`
		Body         NewTokenBody
	}
	ownTokenInput struct {
		Body struct {
			TokenRequest
			Project string `json:"project,omitempty" doc:"the id of the only project that it is good for; missing: all projects of the user"`
		}
	}
	projectTokenInput struct {
		ProjectPath
		Body TokenRequest
	}
	ownTokenPath struct {
		Token string `path:"token" doc:"the token's id"`
	}
	projectTokenPath struct {
		ProjectPath
		Token string `path:"token" doc:"the token's id"`
	}
)

func (s *Server) mountTokens() {
	const own, projects = "/api/v1/tokens", "/api/v1/projects/{id}/tokens"
	handle(s, huma.Operation{
		OperationID: "list-own-tokens", Method: "GET", Path: own, Summary: "Your tokens",
	}, s.listOwnTokens)
	handle(s, huma.Operation{
		OperationID: "create-own-token", Method: "POST", Path: own, Summary: "Make a token that acts for you",
		Description: "It never may do more than you may at the time.", DefaultStatus: http.StatusCreated,
	}, s.createOwnToken)
	handle(s, huma.Operation{
		OperationID: "revoke-own-token", Method: "DELETE", Path: own + "/{token}", Summary: "Revoke a token of yours",
		Description: "It is good on no node any more, and its live streams end.",
	}, func(ctx context.Context, in *ownTokenPath) (*struct{}, error) {
		u, err := ownUser(ctx)
		if err != nil {
			return nil, err
		}
		return nil, s.cfg.Directory.RevokeUserToken(ctx, u.ID, in.Token)
	})
	handle(s, huma.Operation{
		OperationID: "list-tokens", Method: "GET", Path: projects, Summary: "The tokens that belong to a project",
		Description: "Without those of its members, which only they see.",
	}, s.listProjectTokens)
	handle(s, huma.Operation{
		OperationID: "create-token", Method: "POST", Path: projects, Summary: "Make a token that belongs to a project",
		Description: "It stays when who made it leaves the project.", DefaultStatus: http.StatusCreated,
	}, s.createProjectToken)
	handle(s, huma.Operation{
		OperationID: "revoke-token", Method: "DELETE", Path: projects + "/{token}", Summary: "Revoke a token that belongs to a project",
		Description: "It is good on no node any more, and its live streams end.",
	}, func(ctx context.Context, in *projectTokenPath) (*struct{}, error) {
		return nil, s.cfg.Directory.RevokeProjectToken(ctx, projectOf(ctx).ID, in.Token)
	})
}

// ownUser returns the user who calls, perhaps by a token. Error: EFORBIDDEN for a token that
// is nobody's.
func ownUser(ctx context.Context) (*meta.Account, error) {
	if u := callOf(ctx).who.user; u != nil {
		return u, nil
	}
	return nil, weir.Errorf(weir.EFORBIDDEN, "this token acts for no user: name a project for tokens of the project")
}

func (s *Server) listOwnTokens(ctx context.Context, _ *struct{}) (*tokensOutput, error) {
	u, err := ownUser(ctx)
	if err != nil {
		return nil, err
	}
	tokens, err := s.cfg.Directory.UserTokens(ctx, u.ID)
	if err != nil {
		return nil, err
	}
	return listedTokens(tokens, time.UTC), nil
}

func (s *Server) listProjectTokens(ctx context.Context, _ *ProjectPath) (*tokensOutput, error) {
	tokens, err := s.cfg.Directory.ProjectTokens(ctx, projectOf(ctx).ID)
	if err != nil {
		return nil, err
	}
	return listedTokens(tokens, projectOf(ctx).Location()), nil
}

func (s *Server) createOwnToken(ctx context.Context, in *ownTokenInput) (*newTokenOutput, error) {
	u, err := ownUser(ctx)
	if err != nil {
		return nil, err
	}
	n := meta.NewToken{UserID: u.ID, ProjectID: in.Body.Project}
	most := weir.AllScopes
	if t := callOf(ctx).who.token; t != nil {
		most = t.Scopes
		if t.ProjectID != "" && n.ProjectID != t.ProjectID {
			return nil, weir.Errorf(weir.EFORBIDDEN, "this token is for one project, and makes tokens for that one only: project %s", t.ProjectID)
		}
	}
	if n.ProjectID != "" {
		_, in, err := callOf(ctx).who.scopes(ctx, s.cfg.Directory, n.ProjectID)
		if err != nil {
			return nil, err
		}
		if !in {
			return nil, weir.Errorf(weir.ENOTFOUND, "no such project")
		}
	}
	return s.createToken(ctx, n, in.Body.TokenRequest, most, time.UTC)
}

func (s *Server) createProjectToken(ctx context.Context, in *projectTokenInput) (*newTokenOutput, error) {
	p := projectOf(ctx)
	return s.createToken(ctx, meta.NewToken{ProjectID: p.ID}, in.Body, callOf(ctx).may, p.Location())
}

// createToken makes a token that may do no more than most, and that ends no later than the
// token that makes it.
func (s *Server) createToken(ctx context.Context, n meta.NewToken, in TokenRequest, most weir.Scopes, loc *time.Location) (*newTokenOutput, error) {
	var err error
	n.Name = in.Name
	if n.Scopes, err = weir.ParseScopes(in.Scopes...); err != nil {
		return nil, err
	}
	if !most.Has(n.Scopes) {
		return nil, weir.Errorf(weir.EFORBIDDEN, "scopes: a token makes none that may do more than itself, which is %s", most)
	}
	if in.ExpiresAt != nil {
		n.ExpiresAt = *in.ExpiresAt
	}
	if t := callOf(ctx).who.token; t != nil && !t.ExpiresAt.IsZero() && (n.ExpiresAt.IsZero() || n.ExpiresAt.After(t.ExpiresAt)) {
		return nil, weir.Errorf(weir.EFORBIDDEN, "expires_at: a token makes none that lasts longer than itself, which is until %s", t.ExpiresAt.Format(time.RFC3339))
	}
	t, secret, err := s.cfg.Directory.CreateToken(ctx, n)
	if err != nil {
		return nil, err
	}
	callOf(ctx).acted(t.ID, "name", t.Name, "scopes", t.Scopes.String())
	return &newTokenOutput{CacheControl: "no-store", Body: NewTokenBody{TokenBody: tokenBody(t, loc), Token: secret}}, nil
}

func listedTokens(tokens []meta.Token, loc *time.Location) *tokensOutput {
	out := &tokensOutput{}
	out.Body.Tokens = make([]TokenBody, len(tokens))
	for i := range tokens {
		out.Body.Tokens[i] = tokenBody(&tokens[i], loc)
	}
	return out
}

func tokenBody(t *meta.Token, loc *time.Location) TokenBody {
	b := TokenBody{ID: t.ID, Name: t.Name, Last4: t.Last4, Scopes: t.Scopes.Names(), Project: t.ProjectID, CreatedAt: t.CreatedAt.In(loc)}
	if !t.ExpiresAt.IsZero() {
		b.ExpiresAt = new(t.ExpiresAt.In(loc))
	}
	if !t.LastUsedAt.IsZero() {
		b.LastUsedAt = new(t.LastUsedAt.In(loc))
	}
	return b
}
