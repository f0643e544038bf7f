package httpd_test

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/pquerna/otp"
	"github.com/pquerna/otp/totp"
	weir "github.com/weir-analytics/weir"
	"github.com/weir-analytics/weir/internal/httpd"
)

// factor turns a second factor on for who is signed in.
func (f *fixture) factor(c *http.Client) (secret string, recovery []string) {
	f.t.Helper()
	a := f.doWith(c, "POST", "/api/v1/account/totp", jsonOf(map[string]string{"password": password}))
	wantStatus(f.t, a, 200)
	begun := read[httpd.TOTPBody](f.t, a)
	key, err := otp.NewKeyFromURL(begun.URL)
	if err != nil || key.Secret() != begun.Secret || key.Type() != "totp" || key.Period() != 30 || key.Digits() != otp.DigitsSix || key.Issuer() != "Weir" || key.AccountName() == "" {
		f.t.Fatalf("%v: %s", err, begun.URL)
	}
	a = f.doWith(c, "POST", "/api/v1/account/totp/confirm", jsonOf(map[string]string{"code": f.code(begun.Secret)}))
	wantStatus(f.t, a, 200)
	if a.header.Get("Cache-Control") != "no-store" {
		f.t.Error("an answer with secrets may be stored")
	}
	return begun.Secret, read[httpd.RecoveryBody](f.t, a).RecoveryCodes
}

// code is what the app shows; then a period passes.
func (f *fixture) code(secret string) string {
	f.t.Helper()
	code, err := totp.GenerateCode(secret, f.watch.now())
	if err != nil {
		f.t.Fatal(err)
	}
	f.watch.add(30 * time.Second)
	return code
}

// login signs in, with a code maybe.
func (f *fixture) login(c *http.Client, email, code string, header ...string) answer {
	f.t.Helper()
	in := map[string]string{"email": email, "password": password}
	if code != "" {
		in["code"] = code
	}
	return f.doWith(c, "POST", "/api/v1/login", jsonOf(in), header...)
}

func TestASecondFactorIsAskedForAfterTheRightPasswordOnly(t *testing.T) {
	f := start(t)
	c := f.signedIn("ada@example.org", weir.RoleViewer, false)
	there := browser(t)
	wantStatus(t, f.login(there, "ada@example.org", ""), 200)
	wantError(t, f.doWith(c, "POST", "/api/v1/account/totp", `{"password":"wrong horse"}`), 403, weir.EFORBIDDEN)
	secret, recovery := f.factor(c)
	wantStatus(t, f.doWith(c, "GET", f.path("/stats/overview"), ""), 200)
	wantError(t, f.doWith(there, "GET", f.path("/stats/overview"), ""), 401, weir.EUNAUTHORIZED)

	stranger := browser(t)
	wantError(t, f.doWith(stranger, "POST", "/api/v1/login", `{"email":"ada@example.org","password":"wrong horse"}`), 401, weir.EUNAUTHORIZED)
	wantError(t, f.login(stranger, "ada@example.org", ""), 401, "second_factor")
	wantError(t, f.doWith(stranger, "GET", "/api/v1/account/sessions", ""), 401, weir.EUNAUTHORIZED)
	code := f.code(secret)
	if s := session(t, f.login(stranger, "ada@example.org", code)); s.User == nil || !s.User.SecondFactor {
		t.Fatalf("session = %+v", s)
	}
	wantError(t, f.login(browser(t), "ada@example.org", code), 401, weir.EUNAUTHORIZED) // replayed
	wantStatus(t, f.login(browser(t), "ada@example.org", recovery[0]), 200)
	wantError(t, f.login(browser(t), "ada@example.org", recovery[0]), 401, weir.EUNAUTHORIZED)
	for _, secret := range append(recovery, secret, code) {
		if strings.Contains(f.log.String(), secret) {
			t.Error("the log has a secret")
		}
	}
}

func TestASecondFactorIsRemovedByItsOwnerOrAnAdministrator(t *testing.T) {
	f := start(t)
	c := f.signedIn("ada@example.org", weir.RoleViewer, false)
	secret, _ := f.factor(c)
	remove := func(body string) answer { return f.doWith(c, "POST", "/api/v1/account/totp/remove", body) }
	wantError(t, remove(`{}`), 403, weir.EFORBIDDEN)
	wantError(t, remove(`{"code":"000000"}`), 403, weir.EFORBIDDEN)
	a := f.doWith(c, "POST", "/api/v1/account/totp/recovery-codes", jsonOf(map[string]string{"code": f.code(secret)}))
	fresh := read[httpd.RecoveryBody](t, a).RecoveryCodes
	wantStatus(t, remove(jsonOf(map[string]string{"code": fresh[0]})), 200)
	wantStatus(t, f.login(browser(t), "ada@example.org", ""), 200)

	f.factor(c)
	u, err := f.meta.UserByEmail(t.Context(), "ada@example.org")
	if err != nil {
		t.Fatal(err)
	}
	wantStatus(t, f.as(f.admin, "DELETE", "/api/admin/users/"+u.ID+"/totp", ""), 204)
	wantError(t, f.doWith(c, "GET", "/api/v1/projects", ""), 401, weir.EUNAUTHORIZED)
	wantStatus(t, f.login(browser(t), "ada@example.org", ""), 200)
	wantError(t, f.as(f.admin, "DELETE", "/api/admin/users/nobody/totp", ""), 404, weir.ENOTFOUND)
}

func TestGuessingCodesIsSlowAndDoesNotLockTheOwnersBrowserOut(t *testing.T) {
	f := start(t)
	c := f.signedIn("ada@example.org", weir.RoleViewer, false)
	secret, _ := f.factor(c)
	// Somebody who has the password, from many addresses.
	limited := 0
	for i := range 12 {
		a := f.login(browser(t), "ada@example.org", "000000", "X-Forwarded-For", "192.0.2."+string(rune('1'+i%9)))
		if a.status == 429 {
			limited++
		}
	}
	if limited != 2 {
		t.Errorf("%d of 12 guesses were refused, want 2", limited)
	}
	wantError(t, f.login(browser(t), "ada@example.org", f.code(secret), "X-Forwarded-For", "198.51.100.1"), 429, weir.ERATELIMITED)
	wantStatus(t, f.login(c, "ada@example.org", f.code(secret), "X-Forwarded-For", "198.51.100.1"), 200) // she has signed in here before
	f.watch.add(5 * time.Minute)
	wantStatus(t, f.login(browser(t), "ada@example.org", f.code(secret), "X-Forwarded-For", "198.51.100.1"), 200)
	// Who has no password uses nothing up.
	for range 20 {
		f.watch.add(12 * time.Second)
		f.doWith(browser(t), "POST", "/api/v1/login", `{"email":"ada@example.org","password":"wrong horse","code":"000000"}`)
	}
	wantStatus(t, f.login(browser(t), "ada@example.org", f.code(secret), "X-Forwarded-For", "198.51.100.2"), 200)
}

func TestASignInWithACodeIsOneAttempt(t *testing.T) {
	f := start(t)
	codes := map[string]string{} // secrets, by address
	for i := range 29 {
		email := fmt.Sprintf("ada%d@example.org", i)
		codes[email], _ = f.factor(f.signedIn(email, weir.RoleViewer, false))
	}
	// An office signs in at the same time, from one address, whose bucket holds 30 attempts.
	for email, secret := range codes {
		c := browser(t)
		wantError(t, f.login(c, email, "", "X-Forwarded-For", "192.0.2.1"), 401, "second_factor")
		code, err := totp.GenerateCode(secret, f.watch.now())
		if err != nil {
			t.Fatal(err)
		}
		wantStatus(t, f.login(c, email, code, "X-Forwarded-For", "192.0.2.1"), 200)
	}
	wantError(t, f.login(browser(t), "ada0@example.org", "", "X-Forwarded-For", "192.0.2.1"), 401, "second_factor")
	wantError(t, f.login(browser(t), "ada0@example.org", "", "X-Forwarded-For", "192.0.2.1"), 429, weir.ERATELIMITED)
	// Codes that are wrong give nothing back, however often the password is right.
	refused := 0
	for range 40 {
		if f.login(browser(t), "ada1@example.org", "000000", "X-Forwarded-For", "192.0.2.2").status == 429 {
			refused++
		}
	}
	if refused != 30 {
		t.Errorf("%d of 40 guesses at the code were refused, want 30", refused)
	}
}

func TestAServerMayAskEverybodyForASecondFactor(t *testing.T) {
	f := start(t)
	c := f.signedIn("ada@example.org", weir.RoleViewer, false)
	wantStatus(t, f.as(f.admin, "PATCH", "/api/admin/sign-in", `{"require_second_factor":true}`), 200)
	if a := f.as(f.admin, "GET", "/api/admin/sign-in", ""); !strings.Contains(a.body, `"require_second_factor":true`) {
		t.Error(a.body)
	}
	a := f.doWith(c, "GET", f.path("/stats/overview"), "")
	wantError(t, a, 403, "second_factor")
	wantStatus(t, f.as(f.admin, "GET", f.path("/stats/overview"), ""), 200) // a token has no second factor
	if s := session(t, f.doWith(c, "GET", "/api/v1/session", "")); s.User == nil {
		t.Error("who has none is signed out")
	}
	f.factor(c)
	wantStatus(t, f.doWith(c, "GET", f.path("/stats/overview"), ""), 200)
}

func TestTheNameInAnAppIsTheServers(t *testing.T) {
	f := start(t, func(c *httpd.Config) { c.PublicURL, _ = url.Parse("https://weir.example.org") })
	c := f.signedIn("ada+x@example.org", weir.RoleViewer, false)
	begun := read[httpd.TOTPBody](t, f.doWith(c, "POST", "/api/v1/account/totp", jsonOf(map[string]string{"password": password})))
	key, err := otp.NewKeyFromURL(begun.URL)
	if err != nil || key.Issuer() != "Weir weir.example.org" || key.AccountName() != "ada+x@example.org" {
		t.Fatalf("%v: %s", err, begun.URL)
	}
}
