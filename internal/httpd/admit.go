package httpd

import (
	"context"
	"net/http"
	"strings"

	weir "github.com/weir-analytics/weir"
	"github.com/weir-analytics/weir/internal/meta"
)

// principal is the caller: a user, perhaps by a token that acts for them; a token of a project
// or of the server; a write key; or the reader of a shared link.
type principal struct {
	user    *meta.Account
	session *meta.Session // of user
	token   *meta.Token
	key     *weir.Project // the project that the key writes to
	share   *meta.Share   // the link that they read
	locked  bool          // the password of share is missing
}

func (p principal) known() bool {
	return p.user != nil || p.token != nil || p.key != nil || p.share != nil
}

// name returns a name that is different for each user, each token that is no user's and each shared
// link.
func (p principal) name() string {
	switch {
	case p.user != nil: // with a token of theirs too
		return "user " + p.user.ID
	case p.token != nil:
		return "token " + p.token.ID
	case p.share != nil:
		return "shared link " + p.share.ID
	}
	return ""
}

// admin reports whether the caller may do everything on the server.
func (p principal) admin() bool {
	return p.everywhere() && (p.token == nil || p.token.Scopes.Has(weir.ScopeAdmin))
}

// server reports whether the caller has rights in all projects.
func (p principal) server() bool {
	if p.user != nil {
		return p.user.Admin
	}
	return p.token != nil && p.token.Admin
}

// everywhere reports whether the caller's rights count in all projects.
func (p principal) everywhere() bool {
	return p.server() && (p.token == nil || p.token.ProjectID == "")
}

// scopes returns what the caller may do in a project. in is false if the project is not
// theirs: they may not even learn that it exists.
func (p principal) scopes(ctx context.Context, d Directory, projectID string) (may weir.Scopes, in bool, err error) {
	may = weir.AllScopes
	if p.token != nil {
		if p.token.ProjectID != "" && p.token.ProjectID != projectID {
			return 0, false, nil
		}
		may = p.token.Scopes
	}
	switch {
	case p.server(), p.user == nil && p.token != nil: // a project's token
		return may, true, nil
	case p.user == nil:
		return 0, false, nil
	}
	role, err := d.Role(ctx, p.user.ID, projectID)
	return may & role.Scopes(), role != weir.RoleNone, err
}

// admitting returns a handler that passes the requests that the rule admits to next.
func (s *Server) admitting(rule Rule, next http.Handler) http.Handler {
	pattern := rule.pattern()
	h := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		c := callOf(r.Context())
		c.route, c.rule, c.refuse = pattern, rule, s.mux.refusers[pattern]
		err := s.starting(rule.Need)
		if err == nil {
			err = s.admit(rule, r, c)
		}
		if err == nil {
			err = s.paceReader(r.Context(), c)
		}
		if err != nil {
			s.fail(w, r, err)
			s.audit(w, r, rule)
			return
		}
		switch rule.Need {
		case Public, WriteKey, Sender:
		default:
			w.Header().Set("Cache-Control", "no-store")
			c.readmit = func() error {
				now := &call{}
				err := s.admit(rule, r, now)
				c.may = now.may
				return err
			}
		}
		next.ServeHTTP(w, r)
		s.audit(w, r, rule)
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
	if rule.Need == Scraper {
		if s.cfg.OpenMetrics {
			return nil
		}
	} else if err := s.checkHost(r); err != nil {
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
	case who.share != nil:
		return s.admitReader(ctx, rule, r, c)
	case rule.Need == Reader:
		return weir.Errorf(weir.EFORBIDDEN, "this is for readers of a shared link: send the end of the link as Authorization: Bearer")
	}
	if rule.Need != User {
		if err := s.needSecondFactor(ctx, who); err != nil {
			return err
		}
	}
	switch {
	case rule.Need == User && who.session == nil:
		return weir.Errorf(weir.EFORBIDDEN, "this is for people who signed in: a token has no account")
	case rule.Need == Instance && !who.admin(), rule.Need == Scraper && !who.everywhere():
		return weir.Errorf(weir.EFORBIDDEN, "only an admin of this server may do that")
	case rule.Need == InProject:
		return s.admitToProject(ctx, rule, r, c)
	case who.token != nil && !who.token.Scopes.Has(rule.Scope):
		return lacksScope(rule)
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
	may, in, err := c.who.scopes(ctx, s.cfg.Directory, id)
	if err != nil {
		return err
	}
	p, err := s.cfg.Directory.Project(ctx, id)
	if err != nil && weir.ErrorCode(err) != weir.ENOTFOUND {
		return err
	}
	if err != nil || !in {
		return weir.Errorf(weir.ENOTFOUND, "no such project")
	}
	if !may.Has(rule.Scope) {
		if c.who.token != nil && !c.who.token.Scopes.Has(rule.Scope) {
			return lacksScope(rule)
		}
		return weir.Errorf(weir.EFORBIDDEN, "this takes the role %s in the project", weir.LeastRole(rule.Scope))
	}
	c.project, c.may = p, may
	return nil
}

func lacksScope(rule Rule) error {
	return weir.Errorf(weir.EFORBIDDEN, "this takes a token with the scope %s", rule.Scope)
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

// identifyBearer returns the project of a write key, the owner of an API token or the reader of a
// shared link. Errors:
// EUNAUTHORIZED for an unknown one, ERATELIMITED for an address that sends many of them.
func (s *Server) identifyBearer(ctx context.Context, secret, ip string) (who principal, err error) {
	err = s.guesses.checkSecret(ctx, "token", ip, func() error {
		var err error
		switch {
		case strings.HasPrefix(secret, meta.KeyPrefix):
			who.key, err = s.cfg.Directory.ProjectByKey(ctx, secret)
		case strings.HasPrefix(secret, meta.SharePrefix):
			who, err = s.identifyReader(ctx, secret)
		default:
			who.token, err = s.cfg.Directory.Token(ctx, secret)
		}
		if err == nil && who.token != nil && who.token.UserID != "" {
			if who.user, err = s.cfg.Directory.User(ctx, who.token.UserID); err == nil && who.user.Inactive {
				return weir.Errorf(weir.EUNAUTHORIZED, "the account of this token is deactivated")
			}
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
