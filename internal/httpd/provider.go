package httpd

import (
	"context"
	"crypto/subtle"
	"net/http"
	"strings"
	"sync"

	"github.com/danielgtaylor/huma/v2"
	weir "github.com/weir-analytics/weir"
	"github.com/weir-analytics/weir/internal/meta"
	"github.com/weir-analytics/weir/internal/oidc"
)

const (
	providerCookie   = "weir_oidc" // the name of the sign-in that a browser began
	providerCallback = "/api/v1/oidc/callback"
)

// providers is the client of the provider that is set.
type providers struct {
	mu  sync.Mutex
	of  oidcKey
	now *oidc.Provider
}

// oidcKey is what a client is made of.
type oidcKey struct{ issuer, id, secret, redirect, scopes, groups string }

type (
	beginProviderOutput struct {
		Status       int
		Location     string        `header:"Location"`
		Cookie       []http.Cookie `header:"Set-Cookie"`
		CacheControl string        `header:"Cache-Control"`
	}
	callbackInput struct {
		State string `query:"state" maxLength:"200"`
		Code  string `query:"code" maxLength:"4096"`
		Error string `query:"error" maxLength:"200" doc:"why the provider refuses"`
	}
)

func (s *Server) mountProvider() {
	handle(s, huma.Operation{
		OperationID: "begin-oidc", Method: "GET", Path: "/api/v1/oidc/begin", Summary: "Sign in with the identity provider",
		Description: "Sends the browser to the provider, which sends it back.", DefaultStatus: http.StatusFound,
		Middlewares: huma.Middlewares{s.asPage},
	}, s.beginProvider)
	handle(s, huma.Operation{
		OperationID: "finish-oidc", Method: "GET", Path: providerCallback, Summary: "Come back from the identity provider",
		Description: "Begins a session and sends the browser to the dashboard. If that fails, a browser gets a page that says why.", DefaultStatus: http.StatusFound,
		Middlewares: huma.Middlewares{s.asPage},
	}, s.finishProvider)
	handle(s, huma.Operation{
		OperationID: "unlink-oidc", Method: "DELETE", Path: "/api/admin/users/{user}/identity", Summary: "Forget with which identity somebody signed in",
		Description: "The next verified person of the account's address at the provider takes its place.",
	}, func(ctx context.Context, in *UserPath) (*struct{}, error) {
		if err := s.cfg.Directory.Unlink(ctx, in.User); err != nil {
			return nil, err
		}
		s.notifyID(ctx, in.User, providerUnlinked)
		s.log.InfoContext(ctx, "identity unlinked", "user", in.User, "by", callOf(ctx).who.name(), "request_id", callOf(ctx).id)
		return nil, nil //nolint:nilnil // 204
	})
}

// provider returns the client of the provider. Errors: ENOTFOUND without one, ECONFLICT when
// the address to come back to is unknown.
func (s *Server) provider(ctx context.Context) (*oidc.Provider, error) {
	in, err := s.cfg.Directory.SignIn(ctx)
	if err != nil {
		return nil, err
	}
	p := in.Provider
	if p == nil {
		return nil, weir.Errorf(weir.ENOTFOUND, "this server has no identity provider")
	}
	if s.cfg.PublicURL == nil && s.cfg.AnyHost {
		return nil, weir.Errorf(weir.ECONFLICT, "the provider must know the address of this server: start it with --public-url")
	}
	redirect := s.address(callOf(ctx).request) + providerCallback
	c := oidc.Config{
		Issuer: p.Issuer, ClientID: p.ClientID, ClientSecret: p.ClientSecret, RedirectURL: redirect, Scopes: p.Scopes, GroupsClaim: p.GroupsClaim,
	}
	key := oidcKey{c.Issuer, c.ClientID, c.ClientSecret, redirect, strings.Join(c.Scopes, " "), c.GroupsClaim}
	s.provided.mu.Lock()
	defer s.provided.mu.Unlock()
	if s.provided.now == nil || s.provided.of != key {
		s.provided.of, s.provided.now = key, oidc.New(c, s.cfg.Clock)
	}
	return s.provided.now, nil
}

func (s *Server) beginProvider(ctx context.Context, _ *struct{}) (*beginProviderOutput, error) {
	c := callOf(ctx)
	if b, wait := s.guesses.take(ctx, s.guesses.places("oidc:", c.ip)); wait > 0 {
		return nil, s.guesses.refuse(b.by, wait)
	}
	p, err := s.provider(ctx)
	if err != nil {
		return nil, err
	}
	address, f, err := p.Begin(ctx)
	if err != nil {
		return nil, err
	}
	if err := s.cfg.Directory.BeginFlow(ctx, meta.Flow(f)); err != nil {
		return nil, err
	}
	return &beginProviderOutput{
		Status: http.StatusFound, Location: address, Cookie: []http.Cookie{s.flowCookie(c.request, f.State, int(meta.FlowFor.Seconds()))}, CacheControl: "no-store",
	}, nil
}

// flowCookie binds a sign-in to the browser that began it: nobody else's link finishes it
// there, and signs them in to a stranger's account.
func (s *Server) flowCookie(r *http.Request, state string, maxAge int) http.Cookie {
	c := s.cookie(r, state)
	c.Name, c.MaxAge = s.flowCookieName(r), maxAge
	return c
}

func (s *Server) flowCookieName(r *http.Request) string {
	if s.secureFor(r) {
		return hostPrefix + providerCookie
	}
	return providerCookie
}

func (s *Server) finishProvider(ctx context.Context, in *callbackInput) (*beginProviderOutput, error) {
	c := callOf(ctx)
	cookie, err := c.request.Cookie(s.flowCookieName(c.request))
	if err != nil || in.State == "" || subtle.ConstantTimeCompare([]byte(cookie.Value), []byte(in.State)) != 1 {
		return nil, weir.Errorf(weir.EUNAUTHORIZED, "this browser has not begun to sign in here, or that was long ago: sign in again")
	}
	p, err := s.provider(ctx)
	if err != nil {
		return nil, err
	}
	f, err := s.cfg.Directory.TakeFlow(ctx, in.State)
	if err != nil {
		return nil, err
	}
	if in.Error != "" {
		return nil, weir.Errorf(weir.EUNAUTHORIZED, "the identity provider has not signed you in: %q", in.Error)
	}
	who, err := p.Finish(ctx, oidc.Flow(f), in.Code)
	if err != nil {
		s.guesses.wrong("oidc")
		s.log.WarnContext(ctx, "sign-in with the provider failed", "error", err, "request_id", c.id)
		return nil, err
	}
	u, err := s.cfg.Directory.SignInWith(ctx, meta.Identity(*who))
	if err != nil {
		return nil, err
	}
	c.act.account = u.Account
	for _, change := range u.Roles {
		c.alsoDid(roleAudit(u.ID, change))
	}
	if u.Linked {
		s.notify(ctx, u.Account, providerLinked)
	}
	signedIn, err := s.signInBy(ctx, u.Account, meta.ByProvider)
	if err != nil {
		return nil, err
	}
	return &beginProviderOutput{
		Status: http.StatusFound, Location: s.base + "/", CacheControl: "no-store",
		Cookie: append(signedIn.Cookie, s.flowCookie(c.request, "", -1)),
	}, nil
}

// roleAudit returns the entry of a role that the groups of a provider gave or took: that which the act has
// when an administrator does it.
func roleAudit(userID string, change meta.RoleChange) meta.AuditEntry {
	e := meta.AuditEntry{Act: "member.change", ProjectID: change.ProjectID, Target: userID, Detail: map[string]string{"by": "groups"}}
	if change.ProjectID == "" {
		if e.Act = "admin.remove"; change.Admin {
			e.Act = "admin.add"
		}
		return e
	}
	switch weir.RoleNone {
	case change.Was:
		e.Act = "member.add"
	case change.Is:
		e.Act = "member.remove"
		return e
	}
	e.Detail["role"] = change.Is.String()
	return e
}

// takePasswords refuses what is about passwords if people sign in with the provider only.
func (s *Server) takePasswords(ctx context.Context) error {
	in, err := s.cfg.Directory.SignIn(ctx)
	if err == nil && in.NoPasswords {
		return weir.Errorf(weir.EFORBIDDEN, "this server takes no passwords: sign in with %s", in.Provider.Name)
	}
	return err
}
