package httpd_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	weir "github.com/weir-analytics/weir"
	"github.com/weir-analytics/weir/internal/httpd"
	"github.com/weir-analytics/weir/internal/meta"
)

type auditPage struct {
	Entries    []httpd.AuditBody
	NextCursor string `json:"next_cursor"`
}

func TestTheAuditLogSaysWhoDidWhatFromWhere(t *testing.T) {
	f := start(t)
	root := f.signedIn("root@example.org", weir.RoleNone, true)
	admin := f.signedIn("ada@example.org", weir.RoleAdmin, false)
	f.signedIn("bob@example.org", weir.RoleViewer, false)
	ada, bob := userID(t, f, "ada@example.org"), userID(t, f, "bob@example.org")
	made := decode[httpd.NewTokenBody](t, f.doWith(admin, "POST", f.path("/tokens"), `{"name":"CI","scopes":["read","admin"]}`))
	wantStatus(t, f.do("PATCH", f.path("/members/"+bob), `{"role":"editor"}`, "Authorization", "Bearer "+made.Token, "User-Agent", "weir-cli/1", "X-Forwarded-For", "203.0.113.77"), 200)
	wantStatus(t, f.as(f.admin, "PATCH", f.path(""), `{"retention_days":90,"quota":5}`), 200)
	wantStatus(t, f.as(f.admin, "DELETE", f.path("/profiles/somebody"), ""), 200)
	wantError(t, f.doWith(admin, "POST", "/api/v1/projects", `{"name":"Mine"}`), 403, weir.EFORBIDDEN)
	wantStatus(t, f.as(f.admin, "GET", f.path("/audit"), ""), 200)

	page := decode[auditPage](t, f.doWith(admin, "GET", f.path("/audit"), ""))
	want := []httpd.AuditBody{
		{Act: "profile.erase", Token: "bootstrap", Name: "bootstrap", Via: "api", Project: f.shop.ID, Address: "127.0.0.0/24"},
		{Act: "project.change", Token: "bootstrap", Name: "bootstrap", Via: "api", Project: f.shop.ID, Detail: map[string]string{"changed": "retention_days,quota"}, Address: "127.0.0.0/24"},
		{Act: "member.change", Token: made.ID, Name: "CI", Via: "cli", Project: f.shop.ID, Target: bob, Detail: map[string]string{"role": "editor"}, Address: "203.0.113.0/24"},
		{Act: "token.create", User: ada, Name: "ada@example.org", Via: "page", Project: f.shop.ID, Target: made.ID, Detail: map[string]string{"name": "CI", "scopes": "read,admin"}, Address: "127.0.0.0/24"},
	}
	if d := cmp.Diff(want, page.Entries, cmpopts.IgnoreFields(httpd.AuditBody{}, "ID", "At", "RequestID"), byAct); d != "" {
		t.Error(d)
	}
	all := decode[auditPage](t, f.doWith(root, "GET", "/api/v1/audit?refused=true", "")).Entries
	if len(all) != 1 || all[0].Act != "project.create" || all[0].User != ada {
		t.Errorf("refused: %+v", all)
	}
	if all = decode[auditPage](t, f.doWith(root, "GET", "/api/v1/audit?act=sign-in&user="+ada, "")).Entries; len(all) != 1 || all[0].Via != "page" {
		t.Errorf("sign-ins: %+v", all)
	}
	for _, secret := range []string{made.Token, f.admin, password, "somebody"} {
		if text := f.as(f.admin, "GET", "/api/v1/audit?limit=1000", "").body; strings.Contains(text, secret) {
			t.Errorf("the audit log has %q", secret)
		}
	}
	if !strings.Contains(f.log.String(), `"msg":"audit","act":"member.change"`) {
		t.Error("the log has no line for an act")
	}
}

// Entries of one instant are in no order.
var byAct = cmpopts.SortSlices(func(a, b httpd.AuditBody) bool { return a.Act < b.Act })

func TestWhatTheAuditLogKeepsOfAddresses(t *testing.T) {
	for setting, want := range map[string]string{"": "203.0.113.0/24", httpd.AddressNetwork: "203.0.113.0/24", httpd.AddressFull: "203.0.113.77", httpd.AddressOff: ""} {
		f := start(t, func(c *httpd.Config) { c.AuditAddress = setting })
		wantStatus(t, f.do("PATCH", f.path(""), `{"quota":5}`, "Authorization", "Bearer "+f.admin, "X-Forwarded-For", "203.0.113.77"), 200)
		if got := decode[auditPage](t, f.as(f.admin, "GET", f.path("/audit"), "")).Entries[0].Address; got != want {
			t.Errorf("%q: %q, want %q", setting, got, want)
		}
	}
}

func TestStrangersDoNotFillTheAuditLog(t *testing.T) {
	f := start(t)
	f.signedIn("ada@example.org", weir.RoleViewer, false)
	for i := range 200 {
		f.do("POST", "/api/v1/login", fmt.Sprintf(`{"email":"ada%d@example.org","password":"wrong"}`, i), "X-Forwarded-For", fmt.Sprintf("10.0.%d.1", i))
	}
	refused := decode[auditPage](t, f.as(f.admin, "GET", "/api/v1/audit?limit=1000&refused=true", "")).Entries
	if len(refused) != 60 {
		t.Errorf("%d refusals are logged, want 60", len(refused))
	}
	for _, e := range refused {
		if e.User != "" || e.Name != "" {
			t.Errorf("an address without an account is logged: %+v", e)
		}
	}
	if !strings.Contains(f.as(f.admin, "GET", "/metrics", "").body, "weir_audit_skipped_total 140") {
		t.Error("what was left out is not counted")
	}
	f.watch.add(time.Minute)
	f.do("POST", "/api/v1/login", `{"email":" Ada@example.org","password":"wrong"}`, "X-Forwarded-For", "192.0.2.9")
	last := decode[auditPage](t, f.as(f.admin, "GET", "/api/v1/audit?limit=1&refused=true", "")).Entries
	if len(last) != 1 || last[0].User != userID(t, f, "ada@example.org") || last[0].Address != "192.0.2.0/24" {
		t.Errorf("last = %+v", last)
	}
}

func TestOwnTokensNeverMayMoreThanTheirUserAndTheirMaker(t *testing.T) {
	f := start(t)
	c := f.signedIn("ada@example.org", weir.RoleEditor, false)
	ada := userID(t, f, "ada@example.org")
	other, _ := f.newProject("Other", "UTC")
	made := decode[httpd.NewTokenBody](t, f.doWith(c, "POST", "/api/v1/tokens", `{"name":"all","scopes":["read","persons","write","admin"]}`))
	if !strings.HasPrefix(made.Token, "wt_") || !strings.HasSuffix(made.Token, made.Last4) {
		t.Fatalf("made = %+v", made)
	}
	wantStatus(t, f.as(made.Token, "GET", f.path("/profiles"), ""), 200)
	wantError(t, f.as(made.Token, "GET", f.path("/members"), ""), 403, weir.EFORBIDDEN)
	wantError(t, f.as(made.Token, "GET", "/api/v1/projects/"+other.ID, ""), 404, weir.ENOTFOUND)
	if _, err := f.meta.ChangeMember(t.Context(), f.shop.ID, ada, weir.RoleViewer, false); err != nil {
		t.Fatal(err)
	}
	wantError(t, f.as(made.Token, "GET", f.path("/profiles"), ""), 403, weir.EFORBIDDEN)

	// A token makes tokens that may do no more and last no longer.
	small := newToken(t, f, meta.NewToken{Name: "x", Scopes: weir.ScopeAdmin | weir.ScopeRead, UserID: ada, ProjectID: f.shop.ID, ExpiresAt: f.watch.now().Add(time.Hour)})
	for body, want := range map[string]int{
		`{"name":"x","scopes":["read"]}`:                                                                    403, // of all projects
		`{"name":"x","scopes":["read"],"project":"` + f.shop.ID + `"}`:                                      403, // without an end
		`{"name":"x","scopes":["write"],"project":"` + f.shop.ID + `","expires_at":"2026-03-10T13:00:00Z"}`: 403,
		`{"name":"x","scopes":["read"],"project":"` + f.shop.ID + `","expires_at":"2026-03-10T13:00:00Z"}`:  201,
		`{"name":"x","scopes":["read"],"project":"` + other.ID + `","expires_at":"2026-03-10T13:00:00Z"}`:   403,
		`{"name":"x","scopes":["all"],"project":"` + f.shop.ID + `","expires_at":"2026-03-10T13:00:00Z"}`:   400,
		`{"name":"x","scopes":[],"project":"` + f.shop.ID + `","expires_at":"2026-03-10T13:00:00Z"}`:        400,
		`{"name":"","scopes":["read"],"project":"` + f.shop.ID + `","expires_at":"2026-03-10T13:00:00Z"}`:   400,
		`{"name":"x","scopes":["read"],"project":"` + f.shop.ID + `","expires_at":"2026-03-10T12:00:00Z"}`:  400, // past
	} {
		if a := f.as(small, "POST", "/api/v1/tokens", body); a.status != want {
			t.Errorf("%s: %d %s, want %d", body, a.status, a.body, want)
		}
	}
	wantError(t, f.doWith(c, "POST", "/api/v1/tokens", `{"name":"x","scopes":["read"],"project":"`+other.ID+`"}`), 404, weir.ENOTFOUND)
	wantError(t, f.as(f.admin, "GET", "/api/v1/tokens", ""), 403, weir.EFORBIDDEN) // nobody's

	list := f.doWith(c, "GET", "/api/v1/tokens", "")
	if tokens := decode[struct{ Tokens []httpd.TokenBody }](t, list).Tokens; len(tokens) != 3 || strings.Contains(list.body, made.Token) {
		t.Errorf("tokens = %s", list.body)
	}
	wantStatus(t, f.doWith(c, "DELETE", "/api/v1/tokens/"+made.ID, ""), 204)
	wantError(t, f.as(made.Token, "GET", f.path(""), ""), 401, weir.EUNAUTHORIZED)
	if err := f.meta.SetActive(t.Context(), ada, false); err != nil {
		t.Fatal(err)
	}
	wantError(t, f.as(small, "GET", f.path(""), ""), 401, weir.EUNAUTHORIZED)
}

func TestATokenOfAProjectMakesNoneThatMayDoMore(t *testing.T) {
	f := start(t)
	admin := newToken(t, f, meta.NewToken{Name: "x", Scopes: weir.ScopeAdmin, ProjectID: f.shop.ID})
	wantError(t, f.as(admin, "POST", f.path("/tokens"), `{"name":"x","scopes":["read"]}`), 403, weir.EFORBIDDEN)
	wantStatus(t, f.as(admin, "POST", f.path("/tokens"), `{"name":"x","scopes":["admin"]}`), 201)
	made := decode[httpd.NewTokenBody](t, f.as(f.admin, "POST", f.path("/tokens"), `{"name":"CI","scopes":["ingest"],"expires_at":"2026-03-11T00:00:00Z"}`))
	wantStatus(t, f.as(made.Token, "POST", "/v1/events", `{"name":"x"}`), 200)
	wantStatus(t, f.as(f.admin, "DELETE", f.path("/tokens/"+made.ID), ""), 204)
	wantError(t, f.as(made.Token, "POST", "/v1/events", `{"name":"x"}`), 401, weir.EUNAUTHORIZED)
	wantError(t, f.as(f.admin, "DELETE", f.path("/tokens/"+made.ID), ""), 404, weir.ENOTFOUND)
}
