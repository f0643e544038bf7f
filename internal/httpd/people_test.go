package httpd_test

import (
	"context"
	"encoding/json"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	weir "github.com/weir-analytics/weir"
	"github.com/weir-analytics/weir/internal/fleet/local"
	"github.com/weir-analytics/weir/internal/httpd"
	"github.com/weir-analytics/weir/internal/meta"
)

// read decodes an answer's body.
func read[T any](t *testing.T, a answer) T {
	t.Helper()
	var v T
	if err := json.Unmarshal([]byte(a.body), &v); err != nil {
		t.Fatalf("%v: %d %s", err, a.status, a.body)
	}
	return v
}

// tokenOf returns the secret in a link.
func tokenOf(t *testing.T, link, kind string) string {
	t.Helper()
	_, secret, ok := strings.Cut(link, "/#"+kind+"=")
	if !ok {
		t.Fatalf("the link %q has no %s", link, kind)
	}
	return secret
}

// mailed are the mails that a server sent.
type mailed chan httpd.Mail

func (m mailed) options(c *httpd.Config) {
	c.PublicURL, _ = url.Parse("https://weir.example.org")
	m.without(c)
}

// without is options without a public address.
func (m mailed) without(c *httpd.Config) {
	c.Mail = func(_ context.Context, mail httpd.Mail) error { m <- mail; return nil }
}

func jsonOf(v any) string {
	raw, _ := json.Marshal(v)
	return string(raw)
}

func TestAnInvitedPersonChoosesAPasswordAndIsIn(t *testing.T) {
	mails := make(mailed, 4)
	f := start(t, mails.options)
	owner := f.signedIn("ada@example.org", weir.RoleAdmin, false)
	a := f.doWith(owner, "POST", f.path("/invitations"), `{"email":"Eve@example.org","role":"viewer"}`)
	wantStatus(t, a, 201)
	made := read[httpd.NewInvitationBody](t, a)
	mail := <-mails
	if !made.Mailed || mail.To != "eve@example.org" || !strings.Contains(mail.Text, made.URL) || !strings.HasPrefix(made.URL, "https://weir.example.org/#invitation=wi_") {
		t.Fatalf("invitation %+v, mail %+v", made, mail)
	}
	if a.header.Get("Cache-Control") != "no-store" {
		t.Error("an answer with a secret may be stored")
	}
	list := f.doWith(owner, "GET", f.path("/invitations"), "")
	if strings.Contains(list.body, "wi_") || !strings.Contains(list.body, made.ID) {
		t.Errorf("list = %s", list.body)
	}

	token := tokenOf(t, made.URL, "invitation")
	offer := f.do("POST", "/api/v1/invitation", jsonOf(map[string]string{"token": token}))
	if got := read[httpd.OfferBody](t, offer); got.Email != "eve@example.org" || got.Project != "Shop" || got.Role != "viewer" || got.Account || got.Admin {
		t.Errorf("offer = %s", offer.body)
	}
	wantError(t, f.do("POST", "/api/v1/invitation/accept", jsonOf(map[string]string{"token": token, "name": "Eve", "password": "password123"})), 400, weir.EINVALID)
	eve := browser(t)
	a = f.doWith(eve, "POST", "/api/v1/invitation/accept", jsonOf(map[string]string{"token": token, "name": "Eve", "password": password}))
	wantStatus(t, a, 200)
	wantStatus(t, f.doWith(eve, "GET", f.path("/stats/overview"), ""), 200)
	wantError(t, f.doWith(eve, "POST", f.path("/invitations"), `{"email":"x@example.org","role":"viewer"}`), 403, weir.EFORBIDDEN)
	wantError(t, f.do("POST", "/api/v1/invitation", jsonOf(map[string]string{"token": token})), 401, weir.EUNAUTHORIZED)
	if log := f.log.String(); strings.Contains(log, token) || strings.Contains(log, password) {
		t.Error("the log has a secret")
	}
}

func TestNobodyInvitesToMoreThanTheyMay(t *testing.T) {
	f := start(t)
	admin := f.signedIn("ada@example.org", weir.RoleAdmin, false)
	wantError(t, f.doWith(admin, "POST", f.path("/invitations"), `{"email":"x@example.org","role":"owner"}`), 400, weir.EINVALID)
	wantError(t, f.doWith(admin, "POST", "/api/admin/invitations", `{"email":"x@example.org"}`), 403, weir.EFORBIDDEN)
	wantStatus(t, f.as(f.admin, "POST", "/api/admin/invitations", `{"email":"x@example.org"}`), 201)
}

func TestAnInvitedAddressWithAnAccountAcceptsSignedIn(t *testing.T) {
	f := start(t)
	eve := f.signedIn("eve@example.org", weir.RoleNone, false)
	made := read[httpd.NewInvitationBody](t, f.as(f.admin, "POST", f.path("/invitations"), `{"email":"eve@example.org","role":"editor"}`))
	body := jsonOf(map[string]string{"token": tokenOf(t, made.URL, "invitation")})
	wantError(t, f.do("POST", "/api/v1/invitation/accept", body), 400, weir.EINVALID) // neither name nor password
	wantError(t, f.doWith(f.signedIn("bob@example.org", weir.RoleNone, false), "POST", "/api/v1/invitation/accept", body), 403, weir.EFORBIDDEN)
	before := eve.Jar.Cookies(mustURL(t, f.server.URL))[0].Value
	wantStatus(t, f.doWith(eve, "POST", "/api/v1/invitation/accept", body), 200)
	if eve.Jar.Cookies(mustURL(t, f.server.URL))[0].Value == before {
		t.Error("the session's secret stayed, though it may do more now")
	}
	wantStatus(t, f.doWith(eve, "GET", f.path("/stats/overview"), ""), 200)
}

func TestAWithdrawnInvitationIsNone(t *testing.T) {
	f := start(t)
	made := read[httpd.NewInvitationBody](t, f.as(f.admin, "POST", f.path("/invitations"), `{"email":"eve@example.org","role":"editor"}`))
	wantStatus(t, f.as(f.admin, "DELETE", f.path("/invitations/"+made.ID), ""), 204)
	wantError(t, f.as(f.admin, "DELETE", f.path("/invitations/"+made.ID), ""), 404, weir.ENOTFOUND)
	wantError(t, f.do("POST", "/api/v1/invitation", jsonOf(map[string]string{"token": tokenOf(t, made.URL, "invitation")})), 401, weir.EUNAUTHORIZED)
}

func TestANewPasswordNeedsTheOldOneAndEndsTheOtherSessions(t *testing.T) {
	f := start(t)
	here := f.signedIn("ada@example.org", weir.RoleViewer, false)
	there := browser(t)
	wantStatus(t, f.doWith(there, "POST", "/api/v1/login", `{"email":"ada@example.org","password":"correct horse"}`), 200)
	change := func(old, next string) answer {
		return f.doWith(here, "PUT", "/api/v1/account/password", jsonOf(map[string]string{"old": old, "new": next}))
	}
	wantError(t, change("wrong horse", "battery staple"), 403, weir.EFORBIDDEN)
	wantError(t, change(password, "password1234"), 400, weir.EINVALID)
	wantError(t, change(password, "ada@example.org"), 400, weir.EINVALID)
	wantStatus(t, change(password, "battery staple"), 200)
	wantStatus(t, f.doWith(here, "GET", "/api/v1/projects", ""), 200)
	wantError(t, f.doWith(there, "GET", "/api/v1/projects", ""), 401, weir.EUNAUTHORIZED)
	wantError(t, change(password, "another staple"), 403, weir.EFORBIDDEN)
	wantError(t, change(password, "another staple"), 429, weir.ERATELIMITED) // five tries, then one each 12 s
	f.watch.add(12 * time.Second)
	wantStatus(t, change("battery staple", "another staple"), 200)
	wantError(t, f.as(f.admin, "PUT", "/api/v1/account/password", `{"old":"x","new":"y"}`), 403, weir.EFORBIDDEN)
}

func TestPeopleSeeAndEndTheirSessions(t *testing.T) {
	f := start(t, func(c *httpd.Config) {
		c.Place = func(ip, agent string) (string, string) { return agent, map[string]string{"203.0.113.77": "FR"}[ip] }
	})
	here := f.signedIn("ada@example.org", weir.RoleViewer, false)
	there := browser(t)
	wantStatus(t, f.doWith(there, "POST", "/api/v1/login", `{"email":"ada@example.org","password":"correct horse"}`,
		"User-Agent", "Telephone", "X-Forwarded-For", "203.0.113.77"), 200)
	a := f.doWith(here, "GET", "/api/v1/account/sessions", "")
	all := read[struct{ Sessions []httpd.LoginBody }](t, a).Sessions
	if len(all) != 2 || strings.Contains(a.body, "203.0.113.77") || strings.Contains(a.body, "ws_") {
		t.Fatalf("sessions = %s", a.body)
	}
	for _, x := range all {
		if want := (httpd.LoginBody{Device: "Telephone", Country: "FR", Network: "203.0.113.0/24"}); !x.Current &&
			(x.Device != want.Device || x.Country != want.Country || x.Network != want.Network) {
			t.Errorf("the other session = %+v", x)
		}
		if !x.Current {
			wantStatus(t, f.doWith(here, "DELETE", "/api/v1/account/sessions/"+x.ID, ""), 204)
			wantError(t, f.doWith(here, "DELETE", "/api/v1/account/sessions/"+x.ID, ""), 404, weir.ENOTFOUND)
		}
	}
	wantError(t, f.doWith(there, "GET", "/api/v1/projects", ""), 401, weir.EUNAUTHORIZED)
	wantStatus(t, f.doWith(here, "DELETE", "/api/v1/account/sessions", ""), 204)
	wantError(t, f.doWith(here, "GET", "/api/v1/projects", ""), 401, weir.EUNAUTHORIZED)
}

func TestADeactivatedPersonIsOutAtOnceAndItsStreamsEndAtAllNodes(t *testing.T) {
	bus := local.New(local.Options{}).Bus
	f := start(t, func(c *httpd.Config) { c.LiveLook, c.Bus = time.Hour, bus })
	eve := f.signedIn("eve@example.org", weir.RoleViewer, false)
	lines := f.streamOf(eve, f.shop.ID)

	// Another node, on the same directory.
	other := httpd.New(httpd.Config{Directory: f.meta, Bus: bus, Clock: f.watch.now})
	for _, s := range []*httpd.Server{f.served, other} {
		ctx, stop := context.WithCancel(t.Context())
		stopped := make(chan struct{})
		go func() {
			defer close(stopped)
			_ = s.Listen(ctx) // its only error is that it was stopped
		}()
		t.Cleanup(func() { stop(); <-stopped })
	}
	u, err := f.meta.UserByEmail(t.Context(), "eve@example.org")
	if err != nil {
		t.Fatal(err)
	}
	// At the other node: this one's stream ends by the message, since it looks once an hour.
	deactivate := func() bool {
		req, _ := http.NewRequestWithContext(t.Context(), "PATCH", "http://localhost/api/admin/users/"+u.ID, strings.NewReader(`{"active":false}`))
		req.Header.Set("Authorization", "Bearer "+f.admin)
		rec := newRecorder()
		other.Handler().ServeHTTP(rec, req)
		return rec.status == 200
	}
	ended := make(chan struct{})
	go func() { defer close(ended); ends(t, lines) }()
	for done := false; !done; { // until this node listens
		if !deactivate() {
			t.Fatal("not deactivated")
		}
		select {
		case <-ended:
			done = true
		case <-time.After(5 * time.Millisecond):
		}
	}
	wantError(t, f.doWith(eve, "GET", "/api/v1/projects", ""), 401, weir.EUNAUTHORIZED)
	wantError(t, f.do("POST", "/api/v1/login", `{"email":"eve@example.org","password":"correct horse"}`), 401, weir.EUNAUTHORIZED)
	wantStatus(t, f.as(f.admin, "PATCH", "/api/admin/users/"+u.ID, `{"active":true}`), 200)
	wantStatus(t, f.do("POST", "/api/v1/login", `{"email":"eve@example.org","password":"correct horse"}`), 200)
}

// plainRecorder is a writer without a connection.
type plainRecorder struct {
	header http.Header
	status int
}

func newRecorder() *plainRecorder { return &plainRecorder{header: http.Header{}} }

func (r *plainRecorder) Header() http.Header { return r.header }
func (r *plainRecorder) WriteHeader(s int)   { r.status = s }
func (r *plainRecorder) Write(b []byte) (int, error) {
	if r.status == 0 {
		r.status = 200
	}
	return len(b), nil
}

func TestTheLastAdminStaysActive(t *testing.T) {
	f := start(t)
	root := f.signedIn("root@example.org", weir.RoleNone, true)
	list := read[struct{ Users []httpd.AccountBody }](t, f.doWith(root, "GET", "/api/admin/users", ""))
	wantError(t, f.doWith(root, "PATCH", "/api/admin/users/"+list.Users[0].ID, `{"active":false}`), 409, weir.ECONFLICT)
	wantError(t, f.doWith(root, "PATCH", "/api/admin/users/nobody", `{"active":false}`), 404, weir.ENOTFOUND)
	wantStatus(t, f.doWith(root, "DELETE", "/api/admin/users/"+list.Users[0].ID+"/sessions", ""), 204)
	wantError(t, f.doWith(root, "GET", "/api/admin/users", ""), 401, weir.EUNAUTHORIZED)
}

func TestAResetLinkChangesThePasswordOnce(t *testing.T) {
	f := start(t)
	eve := f.signedIn("eve@example.org", weir.RoleViewer, false)
	u, err := f.meta.UserByEmail(t.Context(), "eve@example.org")
	if err != nil {
		t.Fatal(err)
	}
	a := f.as(f.admin, "POST", "/api/admin/users/"+u.ID+"/reset", "")
	wantStatus(t, a, 200)
	reset := func(password string) answer {
		return f.do("POST", "/api/v1/password/reset", jsonOf(map[string]string{"token": tokenOf(t, read[httpd.LinkBody](t, a).URL, "reset"), "password": password}))
	}
	wantStatus(t, f.doWith(eve, "GET", "/api/v1/projects", ""), 200) // until the link is used
	wantError(t, reset("eve@example.org"), 400, weir.EINVALID)
	wantStatus(t, reset("battery staple"), 204)
	wantError(t, reset("another staple"), 401, weir.EUNAUTHORIZED)
	wantError(t, f.doWith(eve, "GET", "/api/v1/projects", ""), 401, weir.EUNAUTHORIZED)
	wantStatus(t, f.do("POST", "/api/v1/login", `{"email":"eve@example.org","password":"battery staple"}`), 200)
}

func TestAForgottenPasswordIsAnsweredTheSameForWhoHasNoAccount(t *testing.T) {
	mails := make(mailed, 8)
	f := start(t, mails.options)
	f.signedIn("eve@example.org", weir.RoleViewer, false)
	forgot := func(email, ip string) answer {
		return f.do("POST", "/api/v1/password/forgotten", jsonOf(map[string]string{"email": email}), "X-Forwarded-For", ip, "Host", "evil.example")
	}
	known, unknown := forgot("EVE@example.org ", "192.0.2.1"), forgot("nobody@example.org", "192.0.2.1")
	if known.status != 202 || unknown.status != known.status || unknown.body != known.body {
		t.Fatalf("known: %d %q; unknown: %d %q", known.status, known.body, unknown.status, unknown.body)
	}
	mail := <-mails
	if mail.To != "eve@example.org" || !strings.Contains(mail.Text, "https://weir.example.org/#reset=wr_") {
		t.Fatalf("mail = %+v", mail)
	}
	// Nobody floods her: after three mails there is one each ten minutes, whoever asks.
	for _, ip := range []string{"192.0.2.2", "192.0.2.3", "192.0.2.4", "192.0.2.5"} {
		wantStatus(t, forgot("eve@example.org", ip), 202)
	}
	<-mails
	<-mails
	f.watch.add(10 * time.Minute)
	wantStatus(t, forgot("eve@example.org", "192.0.2.6"), 202)
	last := <-mails
	if len(mails) != 0 {
		t.Errorf("%d mails more", len(mails))
	}
	_, token, _ := strings.Cut(last.Text, "#reset=")
	token, _, _ = strings.Cut(token, "\n")
	wantStatus(t, f.do("POST", "/api/v1/password/reset", jsonOf(map[string]string{"token": token, "password": "battery staple"})), 204)
	limited := 0
	for range 40 {
		if forgot("nobody@example.org", "192.0.2.9").status == 429 {
			limited++
		}
	}
	if limited != 10 {
		t.Errorf("%d of 40 from one address were refused, want 10", limited)
	}
}

func TestWrongLinksAreSlowedDownByAddress(t *testing.T) {
	f := start(t)
	limited := 0
	for range 40 {
		a := f.do("POST", "/api/v1/invitation", `{"token":"wi_made_up"}`, "X-Forwarded-For", "192.0.2.1")
		if a.status == 429 {
			limited++
		}
	}
	if limited != 10 {
		t.Errorf("%d of 40 were refused, want 10", limited)
	}
}

func TestTheSessionsCookieIsForThisHostAloneOverTLS(t *testing.T) {
	public, _ := url.Parse("https://weir.example.org")
	f := start(t, func(c *httpd.Config) { c.PublicURL = public })
	f.signedIn("ada@example.org", weir.RoleViewer, false)
	login := func(header ...string) string {
		t.Helper()
		a := f.do("POST", "/api/v1/login", `{"email":"ada@example.org","password":"correct horse"}`, header...)
		c, err := http.ParseSetCookie(a.header.Get("Set-Cookie"))
		if err != nil || c.Secure != strings.HasPrefix(c.Name, "__Host-") {
			t.Fatalf("%v: %+v", err, c)
		}
		return c.Name + "=" + c.Value
	}
	plain, secure := login(), login("X-Forwarded-Proto", "https")
	if !strings.HasPrefix(plain, "weir_session=") || !strings.HasPrefix(secure, "__Host-weir_session=") {
		t.Fatalf("cookies %q and %q", plain, secure)
	}
	wantStatus(t, f.do("GET", "/api/v1/projects", "", "Cookie", secure, "X-Forwarded-Proto", "https"), 200)
	// A cookie that another host of the domain could set is none over TLS.
	other := strings.TrimPrefix(secure, "__Host-")
	wantError(t, f.do("GET", "/api/v1/projects", "", "Cookie", other, "X-Forwarded-Proto", "https"), 401, weir.EUNAUTHORIZED)
}

// A session may do more than a token that its user made.
func TestATokenGetsNoSessionByAnInvitation(t *testing.T) {
	f := start(t)
	c := f.signedIn("eve@example.org", weir.RoleViewer, false)
	u, err := f.meta.UserByEmail(t.Context(), "eve@example.org")
	if err != nil {
		t.Fatal(err)
	}
	token := newToken(t, f, meta.NewToken{Name: "x", UserID: u.ID, Scopes: weir.ScopeRead})
	made := read[httpd.NewInvitationBody](t, f.as(f.admin, "POST", f.path("/invitations"), `{"email":"eve@example.org","role":"editor"}`))
	body := jsonOf(map[string]string{"token": tokenOf(t, made.URL, "invitation"), "name": "Eve", "password": password})
	for _, secret := range []string{token, f.admin, f.key} {
		a := f.as(secret, "POST", "/api/v1/invitation/accept", body)
		if wantError(t, a, 400, weir.EINVALID); a.header.Get("Set-Cookie") != "" {
			t.Error("a session was begun")
		}
	}
	wantStatus(t, f.doWith(c, "POST", "/api/v1/invitation/accept", body), 200)
}
