package httpd

import (
	"context"
	"crypto/sha256"
	"crypto/subtle"

	weir "github.com/weir-analytics/weir"
)

type setupInput struct {
	Body struct {
		Code     string `json:"code,omitempty" doc:"the set-up code that the server printed when it started, or the admin token; not needed with the admin token as Authorization: Bearer"`
		Email    string `json:"email"`
		Name     string `json:"name"`
		Password string `json:"password"`
	}
}

// setUp creates the owner's account and signs it in. The directory allows one such account, so
// the code works once.
func (s *Server) setUp(ctx context.Context, in *setupInput) (*sessionOutput, error) {
	if err := s.mayClaim(ctx, in.Body.Code); err != nil {
		return nil, err
	}
	u, err := s.cfg.Directory.Setup(ctx, in.Body.Email, in.Body.Name, in.Body.Password)
	if err != nil {
		return nil, err
	}
	s.log.InfoContext(ctx, "server set up", "user", u.ID, "request_id", callOf(ctx).id)
	return s.signIn(ctx, u)
}

// mayClaim says whether who calls may become the owner of a server that has none:
// who can read what it prints, or has the admin token.
func (s *Server) mayClaim(ctx context.Context, code string) error {
	required, err := s.cfg.Directory.SetupRequired(ctx)
	if err != nil {
		return err
	}
	c := callOf(ctx)
	switch {
	case !required:
		return weir.Errorf(weir.ECONFLICT, "this server has been set up already: sign in")
	case c.who.admin():
		return nil
	case code == "":
		return weir.Errorf(weir.EUNAUTHORIZED, "send as code the set-up code that the server printed when it started, or the admin token")
	}
	return s.guesses.checkSecret(ctx, "setup_code", c.ip, func() error {
		if s.isSetupCode(code) {
			return nil
		}
		t, err := s.cfg.Directory.Token(ctx, code)
		if err == nil && (principal{token: t}).admin() {
			return nil
		}
		if err != nil && weir.ErrorCode(err) != weir.ENOTFOUND {
			return err
		}
		return weir.Errorf(weir.EUNAUTHORIZED, "this is neither the set-up code that the server printed when it last started nor the admin token")
	})
}

func (s *Server) isSetupCode(code string) bool {
	if s.cfg.SetupCode == "" {
		return false
	}
	got, want := sha256.Sum256([]byte(code)), sha256.Sum256([]byte(s.cfg.SetupCode))
	return subtle.ConstantTimeCompare(got[:], want[:]) == 1
}
