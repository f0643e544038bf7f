package httpd_test

import (
	"strings"
	"testing"

	weir "github.com/weir-analytics/weir"
	"github.com/weir-analytics/weir/internal/httpd"
)

func TestTheOwnerOfAnAccountGetsAMailWhenSomethingAboutTheSignInChanges(t *testing.T) {
	mails := make(mailed, 4)
	f, p := provided(t, nil, mails.without)
	c := f.signedIn("ada@example.org", weir.RoleViewer, false)
	ada := "/api/admin/users/" + userID(t, f, "ada@example.org")
	want := func(subject, says string) {
		t.Helper()
		mail := <-mails
		if mail.To != "ada@example.org" || mail.Subject != subject || !strings.Contains(mail.Text, says) || !strings.Contains(mail.Text, "ada@example.org") {
			t.Errorf("%+v, want %q with %q", mail, subject, says)
		}
		if strings.Contains(mail.Subject+mail.Text, "{") {
			t.Errorf("something is not filled in: %s", mail.Text)
		}
	}
	wantStatus(t, f.doWith(c, "PUT", "/api/v1/account/password", `{"old":"`+password+`","new":"battery staple"}`), 200)
	want("Weir: your password was changed", "When: 2026-03-10 12:34 UTC\nFrom: 127.0.0.0/24")
	link := read[httpd.LinkBody](t, f.as(f.admin, "POST", ada+"/reset", ""))
	wantStatus(t, f.do("POST", "/api/v1/password/reset", jsonOf(map[string]string{"token": tokenOf(t, link.URL, "reset"), "password": password})), 204)
	want("Weir: your password was changed by a link", "If it was not you")

	wantStatus(t, f.doWith(c, "POST", "/api/v1/login", `{"email":"ada@example.org","password":"`+password+`"}`), 200)
	secret, _ := f.factor(c)
	want("Weir: your account has a second factor now", "If it was not you")
	wantStatus(t, f.doWith(c, "POST", "/api/v1/account/totp/recovery-codes", jsonOf(map[string]string{"code": f.code(secret)})), 200)
	want("Weir: you have new recovery codes", "not good any more")
	wantStatus(t, f.doWith(c, "POST", "/api/v1/account/totp/remove", `{"password":"`+password+`"}`), 200)
	want("Weir: your second factor was removed", "If it was not you")
	f.factor(c)
	want("Weir: your account has a second factor now", "If it was not you")
	wantStatus(t, f.as(f.admin, "DELETE", ada+"/totp", ""), 204)
	want("Weir: an administrator removed your second factor", "ask an administrator")
	wantStatus(t, f.as(f.admin, "DELETE", ada+"/sessions", ""), 204)
	want("Weir: an administrator signed you out everywhere", "Sign in again")

	wantStatus(t, f.through(visitor(t), p), 302)
	want("Weir: your account has a new way to sign in", "identity provider")
	wantStatus(t, f.through(visitor(t), p), 302) // again: nothing is new
	wantStatus(t, f.as(f.admin, "DELETE", ada+"/identity", ""), 204)
	want("Weir: an administrator removed a way to sign in", "ask an administrator")
	if len(mails) != 0 {
		t.Errorf("%d mails more", len(mails))
	}
}

func TestANewAccountAndARefusedChangeAreNoNotice(t *testing.T) {
	mails := make(mailed, 4)
	f, p := provided(t, nil, mails.without)
	wantStatus(t, f.through(visitor(t), p), 302) // a new account
	c := f.signedIn("eve@example.org", weir.RoleViewer, false)
	wantError(t, f.doWith(c, "PUT", "/api/v1/account/password", `{"old":"wrong horse","new":"battery staple"}`), 403, weir.EFORBIDDEN)
	wantStatus(t, f.doWith(c, "PUT", "/api/v1/account/password", `{"old":"`+password+`","new":"battery staple"}`), 200)
	if mail := <-mails; mail.To != "eve@example.org" || len(mails) != 0 {
		t.Errorf("%+v and %d more", mail, len(mails))
	}
}
