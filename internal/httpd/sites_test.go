package httpd_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	weir "github.com/weir-analytics/weir"
	"github.com/weir-analytics/weir/internal/httpd"
	"github.com/weir-analytics/weir/internal/meta"
)

func TestAProjectsSitesAreSetReplacedAndTakenAway(t *testing.T) {
	f := start(t)
	path := f.path("")
	is := func(want ...string) {
		t.Helper()
		if want == nil {
			want = []string{}
		}
		if d := cmp.Diff(want, decode[httpd.ProjectBody](t, f.as(f.admin, "GET", path, "")).Sites); d != "" {
			t.Error(d)
		}
		type list struct{ Projects []httpd.ProjectBody }
		for _, p := range decode[list](t, f.as(f.admin, "GET", "/api/v1/projects", "")).Projects {
			if p.ID == f.shop.ID && !cmp.Equal(p.Sites, want) {
				t.Errorf("listed with %v, want %v", p.Sites, want)
			}
		}
	}
	is()
	a := f.as(f.admin, "PATCH", path, `{"sites":["www.Shop.example","b.example"]}`)
	wantStatus(t, a, 200)
	if got := decode[httpd.ProjectBody](t, a); !cmp.Equal(got.Sites, []string{"b.example", "shop.example"}) || got.Limits != plain {
		t.Errorf("answered %+v", got)
	}
	is("b.example", "shop.example")
	if a := f.send("POST /api/event", "shop.example"); a.status != 202 || len(f.taken()) != 1 {
		t.Errorf("an event of the site: %d %s", a.status, a.body)
	}
	wantStatus(t, f.as(f.admin, "PATCH", path, `{"retention_days":7}`), 200) // what is missing stays
	is("b.example", "shop.example")
	wantStatus(t, f.as(f.admin, "PATCH", path, `{"sites":["c.example"],"retention_days":0}`), 200)
	is("c.example")
	f.send("POST /api/event", "shop.example")
	if got := f.taken(); len(got) != 0 {
		t.Errorf("a site that was taken away still brings %+v", got)
	}
	wantStatus(t, f.as(f.admin, "PATCH", path, `{"sites":[]}`), 200)
	is()
}

func TestSitesAreRefusedWholeAndChangeNothing(t *testing.T) {
	f := start(t)
	other, _ := f.newProject("Other", "UTC")
	if err := f.meta.SetSites(t.Context(), other.ID, []string{"other.example"}); err != nil {
		t.Fatal(err)
	}
	wantStatus(t, f.as(f.admin, "PATCH", f.path(""), `{"sites":["shop.example"]}`), 200)
	before := decode[httpd.ProjectBody](t, f.as(f.admin, "GET", f.path(""), ""))
	many := make([]string, 101)
	for i := range many {
		many[i] = fmt.Sprintf(`"%d.example"`, i)
	}
	for _, c := range []struct {
		body, code string
		status     int
	}{
		{`{"sites":["a.example","OTHER.example"],"retention_days":9,"quota":5}`, weir.ECONFLICT, 409},
		{`{"sites":["a.example","a b"]}`, weir.EINVALID, 400},
		{`{"sites":["` + f.key + `"]}`, weir.EINVALID, 400},
		{`{"sites":[""]}`, weir.EINVALID, 400},
		{`{"sites":null}`, weir.EINVALID, 400},
		{`{"sites":"a.example"}`, weir.EINVALID, 400},
		{`{"sites":[7]}`, weir.EINVALID, 400},
		{`{"sites":[` + strings.Join(many, ",") + `]}`, weir.EINVALID, 400},
		{`{"sites":["a.example"],"limit_key":"fast"}`, weir.EINVALID, 400},
	} {
		wantError(t, f.as(f.admin, "PATCH", f.path(""), c.body), c.status, c.code)
	}
	if d := cmp.Diff(before, decode[httpd.ProjectBody](t, f.as(f.admin, "GET", f.path(""), ""))); d != "" {
		t.Error(d)
	}
}

func TestSitesAreSeenByViewersAndChangedByAdmins(t *testing.T) {
	f := start(t)
	if err := f.meta.SetSites(t.Context(), f.shop.ID, []string{"shop.example"}); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		role   weir.Role
		status int
	}{{weir.RoleViewer, 403}, {weir.RoleEditor, 403}, {weir.RoleAdmin, 200}} {
		token := newToken(t, f, meta.NewToken{Name: "x", Scopes: c.role.Scopes(), ProjectID: f.shop.ID})
		if got := decode[httpd.ProjectBody](t, f.as(token, "GET", f.path(""), "")); !cmp.Equal(got.Sites, []string{"shop.example"}) {
			t.Errorf("%v sees %v", c.role, got.Sites)
		}
		wantStatus(t, f.as(token, "PATCH", f.path(""), `{"sites":["shop.example"]}`), c.status)
	}
}

func TestAnEventForSeveralSitesGoesToThoseThatAreKnown(t *testing.T) {
	f := start(t)
	if err := f.meta.SetSites(t.Context(), f.shop.ID, []string{"shop.example"}); err != nil {
		t.Fatal(err)
	}
	send := func(domain string) answer { return f.send("POST /api/event", domain) }
	a := send("shop.example,nobody.example")
	if got := f.taken(); a.status != 202 || a.header.Get("X-Plausible-Dropped") != "1" || len(got) != 1 || len(got[0].events) != 1 {
		t.Errorf("one of two known: %d %v, delivered %+v", a.status, a.header, got)
	}
	a = send("nobody.example,noone.example")
	if got := f.taken(); a.status != 202 || a.body != "ok" || a.header.Get("X-Plausible-Dropped") != "2" || a.header.Get("WWW-Authenticate") != "" || len(got) != 0 {
		t.Errorf("none known: %d %q %v, delivered %+v", a.status, a.body, a.header, got)
	}
	f.backend.mu.Lock()
	f.backend.err = weir.Errorf(weir.EUNAVAILABLE, "full")
	f.backend.mu.Unlock()
	if a := send("nobody.example,shop.example"); a.status != 503 || a.header.Get("Retry-After") == "" {
		t.Errorf("the known one cannot be taken now: %d %v", a.status, a.header)
	}
}

func TestABodyOverTheLimitIsTooLargeForPlausibleAndUmami(t *testing.T) {
	f := start(t, func(c *httpd.Config) { c.MaxIngestBody = 10 })
	for pattern, want := range map[string]string{
		"POST /api/event": `{"errors":{"request":["body is over 10 bytes"]}}`,
		"POST /api/send":  `{"error":{"message":"body is over 10 bytes","code":"payload-too-large","status":413}}`,
		"POST /api/batch": `{"error":{"message":"body is over 10 bytes","code":"payload-too-large","status":413}}`,
	} {
		if a := f.send(pattern, f.key); a.status != 413 || a.body != want {
			t.Errorf("%s: %d %s", pattern, a.status, a.body)
		}
	}
}
