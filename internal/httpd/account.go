package httpd

import (
	"context"
	"net/http"

	"github.com/danielgtaylor/huma/v2"
	weir "github.com/weir-analytics/weir"
	"github.com/weir-analytics/weir/internal/meta"
)

// UserBody is a user as clients see one.
type UserBody struct {
	ID    string `json:"id"`
	Email string `json:"email"`
	Name  string `json:"name"`
	Admin bool   `json:"admin" doc:"may make projects and has every role in all"`

	SecondFactor bool `json:"second_factor" doc:"signing in with the password takes a code of an app too"`
}

// SessionBody says who is signed in.
type SessionBody struct {
	User          *UserBody `json:"user"`
	Provider      string    `json:"provider,omitempty" doc:"name of the identity provider to sign in with, at /api/v1/oidc/begin; to who is not signed in"`
	NoPasswords   bool      `json:"no_passwords,omitempty" doc:"people sign in with the provider only"`
	SetupRequired bool      `json:"setup_required" doc:"nobody has an account yet: who sets one up, with the set-up code or the admin token, owns the server"`
}

type sessionOutput struct {
	Cookie       []http.Cookie `header:"Set-Cookie"`
	CacheControl string        `header:"Cache-Control"`
	Body         SessionBody
}

type loginInput struct {
	Device string `cookie:"weir_device" doc:"that the browser has signed in before; set by an earlier answer"`
	Body   struct {
		Email    string `json:"email"`
		Password string `json:"password"`
		Code     string `json:"code,omitempty" doc:"of the second factor, or a recovery code: needed if the answer without it has the error second_factor"`
	}
}

func (s *Server) mountAccount() {
	handle(s, huma.Operation{
		OperationID: "get-session", Method: "GET", Path: "/api/v1/session", Summary: "Who is signed in",
	}, s.getSession)
	handle(s, huma.Operation{
		OperationID: "set-up", Method: "POST", Path: "/api/v1/setup", Summary: "Make the first account",
		Description: "Works while there is no account, with the set-up code that the server printed when it started, or the admin token.", DefaultStatus: http.StatusCreated,
	}, s.setUp)
	handle(s, huma.Operation{
		OperationID: "log-in", Method: "POST", Path: "/api/v1/login", Summary: "Sign in",
	}, s.logIn)
	handle(s, huma.Operation{
		OperationID: "log-out", Method: "POST", Path: "/api/v1/logout", Summary: "Sign out",
	}, s.logOut)
}

func (s *Server) getSession(ctx context.Context, _ *struct{}) (*sessionOutput, error) {
	out := &sessionOutput{CacheControl: "no-store"}
	if u := callOf(ctx).who.user; u != nil {
		out.Body.User = userBody(u)
		return out, nil // somebody has an account
	}
	var err error
	if out.Body.SetupRequired, err = s.cfg.Directory.SetupRequired(ctx); err != nil {
		return nil, err
	}
	in, err := s.cfg.Directory.SignIn(ctx)
	if err != nil {
		return nil, err
	}
	if out.Body.NoPasswords = in.NoPasswords; in.Provider != nil {
		out.Body.Provider = in.Provider.Name
	}
	return out, nil
}

func (s *Server) logIn(ctx context.Context, in *loginInput) (*sessionOutput, error) {
	c := callOf(ctx)
	device := s.devices.known(in.Device, in.Body.Email, s.cfg.Clock.Now())
	if err := s.guesses.guess(ctx, in.Body.Email, c.ip, device); err != nil {
		return nil, err
	}
	s.signingIn(ctx, in.Body.Email)
	if err := s.takePasswords(ctx); err != nil {
		return nil, err
	}
	u, err := s.cfg.Directory.Authenticate(ctx, in.Body.Email, in.Body.Password)
	if err != nil {
		if weir.ErrorCode(err) == weir.EUNAUTHORIZED {
			s.guesses.wrong("password")
		}
		return nil, err
	}
	// Who knows the password guesses no more at it. Guesses at codes are counted apart.
	s.guesses.right(ctx, in.Body.Email, c.ip, device)
	if u.SecondFactor {
		if in.Body.Code == "" {
			c.acted("", "second_factor", "asked for")
			return nil, newError(codeSecondFactor, "code: this account takes a code of its second factor, or a recovery code", nil, nil)
		}
		if err := s.checkCode(ctx, u, in.Body.Code, device); err != nil {
			return nil, err
		}
		// A code is good once, so nobody signs in without limit by this.
		s.guesses.refund(ctx, in.Body.Email, c.ip, device)
	}
	return s.signIn(ctx, u)
}

// signIn begins a session of a user who has given the password.
func (s *Server) signIn(ctx context.Context, u *meta.Account) (*sessionOutput, error) {
	return s.signInBy(ctx, u, meta.ByPassword)
}

func (s *Server) signInBy(ctx context.Context, u *meta.Account, by meta.Method) (*sessionOutput, error) {
	c := callOf(ctx)
	c.act.account = u
	cookie, err := s.beginSession(ctx, u.ID, by)
	if err != nil {
		return nil, err
	}
	s.log.InfoContext(ctx, "signed in", "user", u.ID, "request_id", c.id)
	return &sessionOutput{
		Cookie:       []http.Cookie{cookie, s.deviceCookie(u.Email, s.secureFor(c.request))},
		CacheControl: "no-store",
		Body:         SessionBody{User: userBody(u)},
	}, nil
}

type logOutOutput struct {
	Cookie []http.Cookie `header:"Set-Cookie"`
}

func (s *Server) logOut(ctx context.Context, _ *struct{}) (*logOutOutput, error) {
	if who := callOf(ctx).who; who.session != nil {
		err := s.cfg.Directory.EndSession(ctx, who.user.ID, who.session.ID)
		if err != nil && weir.ErrorCode(err) != weir.ENOTFOUND { // ended already
			return nil, err
		}
		s.accessEnded(ctx)
	}
	return &logOutOutput{Cookie: []http.Cookie{s.noSession(ctx)}}, nil
}

func userBody(u *meta.Account) *UserBody {
	return &UserBody{ID: u.ID, Email: u.Email, Name: u.Name, Admin: u.Admin, SecondFactor: u.SecondFactor}
}
