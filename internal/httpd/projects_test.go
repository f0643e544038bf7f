package httpd_test

import (
	"encoding/json"
	"fmt"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	weir "github.com/weir-analytics/weir"
	"github.com/weir-analytics/weir/internal/httpd"
	"github.com/weir-analytics/weir/internal/meta"
)

func mustURL(t *testing.T, s string) *url.URL {
	t.Helper()
	u, err := url.Parse(s)
	if err != nil {
		t.Fatal(err)
	}
	return u
}

func decode[T any](t *testing.T, a answer) T {
	t.Helper()
	var v T
	if err := json.Unmarshal([]byte(a.body), &v); err != nil {
		t.Fatalf("%v: %s", err, a.body)
	}
	return v
}

func TestTheAdminTokenMakesAProjectWhoseKeyWrites(t *testing.T) {
	f := start(t)
	// curl -d says that its body is a form.
	a := f.do("POST", "/api/v1/projects", `{"name":"Blog","timezone":"Asia/Tokyo"}`,
		"Authorization", "Bearer "+f.admin, "Content-Type", "application/x-www-form-urlencoded")
	wantStatus(t, a, 201)
	p := decode[httpd.NewProjectBody](t, a)
	if p.Name != "Blog" || p.Timezone != "Asia/Tokyo" || !strings.HasPrefix(p.WriteKey, "wk_") {
		t.Fatalf("project = %+v", p)
	}
	var fields map[string]any
	if err := json.Unmarshal([]byte(a.body), &fields); err != nil || len(fields) != 5 {
		t.Fatalf("fields = %v, %v", fields, err)
	}
	wantStatus(t, f.as(p.WriteKey, "POST", "/v1/events", `{"name":"x"}`), 200)
	if f.project.ID != p.ID {
		t.Fatalf("the event went to %q, want %q", f.project.ID, p.ID)
	}
}

func TestAProjectsMakerOwnsIt(t *testing.T) {
	f := start(t)
	c := f.signedIn("root@example.org", weir.RoleNone, true)
	p := decode[httpd.NewProjectBody](t, f.doWith(c, "POST", "/api/v1/projects", `{"name":"Blog"}`))
	if p.Timezone != "UTC" {
		t.Errorf("timezone = %q", p.Timezone)
	}
	u, err := f.meta.Authenticate(t.Context(), "root@example.org", password)
	if err != nil {
		t.Fatal(err)
	}
	if role, err := f.meta.Role(t.Context(), u.ID, p.ID); err != nil || role != weir.RoleAdmin {
		t.Fatalf("role = %v, %v", role, err)
	}
}

func TestProjectsAreRefusedForBadInput(t *testing.T) {
	f := start(t)
	for _, body := range []string{
		`{"name":""}`, `{"name":"` + strings.Repeat("n", 101) + `"}`, `{"name":"x","timezone":"Mars/Olympus"}`,
		`{"name":"x","retention_days":-1}`, `{"name":"x","retention_days":36501}`, `{"name":"x","retention_days":1.5}`, `{"name":"x","retention_days":"7"}`,
		`{"name":7}`, `{"timezone":"UTC"}`, `{"name":"x","colour":"red"}`, `{"name":"x"`, `"x"`,
		strings.Repeat("[", 100_000),
	} {
		wantError(t, f.as(f.admin, "POST", "/api/v1/projects", body), 400, weir.EINVALID)
	}
	wantError(t, f.as(f.admin, "POST", "/api/v1/projects", ""), 400, weir.EINVALID)
}

// plain are the limits of a project that has none of its own.
var plain = httpd.Limits{Over: "refuse", Sample: 10}

func TestTheRetentionIsSetAndChanged(t *testing.T) {
	f := start(t)
	made := decode[httpd.NewProjectBody](t, f.as(f.admin, "POST", "/api/v1/projects", `{"name":"Blog","retention_days":36500}`))
	if made.RetentionDays != 36500 {
		t.Fatalf("made = %+v", made)
	}
	path := "/api/v1/projects/" + made.ID
	// is asks for the project, which the server remembers between two changes.
	is := func(days int) {
		t.Helper()
		if p := decode[httpd.ProjectBody](t, f.as(f.admin, "GET", path, "")); p.RetentionDays != days {
			t.Errorf("retention = %d days, want %d", p.RetentionDays, days)
		}
	}
	is(36500)
	for _, days := range []int{1, 0, 90} {
		a := f.as(f.admin, "PATCH", path, fmt.Sprintf(`{"retention_days":%d}`, days))
		wantStatus(t, a, 200)
		want := httpd.ProjectBody{
			ID: made.ID, Name: "Blog", Timezone: "UTC", Role: "admin", RetentionDays: days, Limits: plain, Sites: []string{}, URLRules: weir.URLRules{Rules: []weir.URLRule{}},
			AddressFilters: []string{}, BotEvents: "keep", BotAgents: []string{}, NotBotAgents: []string{}, Counters: httpd.CountersBody{State: "complete", Percent: 100},
		}
		if d := cmp.Diff(want, decode[httpd.ProjectBody](t, a)); d != "" {
			t.Error(d)
		}
		is(days)
	}
	for _, body := range []string{
		`{"retention_days":-1}`, `{"retention_days":36501}`, `{"retention_days":null}`, `{"retention_days":"7"}`, `{}`, ``,
		`{"retention_days":7,"timezone":"Nowhere/At_All"}`, `{"quota":null}`,
	} {
		wantError(t, f.as(f.admin, "PATCH", path, body), 400, weir.EINVALID)
	}
	is(90)
	if p := decode[httpd.ProjectBody](t, f.as(f.admin, "GET", f.path(""), "")); p.RetentionDays != 0 {
		t.Errorf("another project's retention = %d", p.RetentionDays)
	}
}

func TestEachSeesTheirProjectsAndRoles(t *testing.T) {
	f := start(t)
	other, _ := f.newProject("Other", "UTC")
	project := func(id, name, timezone string) httpd.ProjectBody {
		return httpd.ProjectBody{
			ID: id, Name: name, Timezone: timezone, Limits: plain, Sites: []string{}, URLRules: weir.URLRules{Rules: []weir.URLRule{}},
			BotEvents: "keep", BotAgents: []string{}, NotBotAgents: []string{}, Counters: httpd.CountersBody{State: "complete", Percent: 100},
		}
	}
	shop, rest := project(f.shop.ID, "Shop", "Europe/Berlin"), project(other.ID, "Other", "UTC")
	as := func(b httpd.ProjectBody, role string) httpd.ProjectBody {
		if b.Role = role; role == "admin" {
			b.AddressFilters = []string{}
		}
		return b
	}
	type list struct{ Projects []httpd.ProjectBody }
	check := func(name string, a answer, want ...httpd.ProjectBody) {
		t.Helper()
		if want == nil {
			want = []httpd.ProjectBody{}
		}
		if d := cmp.Diff(want, decode[list](t, a).Projects); d != "" {
			t.Errorf("%s: %s", name, d)
		}
	}
	viewer := f.signedIn("ada@example.org", weir.RoleViewer, false)
	check("viewer", f.doWith(viewer, "GET", "/api/v1/projects", ""), as(shop, "viewer"))
	check("nobody's member", f.doWith(f.signedIn("eve@example.org", weir.RoleNone, false), "GET", "/api/v1/projects", ""))
	check("admin token", f.as(f.admin, "GET", "/api/v1/projects", ""), as(rest, "admin"), as(shop, "admin"))
	check("server admin", f.doWith(f.signedIn("root@example.org", weir.RoleNone, true), "GET", "/api/v1/projects", ""), as(rest, "admin"), as(shop, "admin"))
	token := newToken(t, f, meta.NewToken{Name: "x", Scopes: weir.ScopeRead, ProjectID: f.shop.ID})
	check("read token", f.as(token, "GET", "/api/v1/projects", ""), as(shop, "viewer"))
	reader := newToken(t, f, meta.NewToken{Name: "x", Scopes: weir.ScopeRead, Admin: true})
	check("reading admin token", f.as(reader, "GET", "/api/v1/projects", ""), as(rest, "viewer"), as(shop, "viewer"))

	if d := cmp.Diff(as(shop, "viewer"), decode[httpd.ProjectBody](t, f.doWith(viewer, "GET", f.path(""), ""))); d != "" {
		t.Error(d)
	}
}

func TestKeysAreMadeListedAndRevoked(t *testing.T) {
	f := start(t)
	a := f.as(f.admin, "POST", f.path("/keys"), "")
	wantStatus(t, a, 201)
	k := decode[httpd.NewKeyBody](t, a)
	if !strings.HasSuffix(k.WriteKey, k.Last4) || k.Last4 == "" {
		t.Fatalf("key = %+v", k)
	}
	wantStatus(t, f.as(k.WriteKey, "POST", "/v1/events", `{}`), 200)
	a = f.as(f.admin, "GET", f.path("/keys"), "")
	if strings.Contains(a.body, k.WriteKey) {
		t.Fatal("a listed key shows itself")
	}
	keys := decode[struct{ Keys []httpd.KeyBody }](t, a).Keys
	if len(keys) != 2 {
		t.Fatalf("keys = %+v", keys)
	}
	wantStatus(t, f.as(f.admin, "PATCH", f.path("/keys/"+k.ID), `{"origins":["shop.example"]}`), 204)
	wantStatus(t, f.do("POST", "/v1/events", `{}`, "Authorization", "Bearer "+k.WriteKey, "Origin", "https://shop.example"), 200)
	wantError(t, f.as(k.WriteKey, "POST", "/v1/events", `{}`), 403, weir.EFORBIDDEN)
	a = f.do("OPTIONS", "/v1/events?key="+k.WriteKey, "", "Origin", "https://evil.example", "Access-Control-Request-Method", "POST")
	wantError(t, a, 403, weir.EFORBIDDEN)
	if v := a.header.Get("Access-Control-Allow-Origin"); v != "" {
		t.Errorf("the preflight of another page allows %q", v)
	}
	wantStatus(t, f.as(f.admin, "DELETE", f.path("/keys/"+k.ID), ""), 204)
	wantError(t, f.as(k.WriteKey, "POST", "/v1/events", `{}`), 401, weir.EUNAUTHORIZED)
	wantError(t, f.as(f.admin, "DELETE", f.path("/keys/"+k.ID), ""), 404, weir.ENOTFOUND)
	wantStatus(t, f.as(f.key, "POST", "/v1/events", `{}`), 200)
}

func TestAKeyIsRotatedWithATimeInWhichBothAreGood(t *testing.T) {
	f := start(t)
	k := decode[httpd.NewKeyBody](t, f.as(f.admin, "POST", f.path("/keys"), `{"origins":["shop.example"]}`))
	a := f.as(f.admin, "POST", f.path("/keys/"+k.ID+"/rotate"), `{"overlap_seconds":3600}`)
	wantStatus(t, a, 201)
	fresh := decode[httpd.NewKeyBody](t, a)
	send := func(key string) answer {
		return f.do("POST", "/v1/events", `{"name":"x"}`, "Authorization", "Bearer "+key, "Origin", "https://shop.example")
	}
	wantStatus(t, send(k.WriteKey), 200)
	wantStatus(t, send(fresh.WriteKey), 200)
	wantError(t, f.as(f.admin, "POST", f.path("/keys/"+k.ID+"/rotate"), `{}`), 404, weir.ENOTFOUND)
	for _, body := range []string{`{"overlap_seconds":-1}`, `{"overlap_seconds":31622401}`} {
		wantError(t, f.as(f.admin, "POST", f.path("/keys/"+fresh.ID+"/rotate"), body), 400, weir.EINVALID)
	}
	ends := 0
	for _, one := range decode[struct{ Keys []httpd.KeyBody }](t, f.as(f.admin, "GET", f.path("/keys"), "")).Keys {
		if one.RevokedAt != nil {
			ends++
			if one.ID != k.ID || !one.RevokedAt.Equal(f.watch.now().Add(time.Hour)) {
				t.Errorf("%s ends at %v", one.ID, one.RevokedAt)
			}
		}
	}
	if ends != 1 {
		t.Errorf("%d keys end, want 1", ends)
	}
	f.watch.add(time.Hour)
	wantError(t, send(k.WriteKey), 401, weir.EUNAUTHORIZED)
	wantStatus(t, send(fresh.WriteKey), 200)
}

func TestAProjectIsRenamed(t *testing.T) {
	f := start(t)
	if p := decode[httpd.ProjectBody](t, f.as(f.admin, "PATCH", f.path(""), `{"name":"Boutique"}`)); p.Name != "Boutique" {
		t.Errorf("answer = %+v", p)
	}
	if p := decode[httpd.ProjectBody](t, f.as(f.admin, "GET", f.path(""), "")); p.Name != "Boutique" {
		t.Errorf("project = %+v", p)
	}
	wantError(t, f.as(f.admin, "PATCH", f.path(""), `{"name":" "}`), 400, weir.EINVALID)
}
