package httpd_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"regexp"
	"strings"
	"testing"
	"testing/fstest"

	weir "github.com/weir-analytics/weir"
	"github.com/weir-analytics/weir/internal/httpd"
	"github.com/weir-analytics/weir/internal/meta"
)

// caller is somebody who calls, and what they may do.
type caller struct {
	name   string
	client *http.Client
	token  string
	key    string // of a project, "" when the caller is no write key
	shop   rights
	others rights      // in any other project
	scopes weir.Scopes // of a token; all without one
	known  bool
	admin  bool   // may change the server
	link   string // what the shared link shows, "" when the caller is no reader of one
	locked bool   // without the link's password
}

// rights are what a caller may do in a project.
type rights struct {
	in  bool // the caller may learn that it exists
	may weir.Scopes
}

func in(may weir.Scopes) rights { return rights{true, may} }

func callers(t *testing.T, f *fixture, other *weir.Project, foreignKey string) []caller {
	t.Helper()
	all := []caller{
		{name: "nobody"},
		{name: "unknown token", token: "wt_made_up"},
		{name: "unknown key", token: "wk_made_up"},
		{name: "stale cookie", client: &http.Client{Transport: cookie("weir_session=made-up")}},
		{name: "own key", token: f.key, key: f.shop.ID, known: true},
		{name: "foreign key", token: foreignKey, key: "other", known: true},
		{name: "admin token", token: f.admin, shop: in(weir.AllScopes), others: in(weir.AllScopes), scopes: weir.AllScopes, admin: true},
		{name: "server admin", client: f.signedIn("root@example.org", weir.RoleNone, true), shop: in(weir.AllScopes), others: in(weir.AllScopes), scopes: weir.AllScopes, admin: true},
	}
	users := map[weir.Role]string{}
	for r := weir.RoleNone; r <= weir.RoleAdmin; r++ {
		email := r.String() + "@example.org"
		c := caller{name: "user with role " + r.String(), client: f.signedIn(email, r, false), shop: in(r.Scopes()), scopes: weir.AllScopes}
		c.shop.in = r > weir.RoleNone
		all = append(all, c)
		users[r] = userID(t, f, email)
	}
	root := userID(t, f, "root@example.org")
	token := func(name string, n meta.NewToken, shop, others rights, admin bool) {
		n.Name = name
		all = append(all, caller{name: name, token: newToken(t, f, n), shop: shop, others: others, scopes: n.Scopes, admin: admin})
	}
	for _, name := range weir.ScopeNames() {
		scope, err := weir.ParseScopes(name)
		if err != nil {
			t.Fatal(err)
		}
		token("token of the project to "+name, meta.NewToken{Scopes: scope, ProjectID: f.shop.ID}, in(scope), rights{}, false)
		if scope == weir.ScopeIngest {
			continue
		}
		for r := weir.RoleViewer; r <= weir.RoleAdmin; r++ {
			token(fmt.Sprintf("token of a user with role %s to %s", r, name), meta.NewToken{Scopes: scope, UserID: users[r]}, in(scope&r.Scopes()), rights{}, false)
		}
		token("token of a server admin to "+name, meta.NewToken{Scopes: scope, UserID: root}, in(scope), in(scope), scope == weir.ScopeAdmin)
	}
	most := weir.AllScopes &^ weir.ScopeIngest
	token("token of the project to everything", meta.NewToken{Scopes: weir.AllScopes, ProjectID: f.shop.ID}, in(weir.AllScopes), rights{}, false)
	token("token of a stranger to everything", meta.NewToken{Scopes: most, UserID: users[weir.RoleNone]}, rights{}, rights{}, false)
	token("token of a viewer to everything", meta.NewToken{Scopes: most, UserID: users[weir.RoleViewer]}, in(weir.ScopeRead), rights{}, false)
	token("token of an admin for another project", meta.NewToken{Scopes: most, UserID: users[weir.RoleAdmin], ProjectID: other.ID}, rights{}, rights{}, false)
	token("token of a server admin for one project", meta.NewToken{Scopes: most, UserID: root, ProjectID: f.shop.ID}, in(most), rights{}, false)
	token("admin token that may read", meta.NewToken{Scopes: weir.ScopeRead, Admin: true}, in(weir.ScopeRead), in(weir.ScopeRead), false)
	all = append(all, readers(f)...)
	for i := range all {
		all[i].known = all[i].known || all[i].scopes != 0
	}
	return all
}

func userID(t *testing.T, f *fixture, email string) string {
	t.Helper()
	u, err := f.meta.UserByEmail(t.Context(), email)
	if err != nil {
		t.Fatal(err)
	}
	return u.ID
}

func newToken(t *testing.T, f *fixture, n meta.NewToken) string {
	t.Helper()
	_, secret, err := f.meta.CreateToken(t.Context(), n)
	if err != nil {
		t.Fatal(err)
	}
	return secret
}

// cookie sends a cookie with each request.
type cookie string

func (c cookie) RoundTrip(r *http.Request) (*http.Response, error) {
	r = r.Clone(r.Context())
	r.Header.Set("Cookie", string(c))
	return http.DefaultTransport.RoundTrip(r)
}

// want is what a caller should get of a route: a status, or 0 for anything that
// is not a refusal. It restates httpd's rules in the words of docs/security.md.
func want(pattern string, route documented, c caller, project string, shop string) int {
	if c.link != "" {
		return wantReader(pattern, route, c, project, shop)
	}
	anonymous := !c.known
	presented := c.token != ""
	switch route.needs {
	case "nothing":
		return 0
	case "session":
		if anonymous && presented {
			return 401 // a credential that is wrong is never overlooked
		}
		return 0
	}
	if anonymous {
		return 401
	}
	if c.key != "" {
		return 403
	}
	switch route.needs {
	case "reader":
		return 403
	case "account":
		if !c.scopes.Has(route.scope) {
			return 403
		}
		return 0
	case "person":
		if c.token != "" {
			return 403
		}
		return 0
	case "scraper":
		if !c.others.may.Has(route.scope) {
			return 403
		}
		return 0
	case "server":
		if !c.admin {
			return 403
		}
		return 0
	case "project":
		mine := c.others
		if project == shop {
			mine = c.shop
		}
		if project == "nothing" || !mine.in {
			return 404
		}
		if !mine.may.Has(route.scope) {
			return 403
		}
		return 0
	}
	panic("a need without a rule in the test: " + route.needs)
}

// bodies are what routes take. A path with a body here is called with it.
var bodies = map[string]string{
	"POST /api/v1/projects":            `{"name":"New"}`,
	"POST /api/v1/projects/{id}/query": `{"kind":"pages","from":"-7d","limit":8}`, // which readers of a shared link may ask

	"PATCH /api/v1/projects/{id}":                     `{"retention_days":7}`,
	"PATCH /api/v1/projects/{id}/keys/{key}":          `{"origins":["shop.example"]}`,
	"PUT /api/v1/projects/{id}/reports/schedule":      `{"at":"02:00"}`,
	"POST /api/v1/projects/{id}/reports/daily/{date}": "",
	"POST /api/v1/setup":                              `{"email":"x@example.org","name":"X","password":"a long password"}`,
	"POST /api/v1/login":                              `{"email":"stranger@example.org","password":"correct horse"}`,
	"POST /api/v1/projects/{id}/keys":                 "",
	"POST /api/v1/logout":                             "",
	"POST /api/v1/password/forgotten":                 `{"email":"stranger@example.org"}`,
	"POST /api/v1/password/reset":                     `{"token":"wr_made_up","password":"a long password"}`,
	"POST /api/v1/invitation":                         `{"token":"wi_made_up"}`,
	"POST /api/v1/invitation/accept":                  `{"token":"wi_made_up","name":"X","password":"a long password"}`,
	"PUT /api/v1/account/password":                    `{"old":"correct horse","new":"short"}`,
	"DELETE /api/v1/account/sessions/{session}":       "",
	"POST /api/v1/account/totp":                       `{"password":"correct horse"}`,
	"POST /api/v1/account/totp/confirm":               `{"code":"000000"}`,
	"POST /api/v1/account/totp/remove":                `{"password":"correct horse"}`,
	"POST /api/v1/account/totp/recovery-codes":        `{"code":"000000"}`,
	"DELETE /api/admin/users/{user}/totp":             "",
	"DELETE /api/admin/users/{user}/identity":         "",
	"PATCH /api/admin/sign-in":                        `{}`,

	"POST /api/v1/projects/{id}/invitations":                `{"email":"x@example.org","role":"viewer"}`,
	"DELETE /api/v1/projects/{id}/invitations/{invitation}": "",
	"PATCH /api/admin/users/{user}":                         `{"active":true}`,
	"POST /api/admin/users/{user}/reset":                    "",
	"DELETE /api/admin/users/{user}/sessions":               "",
	"POST /api/admin/invitations":                           `{"email":"x@example.org"}`,
	"DELETE /api/admin/invitations/{invitation}":            "",
	"DELETE /api/v1/projects/{id}/keys/{key}":               "",
	"POST /api/v1/projects/{id}/alerts":                     `{"name":"x","measure":{"kind":"error_rate"},"condition":{"op":"above","value":0.1}}`,
	"POST /api/v1/projects/{id}/members":                    `{"email":"made-up@example.org","role":"viewer"}`,
	"PATCH /api/v1/projects/{id}/members/{user}":            `{"role":"viewer"}`,
	"DELETE /api/v1/projects/{id}/members/{user}":           "",
	"POST /api/v1/tokens":                                   `{"name":"x","scopes":["admin"]}`,
	"DELETE /api/v1/tokens/{token}":                         "",
	"POST /api/v1/projects/{id}/tokens":                     `{"name":"x","scopes":["admin"]}`,
	"DELETE /api/v1/projects/{id}/tokens/{token}":           "",
	"POST /api/v1/projects/{id}/keys/{key}/rotate":          `{"overlap_seconds":60}`,
	"DELETE /api/v1/projects/{id}":                          `{"name":"no name of a project"}`,
	"POST /api/v1/admins":                                   `{"email":"made-up@example.org"}`,
	"DELETE /api/v1/admins/{user}":                          "",
	"POST /api/v1/admins/{user}/owner":                      "",

	"POST /api/v1/projects/{id}/shares":                 `{"what":"live"}`,
	"PATCH /api/v1/projects/{id}/shares/{share}":        `{"origins":[]}`,
	"DELETE /api/v1/projects/{id}/shares/{share}":       "",
	"POST /api/v1/share/open":                           `{"password":"a wrong password"}`,
	"POST /api/v1/projects/{id}/sql":                    `{"sql":"SELECT 1"}`,
	"POST /api/v1/projects/{id}/deletions":              `{"import_id":"x","dry_run":true}`,
	"DELETE /api/v1/projects/{id}/deletions/{deletion}": "",
	"POST /api/v1/projects/{id}/actions":                `{"name":"x","any":[{"event":"x"}]}`,
	"PATCH /api/v1/projects/{id}/actions/{action}":      `{"name":"x"}`,
	"DELETE /api/v1/projects/{id}/actions/{action}":     "",
	"PATCH /api/v1/projects/{id}/names/{name}":          `{"description":"x"}`,
	"PATCH /api/v1/projects/{id}/columns/{column}":      `{"hidden":true}`,
	"PATCH /api/v1/projects/{id}/alerts/{alert}":        `{"window":7}`,
	"DELETE /api/v1/projects/{id}/alerts/{alert}":       "",
	"POST /api/v1/projects/{id}/alerts/{alert}/silence": `{"minutes":5}`,
	"POST /api/v1/projects/{id}/alerts/{alert}/test":    "",
	"DELETE /api/v1/projects/{id}/profiles/{profile}":   "",
}

// ofHandlers are the words of handlers with 401 and 404.
var ofHandlers = regexp.MustCompile(`wrong email|wrong password|no such (shared link|write key|alert|action|user|session|invitation|member|administrator|token)|nobody has an account|this link was used|this invitation was|no identity provider|has not begun|has not signed in with a provider`)

var ofOpenTelemetry = regexp.MustCompile(`^/v1/(traces|metrics|logs)\b`)

func TestEveryRouteAdmitsWhomItsRuleNames(t *testing.T) {
	f := start(t, func(c *httpd.Config) {
		c.LiveFor = 1 // live streams end at once
		c.UI = fstest.MapFS{"weir.js": {}}
	})
	other, foreignKey := f.newProject("Other", "UTC")
	who := callers(t, f, other, foreignKey)
	routes := documentedRoutes(t)
	done := map[string]string{} // acts, by the ids of requests
	refusals := map[int]string{401: weir.EUNAUTHORIZED, 403: weir.EFORBIDDEN, 404: weir.ENOTFOUND}
	for _, rule := range httpd.Rules() {
		pattern := rule.Method + " " + rule.Path
		if rule.Need == httpd.Sender {
			continue // see TestEveryVendorsRouteTakesAProjectsOwnNameOnly
		}
		if strings.HasPrefix(rule.Path, "/opentelemetry.proto.") {
			continue // gRPC's answers have another form: see TestErrorsOverGRPCHaveTheirCodeAndSayWhenToTryAgain
		}
		if rule.Need == httpd.WriteKey || rule.Method == "OPTIONS" {
			continue // see TestOnlyKeysAndTokensOfTheScopeIngestSendEvents
		}
		route, ok := routes[pattern]
		if !ok {
			t.Errorf("%s: docs/security.md does not say who may call it", pattern)
			continue
		}
		body, ok := bodies[pattern]
		if !ok && rule.Method != "GET" && rule.Method != "OPTIONS" && pattern != "DELETE /api/v1/account/sessions" {
			t.Errorf("%s: the test has no body for it", pattern)
			continue
		}
		if pattern == "POST /api/v1/logout" || pattern == "DELETE /api/v1/account/sessions" {
			continue // would end the callers' sessions; the first needs what login does, the second what the list does
		}
		for _, project := range []string{f.shop.ID, other.ID, "nothing"} {
			path := strings.NewReplacer("{id}", project, "{$}", "", "{key}", "nothing", "{date}", "2026-03-09", "{alert}", "nothing", "{user}", "nothing").Replace(rule.Path)
			path = strings.ReplaceAll(path, "{token}", "made-up")
			if rule.Need == httpd.InProject && path == rule.Path {
				path += "?project=" + project
			}
			for _, c := range who {
				a := f.call(c, rule.Method, path, body)
				got := a.status
				if rule.Act != "" && got < 400 {
					done[a.header.Get("X-Request-Id")] = rule.Act
				}
				expected := want(pattern, route, c, project, f.shop.ID)
				if expected == 0 {
					// Handlers may say 404 and 409 of what is in them, and 401 of a
					// login; admission has words of its own.
					if got == 403 && !strings.Contains(a.body, "a token does not hand the server over") && !strings.Contains(a.body, "this token acts for no user") && !strings.Contains(a.body, "this token is for one project") || got == 401 && !ofHandlers.MatchString(a.body) ||
						got == 404 && !ofHandlers.MatchString(a.body) {
						t.Errorf("%s %s as %s: refused with %d %s", rule.Method, path, c.name, got, a.body)
					}
					continue
				}
				if got != expected || a.code() != refusals[expected] && !ofOpenTelemetry.MatchString(rule.Path) { // whose errors are of another form
					t.Errorf("%s %s as %s: %d, want %d: %s", rule.Method, path, c.name, got, expected, a.body)
				}
			}
		}
	}
	wantAudited(t, f, done)
}

func wantAudited(t *testing.T, f *fixture, done map[string]string) {
	t.Helper()
	logged, refused := map[string]string{}, 0
	for q := (meta.AuditQuery{Limit: 1000}); ; {
		entries, next, err := f.meta.Audit(t.Context(), q)
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range entries {
			if e.Refused {
				refused++
				continue
			}
			logged[e.RequestID] = e.Act
		}
		if q.Cursor = next; next == "" {
			break
		}
	}
	for id, act := range done {
		if logged[id] != act {
			t.Errorf("%s is not in the audit log", act)
		}
		delete(logged, id)
	}
	for id, act := range logged {
		if act != "sign-in" { // of the callers
			t.Errorf("the audit log has %s (request %s), which was not done", act, id)
		}
	}
	if refused == 0 {
		t.Error("no refusal is in the audit log")
	}
}

func (f *fixture) call(c caller, method, path, body string) answer {
	f.t.Helper()
	client := c.client
	if client == nil {
		client = http.DefaultClient
	}
	f.calls++
	from := []string{"X-Forwarded-For", fmt.Sprintf("10.%d.%d.%d", f.calls>>16, f.calls>>8&255, f.calls&255)} // who sends many wrong tokens is not heard
	if c.token != "" {
		from = append(from, "Authorization", "Bearer "+c.token)
	}
	return f.doWith(client, method, path, body, from...)
}

func TestAForeignAndAMissingProjectGetTheSameAnswer(t *testing.T) {
	f := start(t)
	other, _ := f.newProject("Other", "UTC")
	c := f.signedIn("ada@example.org", weir.RoleAdmin, false)
	foreign := f.doWith(c, "GET", "/api/v1/projects/"+other.ID+"/stats/overview", "")
	missing := f.doWith(c, "GET", "/api/v1/projects/nothing/stats/overview", "")
	wantError(t, foreign, 404, weir.ENOTFOUND)
	if foreign.body != missing.body {
		t.Fatalf("%q tells from %q", foreign.body, missing.body)
	}
}

func TestTheOlderNamesNeedAProject(t *testing.T) {
	f := start(t)
	wantError(t, f.as(f.admin, "GET", "/api/admin/stats/overview", ""), 400, weir.EINVALID)
}

func TestABearerTokenCountsMoreThanACookie(t *testing.T) {
	f := start(t)
	c := f.signedIn("root@example.org", weir.RoleNone, true)
	a := f.doWith(c, "GET", "/api/v1/projects", "", "Authorization", "Bearer wt_made_up")
	wantError(t, a, 401, weir.EUNAUTHORIZED)
	if a.header.Get("WWW-Authenticate") == "" {
		t.Error("a 401 without WWW-Authenticate")
	}
}

// lostSessions is a directory whose sessions cannot be read.
type lostSessions struct{ httpd.Directory }

func (lostSessions) Session(context.Context, string) (*meta.Session, *meta.Account, error) {
	return nil, nil, errors.New("disk on fire")
}

func TestNoSessionIsLookedForBesideAToken(t *testing.T) {
	f := start(t, func(c *httpd.Config) { c.Directory = lostSessions{c.Directory} })
	c := &http.Client{Transport: cookie("weir_session=some-session")}
	wantStatus(t, f.doWith(c, "GET", f.path("/stats/overview"), "", "Authorization", "Bearer "+f.admin), 200)
	wantError(t, f.doWith(c, "GET", f.path("/stats/overview"), ""), 500, weir.EINTERNAL)
}

func TestAnotherSchemeOfAuthorizationIsNotWeirs(t *testing.T) {
	f := start(t)
	c := f.signedIn("root@example.org", weir.RoleNone, true)
	wantStatus(t, f.doWith(c, "GET", "/api/v1/projects", "", "Authorization", "Basic b3BlbjpzZXNhbWU="), 200)
}

func TestAnotherSiteCannotUseTheCookie(t *testing.T) {
	f := start(t)
	c := f.signedIn("root@example.org", weir.RoleNone, true)
	for _, path := range []string{"/api/v1/projects", "/api/v1/login", "/api/v1/setup", "/api/v1/logout"} {
		for _, h := range [][2]string{{"Sec-Fetch-Site", "cross-site"}, {"Sec-Fetch-Site", "same-site"}, {"Origin", "https://evil.example"}, {"Origin", "null"}} {
			wantError(t, f.doWith(c, "POST", path, `{"name":"Stolen"}`, h[0], h[1]), 403, weir.EFORBIDDEN)
		}
	}
	wantStatus(t, f.doWith(c, "POST", "/api/v1/projects", `{"name":"Mine"}`, "Sec-Fetch-Site", "same-origin"), 201)
	wantStatus(t, f.doWith(c, "POST", "/api/v1/projects", `{"name":"Mine"}`, "Origin", f.server.URL), 201)
	wantStatus(t, f.do("POST", "/api/v1/projects", `{"name":"Mine"}`, "Authorization", "Bearer "+f.admin, "Origin", "https://tool.example"), 201)
}

func TestAUserWhoIsTakenOffAProjectIsOutAtOnce(t *testing.T) {
	f := start(t)
	c := f.signedIn("ada@example.org", weir.RoleViewer, false)
	wantStatus(t, f.doWith(c, "GET", f.path("/stats/overview"), ""), 200)
	u, err := f.meta.Authenticate(t.Context(), "ada@example.org", password)
	if err != nil {
		t.Fatal(err)
	}
	if err := f.meta.SetRole(t.Context(), u.ID, f.shop.ID, weir.RoleNone); err != nil {
		t.Fatal(err)
	}
	wantError(t, f.doWith(c, "GET", f.path("/stats/overview"), ""), 404, weir.ENOTFOUND)
}

func TestADirectoryThatFailsLetsNobodyIn(t *testing.T) {
	f := start(t)
	c := f.signedIn("root@example.org", weir.RoleNone, true)
	if err := f.meta.Close(); err != nil {
		t.Fatal(err)
	}
	wantError(t, f.doWith(c, "GET", f.path("/stats/overview"), ""), 500, weir.EINTERNAL)
	wantError(t, f.as(f.admin, "GET", f.path("/stats/overview"), ""), 500, weir.EINTERNAL)
	a := f.as("wk_not_cached", "POST", "/v1/events", `{}`)
	wantError(t, a, 500, weir.EINTERNAL)
	if strings.Contains(a.body, "database") {
		t.Errorf("the answer tells of the inside: %s", a.body)
	}
}
