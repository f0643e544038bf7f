package httpd

import (
	"context"
	"net/http"
	"net/url"
	"time"

	"github.com/danielgtaylor/huma/v2"
	weir "github.com/weir-analytics/weir"
	"github.com/weir-analytics/weir/internal/fleet"
	"github.com/weir-analytics/weir/internal/meta"
)

// codeSecondFactor is of a sign-in that lacks the code of the second factor, and of whoever must
// set one up first.
const codeSecondFactor = "second_factor"

// TOTPBody is a secret for an authenticator app. It is shown this once.
type TOTPBody struct {
	Secret string `json:"secret" doc:"in base32, to type into an app"`
	URL    string `json:"url" doc:"otpauth://…, to show as a QR code"`
}

// RecoveryBody are recovery codes. They are shown this once.
type RecoveryBody struct {
	RecoveryCodes []string `json:"recovery_codes" nullable:"false" doc:"each works once in the place of a code"`
}

type (
	startTOTP struct {
		Body struct {
			Password string `json:"password,omitempty" doc:"yours, unless your account has none"`
		}
	}
	totpOutput struct {
		CacheControl string `header:"Cache-Control"`
		Body         TOTPBody
	}
	totpCode struct {
		Body struct {
			Code string `json:"code" doc:"of the app"`
		}
	}
	removeTOTP struct {
		Body struct {
			Password string `json:"password,omitempty" doc:"yours"`
			Code     string `json:"code,omitempty" doc:"or a code of the app, or a recovery code"`
		}
	}
	confirmOutput struct {
		Cookie       []http.Cookie `header:"Set-Cookie"`
		CacheControl string        `header:"Cache-Control"`
		Body         RecoveryBody
	}
	recoveryOutput struct {
		CacheControl string `header:"Cache-Control"`
		Body         RecoveryBody
	}
)

func (s *Server) mountSecondFactor() {
	handle(s, huma.Operation{
		OperationID: "start-totp", Method: "POST", Path: "/api/v1/account/totp", Summary: "Begin to set up a second factor",
		Description: "Makes a secret for an authenticator app (RFC 6238). A code of the app turns it on.",
	}, s.startTOTP)
	handle(s, huma.Operation{
		OperationID: "confirm-totp", Method: "POST", Path: "/api/v1/account/totp/confirm", Summary: "Turn the second factor on",
		Description: "Ends all your sessions; the answer begins a new one.",
	}, s.confirmTOTP)
	handle(s, huma.Operation{
		OperationID: "remove-totp", Method: "POST", Path: "/api/v1/account/totp/remove", Summary: "Remove the second factor",
		Description: "Takes the password or a code. Ends all your sessions; the answer begins a new one.",
	}, s.removeTOTP)
	handle(s, huma.Operation{
		OperationID: "new-recovery-codes", Method: "POST", Path: "/api/v1/account/totp/recovery-codes", Summary: "Make new recovery codes",
		Description: "Takes a code. The former recovery codes are not good any more.",
	}, s.newRecoveryCodes)
	handle(s, huma.Operation{
		OperationID: "reset-totp", Method: "DELETE", Path: "/api/admin/users/{user}/totp", Summary: "Remove somebody's second factor",
		Description: "For who lost it with all recovery codes. Ends the account's sessions.",
	}, s.resetTOTP)
}

// Limits on wrong codes. Only who has the password of an account can use them up, and a browser
// that signed in before has its own.
var codesOfAccount = fleet.Limit{Every: 5 * time.Minute, Burst: 10}

// checkCode checks the code of a user's second factor. Errors: EUNAUTHORIZED, ERATELIMITED.
func (s *Server) checkCode(ctx context.Context, u *meta.Account, code, device string) error {
	b := bucket{"second_factor", "totp:" + fleet.Digest(u.ID), codesOfAccount}
	if device != "" {
		b = bucket{"second_factor", "totp:device:" + fleet.Digest(device), s.guesses.pair}
	}
	if _, wait := s.guesses.take(ctx, []bucket{b}); wait > 0 {
		return s.guesses.refuse(b.by, wait)
	}
	err := s.cfg.Directory.CheckTOTP(ctx, u.ID, code)
	switch {
	case err == nil:
		s.guesses.forget(ctx, b.key)
	case weir.ErrorCode(err) == weir.EUNAUTHORIZED:
		s.guesses.wrong("second_factor")
	}
	return err
}

// checkOwnPassword checks the password of who is signed in: somebody else may sit at their
// browser. Errors: EFORBIDDEN, ERATELIMITED.
func (s *Server) checkOwnPassword(ctx context.Context, u *meta.Account, password, field string) error {
	// By the account: who has somebody's session must not guess at the password.
	if b, wait := s.guesses.take(ctx, []bucket{{"account", "password:" + fleet.Digest(u.ID), s.guesses.pair}}); wait > 0 {
		return s.guesses.refuse(b.by, wait)
	}
	_, err := s.cfg.Directory.Authenticate(ctx, u.Email, password)
	if weir.ErrorCode(err) == weir.EUNAUTHORIZED {
		s.guesses.wrong("password")
		return weir.Errorf(weir.EFORBIDDEN, "%s: this is not your password", field)
	}
	return err
}

func (s *Server) startTOTP(ctx context.Context, in *startTOTP) (*totpOutput, error) {
	u := callOf(ctx).who.user
	if u.HasPassword {
		if err := s.checkOwnPassword(ctx, u, in.Body.Password, "password"); err != nil {
			return nil, err
		}
	}
	secret, err := s.cfg.Directory.StartTOTP(ctx, u.ID)
	if err != nil {
		return nil, err
	}
	issuer := "Weir"
	if p := s.cfg.PublicURL; p != nil {
		issuer = "Weir " + p.Hostname()
	}
	// The parameters that apps assume are said too; some read the name after the last colon.
	text := url.URL{
		Scheme: "otpauth", Host: "totp", Path: "/" + issuer + ":" + u.Email,
		RawQuery: "secret=" + secret + "&issuer=" + url.PathEscape(issuer) + "&algorithm=SHA1&digits=6&period=30",
	}
	return &totpOutput{CacheControl: "no-store", Body: TOTPBody{Secret: secret, URL: text.String()}}, nil
}

func (s *Server) confirmTOTP(ctx context.Context, in *totpCode) (*confirmOutput, error) {
	u := callOf(ctx).who.user
	if _, wait := s.guesses.take(ctx, []bucket{{"second_factor", "totp:confirm:" + fleet.Digest(u.ID), s.guesses.pair}}); wait > 0 {
		return nil, s.guesses.refuse("second_factor", wait)
	}
	codes, err := s.cfg.Directory.ConfirmTOTP(ctx, u.ID, in.Body.Code)
	if weir.ErrorCode(err) == weir.EUNAUTHORIZED {
		return nil, weir.Errorf(weir.EINVALID, "code: wrong: compare the clock of the device with the time")
	}
	if err != nil {
		return nil, err
	}
	s.log.InfoContext(ctx, "second factor on", "user", u.ID, "request_id", callOf(ctx).id)
	s.notify(ctx, u, factorOn)
	s.accessEnded(ctx)
	signedIn, err := s.signInBy(ctx, u, callOf(ctx).who.session.Method)
	if err != nil {
		return nil, err
	}
	return &confirmOutput{Cookie: signedIn.Cookie, CacheControl: "no-store", Body: RecoveryBody{codes}}, nil
}

func (s *Server) removeTOTP(ctx context.Context, in *removeTOTP) (*sessionOutput, error) {
	u := callOf(ctx).who.user
	var err error
	if in.Body.Code != "" {
		err = forbidden(s.checkCode(ctx, u, in.Body.Code, ""))
	} else {
		err = s.checkOwnPassword(ctx, u, in.Body.Password, "password")
	}
	if err != nil {
		return nil, err
	}
	if err := s.cfg.Directory.RemoveTOTP(ctx, u.ID); err != nil {
		return nil, err
	}
	s.log.InfoContext(ctx, "second factor off", "user", u.ID, "request_id", callOf(ctx).id)
	s.notify(ctx, u, factorOff)
	s.accessEnded(ctx)
	if u, err = s.cfg.Directory.User(ctx, u.ID); err != nil {
		return nil, err
	}
	return s.signInBy(ctx, u, callOf(ctx).who.session.Method)
}

// forbidden returns EFORBIDDEN in the place of EUNAUTHORIZED: who asks is signed in.
func forbidden(err error) error {
	if weir.ErrorCode(err) == weir.EUNAUTHORIZED {
		return weir.Wrap(err, weir.EFORBIDDEN, "%s", weir.ErrorMessage(err))
	}
	return err
}

func (s *Server) newRecoveryCodes(ctx context.Context, in *totpCode) (*recoveryOutput, error) {
	u := callOf(ctx).who.user
	if err := forbidden(s.checkCode(ctx, u, in.Body.Code, "")); err != nil {
		return nil, err
	}
	codes, err := s.cfg.Directory.NewRecoveryCodes(ctx, u.ID)
	if err != nil {
		return nil, err
	}
	s.log.InfoContext(ctx, "new recovery codes", "user", u.ID, "request_id", callOf(ctx).id)
	s.notify(ctx, u, recoveryCodesChanged)
	return &recoveryOutput{CacheControl: "no-store", Body: RecoveryBody{codes}}, nil
}

func (s *Server) resetTOTP(ctx context.Context, in *UserPath) (*struct{}, error) {
	u, err := s.cfg.Directory.User(ctx, in.User)
	if err != nil {
		return nil, err
	}
	if err := s.cfg.Directory.RemoveTOTP(ctx, u.ID); err != nil {
		return nil, err
	}
	s.notify(ctx, u, factorReset)
	c := callOf(ctx)
	s.log.InfoContext(ctx, "second factor off", "user", in.User, "by", c.who.name(), "request_id", c.id)
	s.accessEnded(ctx)
	return nil, nil //nolint:nilnil // 204
}

// needSecondFactor refuses who must set a second factor up first. The own account is open to
// them.
func (s *Server) needSecondFactor(ctx context.Context, who principal) error {
	if who.session == nil || who.user.SecondFactor || who.session.Method != meta.ByPassword {
		return nil
	}
	in, err := s.cfg.Directory.SignIn(ctx)
	if err != nil || !in.RequireSecondFactor {
		return err
	}
	e := newError(codeSecondFactor, "this server asks for a second factor: set one up first, with POST /api/v1/account/totp", nil, nil)
	e.status = http.StatusForbidden
	return e
}
