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

// LoginBody is a login session as its user sees it.
type LoginBody struct {
	ID        string    `json:"id"`
	Current   bool      `json:"current" doc:"this is the session that asks"`
	Device    string    `json:"device" doc:"browser and system of the last use; empty if unknown"`
	Country   string    `json:"country" doc:"of the last use, ISO 3166-1; empty if unknown"`
	Network   string    `json:"network" doc:"the address of the last use without its end, such as 192.0.2.0/24"`
	CreatedAt time.Time `json:"created_at"`
	UsedAt    time.Time `json:"used_at" doc:"to the minute"`
	EndsAt    time.Time `json:"ends_at" doc:"when it ends if it is not used again"`
}

type (
	loginsOutput struct {
		CacheControl string `header:"Cache-Control"`
		Body         struct {
			Sessions []LoginBody `json:"sessions" nullable:"false"`
		}
	}
	changePassword struct {
		Body struct {
			Old string `json:"old" doc:"the password until now"`
			New string `json:"new" doc:"at least 10 characters"`
		}
	}
	forgotten struct {
		Body struct {
			Email string `json:"email"`
		}
	}
	resetInput struct {
		Body struct {
			Token    string `json:"token" doc:"what the link has after #reset="`
			Password string `json:"password" doc:"at least 10 characters"`
		}
	}
)

func (s *Server) mountOwnAccount() {
	handle(s, huma.Operation{
		OperationID: "change-password", Method: "PUT", Path: "/api/v1/account/password", Summary: "Change your password",
		Description: "Ends all your sessions; the answer begins a new one.",
	}, s.changePassword)
	handle(s, huma.Operation{
		OperationID: "list-sessions", Method: "GET", Path: "/api/v1/account/sessions", Summary: "Where you are signed in",
	}, s.listLogins)
	handle(s, huma.Operation{
		OperationID: "end-sessions", Method: "DELETE", Path: "/api/v1/account/sessions", Summary: "Sign out everywhere",
	}, s.endLogins)
	handle(s, huma.Operation{
		OperationID: "end-session", Method: "DELETE", Path: "/api/v1/account/sessions/{session}", Summary: "Sign out somewhere else",
	}, s.endLogin)
	handle(s, huma.Operation{
		OperationID: "forgotten-password", Method: "POST", Path: "/api/v1/password/forgotten", Summary: "Ask for a link to reset a password",
		Description:   "If there is an account for the address, it gets a mail. The answer is the same if there is none. Without a mail server, or without --public-url, ask an administrator for a link.",
		DefaultStatus: http.StatusAccepted,
	}, s.forgotPassword)
	handle(s, huma.Operation{
		OperationID: "reset-password", Method: "POST", Path: "/api/v1/password/reset", Summary: "Choose a password by a link",
		Description: "A link works once. It ends all sessions of the account. Sign in afterwards.",
	}, s.resetPassword)
}

func (s *Server) changePassword(ctx context.Context, in *changePassword) (*sessionOutput, error) {
	u := callOf(ctx).who.user
	if err := s.checkOwnPassword(ctx, u, in.Body.Old, "old"); err != nil {
		return nil, err
	}
	if err := s.cfg.Directory.SetPassword(ctx, u.ID, in.Body.New); err != nil {
		return nil, err
	}
	s.log.InfoContext(ctx, "password changed", "user", u.ID, "request_id", callOf(ctx).id)
	s.notify(ctx, u, passwordChanged)
	s.accessEnded(ctx)
	return s.signInBy(ctx, u, callOf(ctx).who.session.Method)
}

func (s *Server) listLogins(ctx context.Context, _ *struct{}) (*loginsOutput, error) {
	who := callOf(ctx).who
	all, err := s.cfg.Directory.Sessions(ctx, who.user.ID)
	if err != nil {
		return nil, err
	}
	out := &loginsOutput{CacheControl: "no-store"}
	out.Body.Sessions = []LoginBody{}
	for _, x := range all {
		out.Body.Sessions = append(out.Body.Sessions, LoginBody{
			ID: x.ID, Current: x.ID == who.session.ID, Device: x.Place.Device, Country: x.Place.Country, Network: x.Place.Network,
			CreatedAt: x.CreatedAt, UsedAt: x.UsedAt, EndsAt: x.EndsAt(),
		})
	}
	return out, nil
}

func (s *Server) endLogins(ctx context.Context, _ *struct{}) (*logOutOutput, error) {
	u := callOf(ctx).who.user
	if err := s.cfg.Directory.EndSessions(ctx, u.ID); err != nil {
		return nil, err
	}
	s.log.InfoContext(ctx, "signed out everywhere", "user", u.ID, "request_id", callOf(ctx).id)
	s.accessEnded(ctx)
	return &logOutOutput{Cookie: []http.Cookie{s.noSession(ctx)}}, nil
}

func (s *Server) endLogin(ctx context.Context, in *struct {
	Session string `path:"session" doc:"its id"`
},
) (*struct{}, error) {
	if err := s.cfg.Directory.EndSession(ctx, callOf(ctx).who.user.ID, in.Session); err != nil {
		return nil, err
	}
	s.accessEnded(ctx)
	return nil, nil //nolint:nilnil // 204
}

// forgets bounds the mails that one address gets because somebody says that they forgot its
// password.
var forgets = fleet.Limit{Every: 10 * time.Minute, Burst: 3}

func (s *Server) forgotPassword(ctx context.Context, in *forgotten) (*struct{}, error) {
	email := in.Body.Email
	if b, wait := s.guesses.take(ctx, s.guesses.places("forgot:", callOf(ctx).ip)); wait > 0 {
		return nil, s.guesses.refuse(b.by, wait)
	}
	if !s.mails() || s.takePasswords(ctx) != nil {
		return nil, nil //nolint:nilnil // the same answer
	}
	// Who asks too often for one address gets the same answer too, and it no mail.
	if _, wait := s.guesses.take(ctx, []bucket{{"account", "forgot:" + fleet.Digest(account(email)), forgets}}); wait > 0 {
		return nil, nil //nolint:nilnil // the same answer
	}
	r := callOf(ctx).request
	s.sendLater(ctx, func(ctx context.Context) (*Mail, error) {
		u, err := s.cfg.Directory.UserByEmail(ctx, email)
		if err != nil || u.Inactive {
			return nil, unlessMissing(err)
		}
		return s.resetMail(ctx, r, u)
	})
	return nil, nil //nolint:nilnil // 202
}

// unlessMissing returns err, and nil for ENOTFOUND.
func unlessMissing(err error) error {
	if weir.ErrorCode(err) == weir.ENOTFOUND {
		return nil
	}
	return err
}

func (s *Server) resetMail(ctx context.Context, r *http.Request, u *meta.Account) (*Mail, error) {
	secret, until, err := s.cfg.Directory.CreateReset(ctx, u.ID)
	if err != nil {
		return nil, err
	}
	return &Mail{
		Key: "reset-" + fleet.Digest(secret), To: u.Email, Subject: "Choose a new password for Weir",
		Text: "Somebody asked for a new password for your account of Weir, " + u.Email + ".\n\n" +
			"Choose one here: " + s.link(r, "reset", secret) + "\n\n" +
			"The link works once, until " + until.UTC().Format("2006-01-02 15:04 MST") + ". If it was not you, ignore this mail: your password stays.\n",
	}, nil
}

func (s *Server) resetPassword(ctx context.Context, in *resetInput) (*struct{}, error) {
	if err := s.takePasswords(ctx); err != nil {
		return nil, err
	}
	c := callOf(ctx)
	return nil, s.guesses.checkSecret(ctx, "reset", c.ip, func() error {
		u, err := s.cfg.Directory.ResetPassword(ctx, in.Body.Token, in.Body.Password)
		if err != nil {
			return err
		}
		s.log.InfoContext(ctx, "password reset", "user", u.ID, "request_id", c.id)
		s.notify(ctx, u, passwordReset)
		s.accessEnded(ctx)
		return nil
	})
}
