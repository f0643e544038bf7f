package httpd

import (
	"context"
	"net/http"
	"strings"

	weir "github.com/weir-analytics/weir"
	"github.com/weir-analytics/weir/internal/meta"
)

// principal is the caller: at most one of a user, a token and a write key.
type principal struct {
	user    *meta.Account
	session *meta.Session // of user
	token   *meta.Token
	key     *weir.Project // the project that the key writes to
}

func (p principal) known() bool { return p.user != nil || p.token != nil || p.key != nil }

// name returns a name that is different for each user and token.
func (p principal) name() string {
	switch {
	case p.user != nil:
		return "user " + p.user.ID
	case p.token != nil:
		return "token " + p.token.ID
	}
	return ""
}

// admin reports whether the caller may do everything on the server.
func (p principal) admin() bool {
	switch {
	case p.user != nil:
		return p.user.Admin
	case p.token != nil:
		return p.token.Admin && p.token.Scope == meta.ScopeWrite
	}
	return false
}

// role returns the caller's role in a project.
func (p principal) role(ctx context.Context, d Directory, projectID string) (weir.Role, error) {
	switch {
	case p.user != nil && p.user.Admin:
		return weir.RoleOwner, nil
	case p.user != nil:
		return d.Role(ctx, p.user.ID, projectID)
	case p.token != nil:
		return tokenRole(p.token, projectID), nil
	}
	return weir.RoleNone, nil
}

func tokenRole(t *meta.Token, projectID string) weir.Role {
	role := weir.RoleNone
	switch {
	case t.Admin:
		role = weir.RoleOwner
	case t.ProjectID == projectID:
		role = t.Role
	}
	if t.Scope != meta.ScopeWrite {
		role = min(role, weir.RoleViewer)
	}
	return role
}

// admitting returns a handler that passes the requests that the rule admits to next.
func (s *Server) admitting(rule Rule, next http.Handler) http.Handler {
	h := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		c := callOf(r.Context())
		asked := r
		c.readmit = func() error {
			return s.admit(rule, asked, &call{})
		}
		c.route, c.rule, c.refuse = rule.pattern(), rule, s.mux.refusers[rule.pattern()]
		err := s.starting(rule.Need)
		if err == nil {
			err = s.admit(rule, r, c)
		}
		if err != nil {
			s.fail(w, r, err)
			return
		}
		next.ServeHTTP(w, r)
	})
	if rule.Anywhere {
		return cors(h)
	}
	return h
}

// admit applies a rule to a request: it identifies the caller, and refuses a caller who may
// not use the route. Errors: see Rules.
func (s *Server) admit(rule Rule, r *http.Request, c *call) error {
	ctx := r.Context()
	switch rule.Need {
	case Public, WriteKey, Sender:
		return nil
	}
	if err := s.checkHost(r); err != nil {
		return err
	}
	who, err := s.identify(r)
	if err != nil {
		return err
	}
	c.who = who
	switch {
	case rule.Need == Session:
		return nil
	case !who.known():
		return weir.Errorf(weir.EUNAUTHORIZED, "sign in, or send an API token as Authorization: Bearer")
	case who.key != nil:
		return weir.Errorf(weir.EFORBIDDEN, "a write key can only write events")
	case rule.Need == User && who.user == nil:
		return weir.Errorf(weir.EFORBIDDEN, "this is for people who signed in: a token has no account")
	case rule.Need == Instance && !who.admin():
		return weir.Errorf(weir.EFORBIDDEN, "only an admin of this server may do that")
	case rule.Need == InProject:
		return s.admitToProject(ctx, rule, r, c)
	}
	return nil
}

func (s *Server) admitToProject(ctx context.Context, rule Rule, r *http.Request, c *call) error {
	id := r.PathValue("id")
	if !strings.Contains(rule.Path, "{id}") {
		if id = r.URL.Query().Get("project"); id == "" {
			return weir.Errorf(weir.EINVALID, "project: name one, as in ?project=ID")
		}
	}
	role, err := c.who.role(ctx, s.cfg.Directory, id)
	if err != nil {
		return err
	}
	p, err := s.cfg.Directory.Project(ctx, id)
	if err != nil && weir.ErrorCode(err) != weir.ENOTFOUND {
		return err
	}
	if err != nil || role == weir.RoleNone {
		return weir.Errorf(weir.ENOTFOUND, "no such project")
	}
	if role < rule.Role {
		return weir.Errorf(weir.EFORBIDDEN, "this takes the role %s in the project", rule.Role)
	}
	c.project, c.role = p, role
	return nil
}

// identify returns the caller: by the Bearer token if there is one, otherwise by the
// session's cookie.
func (s *Server) identify(r *http.Request) (principal, error) {
	ctx := r.Context()
	if secret := bearer(r); secret != "" {
		return s.identifyBearer(ctx, secret, callOf(ctx).ip)
	}
	// A browser sends its cookies also for pages of other sites.
	if err := s.checkOrigin(r); err != nil {
		return principal{}, weir.Wrap(err, weir.EFORBIDDEN, "this request comes from another site")
	}
	secret := s.sessionSecret(r)
	if secret == "" {
		return principal{}, nil
	}
	session, user, err := s.cfg.Directory.Session(ctx, secret)
	if weir.ErrorCode(err) == weir.ENOTFOUND {
		return principal{}, nil
	}
	if err != nil {
		return principal{}, err
	}
	if err := s.cfg.Directory.UseSession(ctx, session, s.place(r)); err != nil {
		s.log.WarnContext(ctx, "the last use of a session was not stored", "error", err)
	}
	return principal{user: user, session: session}, nil
}

// identifyBearer returns the project of a write key or the owner of an API token. Errors:
// EUNAUTHORIZED for an unknown one, ERATELIMITED for an address that sends many of them.
func (s *Server) identifyBearer(ctx context.Context, secret, ip string) (who principal, err error) {
	err = s.guesses.checkSecret(ctx, "token", ip, func() error {
		var err error
		if strings.HasPrefix(secret, meta.KeyPrefix) {
			who.key, err = s.cfg.Directory.ProjectByKey(ctx, secret)
		} else {
			who.token, err = s.cfg.Directory.Token(ctx, secret)
		}
		if weir.ErrorCode(err) == weir.ENOTFOUND {
			return weir.Errorf(weir.EUNAUTHORIZED, "unknown token")
		}
		return err
	})
	if err != nil {
		return principal{}, err
	}
	return who, nil
}

// bearer returns the token of an Authorization: Bearer header, or "".
func bearer(r *http.Request) string {
	scheme, token, ok := strings.Cut(r.Header.Get("Authorization"), " ")
	if !ok || !strings.EqualFold(scheme, "Bearer") {
		return ""
	}
	return strings.TrimSpace(token)
}
