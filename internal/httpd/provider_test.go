package httpd_test

import (
	"encoding/json"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/fstest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	weir "github.com/weir-analytics/weir"
	"github.com/weir-analytics/weir/internal/httpd"
	"github.com/weir-analytics/weir/internal/oidc/oidctest"
)

// provided starts a server whose people sign in with a provider.
func provided(t *testing.T, change func(*httpd.ProviderBody), options ...func(*httpd.Config)) (*fixture, *oidctest.Provider) {
	t.Helper()
	f := start(t, options...)
	p := oidctest.Start(t, f.watch.now)
	p.Claims = map[string]any{"email": "Ada@example.org", "email_verified": true, "name": "Ada", "groups": []string{"staff"}}
	body := httpd.ProviderBody{Name: "Example", Issuer: p.URL, ClientID: oidctest.ClientID, ClientSecret: oidctest.ClientSecret, Domains: []string{"Example.org"}}
	if change != nil {
		change(&body)
	}
	wantStatus(t, f.as(f.admin, "PATCH", "/api/admin/sign-in", jsonOf(map[string]any{"provider": body})), 200)
	return f, p
}

// visitor is a browser that does not follow redirects.
func visitor(t *testing.T) *http.Client {
	t.Helper()
	c := browser(t)
	c.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	return c
}

// comeBack signs in at the provider and returns the path that the browser comes back to.
func (f *fixture) comeBack(c *http.Client, p *oidctest.Provider) string {
	f.t.Helper()
	a := f.doWith(c, "GET", "/api/v1/oidc/begin", "")
	wantStatus(f.t, a, 302)
	back := p.SignIn(f.t, a.header.Get("Location"))
	if !strings.HasPrefix(back.String(), f.server.URL+"/api/v1/oidc/callback?") {
		f.t.Fatalf("the browser comes back to %s", back)
	}
	return back.RequestURI()
}

func (f *fixture) through(c *http.Client, p *oidctest.Provider) answer {
	f.t.Helper()
	return f.doWith(c, "GET", f.comeBack(c, p), "")
}

func TestPeopleOfADomainSignUpWithTheProvider(t *testing.T) {
	f, p := provided(t, nil)
	if a := f.do("GET", "/api/v1/session", ""); !strings.Contains(a.body, `"provider":"Example"`) {
		t.Errorf("the page does not learn of the provider: %s", a.body)
	}
	c := visitor(t)
	a := f.through(c, p)
	wantStatus(t, a, 302)
	if a.header.Get("Location") != "/" {
		t.Errorf("sent to %q", a.header.Get("Location"))
	}
	s := session(t, f.doWith(c, "GET", "/api/v1/session", ""))
	if s.User == nil || s.User.Email != "ada@example.org" || s.User.Name != "Ada" || s.User.Admin {
		t.Fatalf("session = %+v", s)
	}
	// Again: the same account, also with another address.
	p.Set(func(p *oidctest.Provider) { p.Claims["email"] = "ada.l@example.org" })
	again := visitor(t)
	wantStatus(t, f.through(again, p), 302)
	if got := session(t, f.doWith(again, "GET", "/api/v1/session", "")); got.User == nil || got.User.ID != s.User.ID {
		t.Errorf("session = %+v", got)
	}
	// It has no password.
	wantError(t, f.do("POST", "/api/v1/login", `{"email":"ada@example.org","password":""}`), 401, weir.EUNAUTHORIZED)
	for _, secret := range []string{oidctest.ClientSecret} {
		if a := f.as(f.admin, "GET", "/api/admin/sign-in", ""); strings.Contains(a.body, secret) || strings.Contains(f.log.String(), secret) {
			t.Error("the client's secret is shown")
		}
	}
}

func TestWhoHasNoVerifiedAddressOfADomainNeedsAnInvitation(t *testing.T) {
	f, p := provided(t, nil)
	refused := func(what string, claims map[string]any) {
		t.Helper()
		p.Set(func(p *oidctest.Provider) { p.Claims = claims })
		a := f.through(visitor(t), p)
		if a.status != 403 || a.code() != weir.EFORBIDDEN {
			t.Errorf("%s: %d %s", what, a.status, a.body)
		}
	}
	refused("not verified", map[string]any{"email": "ada@example.org"})
	refused("another domain", map[string]any{"email": "ada@example.com", "email_verified": true})
	refused("a domain that ends like it", map[string]any{"email": "ada@notexample.org", "email_verified": true})
	refused("none", map[string]any{})
	wantStatus(t, f.as(f.admin, "POST", f.path("/invitations"), `{"email":"ada@example.com","role":"viewer"}`), 201)
	p.Set(func(p *oidctest.Provider) {
		p.Claims = map[string]any{"email": "ada@example.com", "email_verified": true}
	})
	wantStatus(t, f.through(visitor(t), p), 302)
}

func TestAnAccountIsOneIdentitys(t *testing.T) {
	f, p := provided(t, nil)
	f.signedIn("ada@example.org", weir.RoleViewer, false) // with a password, before
	c := visitor(t)
	wantStatus(t, f.through(c, p), 302)
	wantStatus(t, f.doWith(c, "GET", f.path("/stats/overview"), ""), 200)
	// Her address is given to somebody else.
	p.Set(func(p *oidctest.Provider) { p.Claims["sub"] = "2" })
	wantError(t, f.through(visitor(t), p), 403, weir.EFORBIDDEN)
	u, err := f.meta.UserByEmail(t.Context(), "ada@example.org")
	if err != nil {
		t.Fatal(err)
	}
	wantStatus(t, f.as(f.admin, "DELETE", "/api/admin/users/"+u.ID+"/identity", ""), 204)
	wantError(t, f.as(f.admin, "DELETE", "/api/admin/users/"+u.ID+"/identity", ""), 404, weir.ENOTFOUND)
	wantStatus(t, f.through(visitor(t), p), 302)
	wantStatus(t, f.as(f.admin, "PATCH", "/api/admin/users/"+u.ID, `{"active":false}`), 200)
	wantError(t, f.through(visitor(t), p), 401, weir.EUNAUTHORIZED)
}

func TestGroupsGiveAndTakeRoles(t *testing.T) {
	f, p := provided(t, nil)
	other, _ := f.newProject("Other", "UTC")
	set := func(groups ...httpd.GroupBody) answer {
		return f.as(f.admin, "PATCH", "/api/admin/sign-in", jsonOf(map[string]any{"provider": httpd.ProviderBody{
			Name: "Example", Issuer: p.URL, ClientID: oidctest.ClientID, Domains: []string{"example.org"}, GroupsClaim: "groups", Groups: groups,
		}})) // without the secret, which stays
	}
	wantStatus(t, set(
		httpd.GroupBody{Group: "staff", Project: f.shop.ID, Role: "viewer"}, httpd.GroupBody{Group: "analysts", Project: f.shop.ID, Role: "editor"},
		httpd.GroupBody{Group: "root", Admin: true}, httpd.GroupBody{Group: "staff", Project: "deleted", Role: "viewer"},
	), 200)
	roles := func(groups ...string) (shop, rest weir.Role, admin bool) {
		t.Helper()
		p.Set(func(p *oidctest.Provider) { p.Claims["groups"] = groups })
		wantStatus(t, f.through(visitor(t), p), 302)
		u, err := f.meta.UserByEmail(t.Context(), "ada@example.org")
		if err != nil {
			t.Fatal(err)
		}
		if err := f.meta.SetRole(t.Context(), u.ID, other.ID, weir.RoleEditor); err != nil { // by hand
			t.Fatal(err)
		}
		shop, err = f.meta.Role(t.Context(), u.ID, f.shop.ID)
		if err != nil {
			t.Fatal(err)
		}
		rest, err = f.meta.Role(t.Context(), u.ID, other.ID)
		if err != nil {
			t.Fatal(err)
		}
		return shop, rest, u.Admin
	}
	if _, err := f.meta.CreateUser(t.Context(), "owner@example.org", "Owner", password, true); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		groups []string
		shop   weir.Role
		admin  bool
	}{
		{[]string{"staff"}, weir.RoleViewer, false},
		{[]string{"staff", "analysts"}, weir.RoleEditor, false},
		{[]string{"analysts", "root"}, weir.RoleEditor, true},
		{[]string{"staff", "Root"}, weir.RoleViewer, false},
		{nil, weir.RoleNone, false},
	} {
		if shop, rest, admin := roles(c.groups...); shop != c.shop || rest != weir.RoleEditor || admin != c.admin {
			t.Errorf("groups %q: shop %v, the other %v, admin %v", c.groups, shop, rest, admin)
		}
	}
	ada := userID(t, f, "ada@example.org")
	entries := decode[auditPage](t, f.as(f.admin, "GET", "/api/v1/audit?limit=100", "")).Entries
	entries = slices.DeleteFunc(entries, func(e httpd.AuditBody) bool { return e.Detail["by"] != "groups" })
	change := func(act, project, role string) httpd.AuditBody {
		e := httpd.AuditBody{Act: act, User: ada, Name: "ada@example.org", Via: "page", Project: project, Target: ada, Detail: map[string]string{"by": "groups"}, Address: "127.0.0.0/24"}
		if role != "" {
			e.Detail["role"] = role
		}
		return e
	}
	byText := cmpopts.SortSlices(func(a, b httpd.AuditBody) bool { return a.Act+a.Detail["role"] < b.Act+b.Detail["role"] })
	if d := cmp.Diff([]httpd.AuditBody{
		change("member.add", f.shop.ID, "viewer"), change("member.change", f.shop.ID, "editor"), change("admin.add", "", ""),
		change("member.change", f.shop.ID, "viewer"), change("admin.remove", "", ""), change("member.remove", f.shop.ID, ""),
	}, entries, cmpopts.IgnoreFields(httpd.AuditBody{}, "ID", "At", "RequestID"), byText); d != "" {
		t.Error(d)
	}
	for what, g := range map[string]httpd.GroupBody{
		"no group": {Project: f.shop.ID, Role: "viewer"}, "nothing": {Group: "x"}, "both": {Group: "x", Admin: true, Project: f.shop.ID, Role: "viewer"},
		"no role": {Group: "x", Project: f.shop.ID}, "a role of none": {Group: "x", Role: "viewer"},
	} {
		if a := set(g); a.status != 400 {
			t.Errorf("%s: %d %s", what, a.status, a.body)
		}
	}
}

func TestASignInIsGoodOnceInItsOwnBrowser(t *testing.T) {
	f, p := provided(t, nil)
	p.Reuse = true // the provider is careless
	c := visitor(t)
	back := f.comeBack(c, p)
	wantError(t, f.doWith(visitor(t), "GET", back, ""), 401, weir.EUNAUTHORIZED) // a link that an attacker sends
	jar := c.Jar.Cookies(mustURL(t, f.server.URL))
	wantStatus(t, f.doWith(c, "GET", back, ""), 302)
	wantError(t, f.doWith(c, "GET", back, ""), 401, weir.EUNAUTHORIZED) // the cookie is gone
	var cookies []string
	for _, x := range jar {
		cookies = append(cookies, x.Name+"="+x.Value)
	}
	wantError(t, f.do("GET", back, "", "Cookie", strings.Join(cookies, "; ")), 401, weir.EUNAUTHORIZED) // replayed with it

	late := visitor(t)
	back = f.comeBack(late, p)
	f.watch.add(10 * time.Minute)
	wantError(t, f.doWith(late, "GET", back, ""), 401, weir.EUNAUTHORIZED)

	// Of ten at once, one.
	c = visitor(t)
	back = f.comeBack(c, p)
	cookies = nil
	for _, x := range c.Jar.Cookies(mustURL(t, f.server.URL)) {
		cookies = append(cookies, x.Name+"="+x.Value)
	}
	var wg sync.WaitGroup
	in := make(chan bool, 10)
	for range 10 {
		wg.Go(func() {
			req, _ := http.NewRequestWithContext(t.Context(), "GET", f.server.URL+back, nil)
			req.Header.Set("Cookie", strings.Join(cookies, "; "))
			resp, err := http.DefaultTransport.RoundTrip(req)
			if err != nil {
				t.Error(err)
				return
			}
			_ = resp.Body.Close()
			if resp.StatusCode == 302 {
				in <- true
			}
		})
	}
	wg.Wait()
	if len(in) != 1 {
		t.Errorf("%d of ten got in", len(in))
	}
	// The provider refuses.
	c = visitor(t)
	back = f.comeBack(c, p)
	u, _ := url.Parse(back)
	q := u.Query()
	a := f.doWith(c, "GET", "/api/v1/oidc/callback?error=access_denied&state="+q.Get("state"), "")
	if wantError(t, a, 401, weir.EUNAUTHORIZED); !strings.Contains(a.body, "access_denied") {
		t.Error(a.body)
	}
}

func TestWhoComesBackFromTheProviderInVainGetsAPage(t *testing.T) {
	withHead := func(c *httpd.Config) {
		c.UI = fstest.MapFS{"index.html": {Data: []byte("<!doctype html><head></head>")}}
	}
	for name, want := range map[string]string{
		"the dashboard": `<meta name="weir-failure" content="the identity provider has not signed you in: &#34;&lt;b&gt;&#34;">`,
		"no dashboard":  "<p>the identity provider has not signed you in: &#34;&lt;b&gt;&#34;</p>",
	} {
		t.Run(name, func(t *testing.T) {
			config := []func(*httpd.Config){withHead}
			if name == "no dashboard" {
				config = nil
			}
			f, p := provided(t, nil, config...)
			c := visitor(t)
			u, _ := url.Parse(f.comeBack(c, p))
			a := f.doWith(c, "GET", "/api/v1/oidc/callback?error=%3Cb%3E&state="+u.Query().Get("state"), "", "Accept", "text/html,*/*;q=0.8")
			wantStatus(t, a, 401)
			if !strings.Contains(a.body, want) {
				t.Errorf("the page does not say why: %s", a.body)
			}
			for header, value := range map[string]string{"Content-Type": "text/html; charset=utf-8", "Cache-Control": "no-store"} {
				if a.header.Get(header) != value {
					t.Errorf("%s = %q", header, a.header.Get(header))
				}
			}
			if !strings.Contains(a.header.Get("Content-Security-Policy"), "script-src 'self'") {
				t.Error("the page has no policy")
			}
		})
	}
}

func TestAForgedTokenSignsNobodyIn(t *testing.T) {
	f, p := provided(t, nil)
	for what, bend := range map[string]func(map[string]any){
		"another issuer":   func(m map[string]any) { m["iss"] = "https://evil.example" },
		"another audience": func(m map[string]any) { m["aud"] = "another" },
		"a replayed nonce": func(m map[string]any) { m["nonce"] = "another" },
		"over":             func(m map[string]any) { m["exp"] = f.watch.now().Add(-2 * time.Minute).Unix() },
	} {
		p.Set(func(p *oidctest.Provider) { p.Bend = bend })
		if a := f.through(visitor(t), p); a.status != 401 {
			t.Errorf("%s: %d %s", what, a.status, a.body)
		}
	}
	p.Set(func(p *oidctest.Provider) { // a clock that is half a minute off
		p.Bend = func(m map[string]any) { m["iat"] = f.watch.now().Add(30 * time.Second).Unix() }
	})
	wantStatus(t, f.through(visitor(t), p), 302)
}

func TestPasswordsGoOnWhileTheProviderIsDownUnlessItIsEnforced(t *testing.T) {
	f, p := provided(t, nil)
	f.signedIn("eve@example.org", weir.RoleViewer, false)
	login := func() answer {
		return f.do("POST", "/api/v1/login", `{"email":"eve@example.org","password":"correct horse"}`)
	}
	p.Set(func(p *oidctest.Provider) { p.Down = true })
	a := f.do("GET", "/api/v1/oidc/begin", "")
	if wantError(t, a, 503, weir.EUNAVAILABLE); a.header.Get("Retry-After") == "" {
		t.Error("503 without Retry-After")
	}
	wantStatus(t, login(), 200)

	wantStatus(t, f.as(f.admin, "PATCH", "/api/admin/sign-in", `{"no_passwords":true}`), 200)
	wantError(t, login(), 403, weir.EFORBIDDEN)
	made := read[httpd.NewInvitationBody](t, f.as(f.admin, "POST", f.path("/invitations"), `{"email":"bob@example.com","role":"viewer"}`))
	wantError(t, f.do("POST", "/api/v1/invitation/accept", jsonOf(map[string]string{"token": tokenOf(t, made.URL, "invitation"), "name": "Bob", "password": password})), 403, weir.EFORBIDDEN)
	wantStatus(t, f.as(f.admin, "GET", f.path(""), ""), 200)
	p.Set(func(p *oidctest.Provider) { p.Down = false })
	wantStatus(t, f.through(visitor(t), p), 302)

	wantError(t, f.as(f.admin, "PATCH", "/api/admin/sign-in", `{"no_provider":true}`), 400, weir.EINVALID)
	wantStatus(t, f.as(f.admin, "PATCH", "/api/admin/sign-in", `{"no_provider":true,"no_passwords":false}`), 200)
	wantStatus(t, login(), 200)
	wantError(t, f.do("GET", "/api/v1/oidc/begin", ""), 404, weir.ENOTFOUND)
}

func TestAPersonOfAProviderNeedsNoSecondFactorHere(t *testing.T) {
	f, p := provided(t, nil)
	wantStatus(t, f.as(f.admin, "PATCH", "/api/admin/sign-in", `{"require_second_factor":true}`), 200)
	c := visitor(t)
	wantStatus(t, f.through(c, p), 302)
	wantStatus(t, f.doWith(c, "GET", "/api/v1/projects", ""), 200)
}

func TestWrongSettingsOfAProviderAreRefused(t *testing.T) {
	f := start(t)
	good := map[string]any{"name": "Example", "issuer": "https://id.example.org", "client_id": "weir"}
	for what, change := range map[string][2]any{
		"no address": {"issuer", "id.example.org"}, "http elsewhere": {"issuer", "http://id.example.org"}, "a query": {"issuer", "https://id.example.org?x=1"},
		"a password": {"issuer", "https://a:b@id.example.org"}, "no client": {"client_id", ""}, "no name": {"name", ""}, "an address": {"domains", []string{"a@example.org"}},
		"no domain": {"domains", []string{"example"}}, "groups without a claim": {"groups", []any{map[string]any{"group": "x", "admin": true}}}, "a line": {"client_secret", "a\nb"},
	} {
		bad := maps.Clone(good)
		bad[change[0].(string)] = change[1]
		raw, _ := json.Marshal(map[string]any{"provider": bad})
		if a := f.as(f.admin, "PATCH", "/api/admin/sign-in", string(raw)); a.status != 400 {
			t.Errorf("%s: %d %s", what, a.status, a.body)
		}
	}
	wantStatus(t, f.as(f.admin, "PATCH", "/api/admin/sign-in", jsonOf(map[string]any{"provider": good})), 200)
}
